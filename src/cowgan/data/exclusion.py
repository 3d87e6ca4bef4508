"""Reasons why a file is not a scan, from its name and its first bytes."""

import re
from pathlib import Path

from cowgan.data.bids import suffix_of
from cowgan.errors import CowganError
from cowgan.file_kinds import BYTES_NEEDED, has_dicom_mark, stand_in
from cowgan.files import open_regular
from cowgan.volume import open_image
from cowgan.volume.formats import DICOM_SUFFIXES, IMAGE_SUFFIXES, image_stem

NIFTI_PAIR = (".hdr", ".img")
IMAGE = "image"
LABELS = "its voxels hold labels and no intensities"
DICOM_ADVICE = 'convert it with dcm2niix ("dcm2niix -z y -o converted {}")'

_FOREIGN = {
    **dict.fromkeys((".mgz", ".mgh"), "An image of FreeSurfer; convert it with mri_convert."),
    ".mnc": "A MINC image; convert it with mnc2nii.",
    **dict.fromkeys((".par", ".rec"), "An image of Philips; convert it with dcm2niix."),
    **dict.fromkeys((".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar"), "An archive; unpack it."),
    **dict.fromkeys((".nii.bz2", ".nii.xz", ".nii.zst"), "Packed; unpack it."),
    **dict.fromkeys(NIFTI_PAIR, "One of a pair of files (.hdr, .img); name it to take it."),
}
"""Reasons by suffix."""

_MAY_BE_LABELS = re.compile(
    r"mask|label|seg|lesion|annot|aparc|(?:^|[_.-])(?:roi|gt)(?:$|[_.-])", re.IGNORECASE
)
"""Words in names of masks and label maps; the voxels then decide."""


def may_be_dicom(path: Path) -> bool:
    """Return whether DICOM files have such names: .dcm and the like, a number, or no suffix."""
    return (
        path.name.lower().endswith(DICOM_SUFFIXES) or not path.suffix or path.suffix[1:].isdigit()
    )


def begins_as_dicom(path: Path) -> bool:
    """Return whether a file is DICOM by its suffix, or else by its first bytes."""
    if path.name.lower().endswith(DICOM_SUFFIXES) or path.name.upper() == "DICOMDIR":
        return True
    start = _start_of(path)
    return isinstance(start, bytes) and has_dicom_mark(start)


def foreign_format(path: Path) -> str:
    """Return what to do with a file of a format that is not read; empty for other files."""
    lower = path.name.lower()
    return next((reason for suffix, reason in _FOREIGN.items() if lower.endswith(suffix)), "")


def not_an_image(path: Path, readable: Path) -> str:
    """Return why a file that was named, and whose name is not one of an image, is no scan."""
    if begins_as_dicom(readable):
        return f"A DICOM file; {DICOM_ADVICE.format(path.parent.name)}."
    return f"Not a scan; names of scans end in {', '.join(IMAGE_SUFFIXES)}."


def placeholder(path: Path) -> str:
    """Return why a file cannot be read, or what it is a placeholder of; empty for others."""
    start = _start_of(path)
    if isinstance(start, str):
        return start
    kind = stand_in(start)
    return f"It is {kind}." if kind else ""


def labels(path: Path) -> str:
    """Return that a file holds a mask or labels, if its name suggests it and its voxels agree."""
    if not (_MAY_BE_LABELS.search(image_stem(path)) or suffix_of(path) in ("mask", "dseg")):
        return ""
    try:
        content = open_image(path).content
    except CowganError:
        # Reading it as a scan reports the error.
        return ""
    return "" if content == IMAGE else f"It is a {content}: {LABELS}."


def _start_of(path: Path) -> bytes | str:
    """Return the first bytes of a file, or a sentence on why it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read(BYTES_NEEDED)
    except CowganError as error:
        return error.sentence
    except OSError as error:
        return f"It could not be read: {error.strerror or error}."
