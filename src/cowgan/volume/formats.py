"""Which file names are those of images, and what is left of a name without its suffix."""

from pathlib import Path

NIFTI_SUFFIXES = (".nii.gz", ".nii")
PAIR_SUFFIXES = (".hdr", ".img", ".hdr.gz", ".img.gz")
"""Of images whose header and voxels lie in two files."""
VOXEL_SUFFIXES = (".img", ".img.gz")
"""Of those two files, the one with the voxels."""
ITK_SUFFIXES = (".mha", ".mhd", ".nrrd", ".nhdr")
DICOM_SUFFIXES = (".dcm", ".ima", ".dicom")
IMAGE_SUFFIXES = (*NIFTI_SUFFIXES, *ITK_SUFFIXES)
"""Of files that are looked for in folders; other formats are read where they are named."""

READABLE = "NIfTI (.nii, .nii.gz), MetaImage (.mha, .mhd), NRRD (.nrrd, .nhdr) and DICOM"

READABLE_SUFFIXES = (*IMAGE_SUFFIXES, *reversed(PAIR_SUFFIXES), *DICOM_SUFFIXES)
"""Of files that are certainly meant to be images."""


def has_suffix(path: Path, suffixes: tuple[str, ...]) -> bool:
    """Tell whether a file name has one of some suffixes, in any case."""
    return Path(path).name.lower().endswith(suffixes)


def has_nifti_suffix(path: Path) -> bool:
    """Tell whether a file name ends in .nii or .nii.gz, in any case."""
    return has_suffix(path, NIFTI_SUFFIXES)


def is_image_name(path: Path) -> bool:
    """Tell whether a file name is one of an image that is looked for in folders."""
    return has_suffix(path, IMAGE_SUFFIXES)


def image_stem(path: Path) -> str:
    """Return the file name of an image without its suffix."""
    name = Path(path).name
    for suffix in READABLE_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name
