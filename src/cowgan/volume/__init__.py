"""Volumes and label maps with a known left and right: NIfTI files, and flat pictures."""

from cowgan.volume.nifti import read_labels, read_nifti, write_labels, write_nifti
from cowgan.volume.orientation import reorient_to_las
from cowgan.volume.projection import Plane, mip, thumbnail
from cowgan.volume.sidecar import sidecar_path
from cowgan.volume.volume import DEFAULT_SPACING_MM, Volume, default_affine

__all__ = [
    "DEFAULT_SPACING_MM",
    "Plane",
    "Volume",
    "default_affine",
    "mip",
    "read_labels",
    "read_nifti",
    "reorient_to_las",
    "sidecar_path",
    "thumbnail",
    "write_labels",
    "write_nifti",
]
