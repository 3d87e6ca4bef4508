"""File name suffixes of image formats."""

from pathlib import Path

NIFTI_SUFFIXES = (".nii.gz", ".nii")
PAIR_SUFFIXES = (".hdr", ".img", ".hdr.gz", ".img.gz")
"""Formats that store header and voxels in two files."""
VOXEL_SUFFIXES = (".img", ".img.gz")
"""The voxel files of such pairs."""
ITK_SUFFIXES = (".mha", ".mhd", ".nrrd", ".nhdr")
DICOM_SUFFIXES = (".dcm", ".ima", ".dicom")
IMAGE_SUFFIXES = (*NIFTI_SUFFIXES, *ITK_SUFFIXES)
"""Formats that folder searches find; others are read when named explicitly."""

READABLE = "NIfTI (.nii, .nii.gz), MetaImage (.mha, .mhd), NRRD (.nrrd, .nhdr) and DICOM"

READABLE_SUFFIXES = (*IMAGE_SUFFIXES, *reversed(PAIR_SUFFIXES), *DICOM_SUFFIXES)
"""Suffixes of all readable image files."""


def has_suffix(path: Path, suffixes: tuple[str, ...]) -> bool:
    """Return whether a file name has one of some suffixes, in any case."""
    return Path(path).name.lower().endswith(suffixes)


def has_nifti_suffix(path: Path) -> bool:
    """Return whether a file name ends in .nii or .nii.gz, in any case."""
    return has_suffix(path, NIFTI_SUFFIXES)


def is_image_name(path: Path) -> bool:
    """Return whether a folder search takes a file name for an image."""
    return has_suffix(path, IMAGE_SUFFIXES)


def image_stem(path: Path) -> str:
    """Return the file name of an image without its suffix."""
    name = Path(path).name
    for suffix in READABLE_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name
