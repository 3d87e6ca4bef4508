"""Volumes and label maps of known orientation: reading, writing and projections."""

from cowgan.volume.image_reading import (
    OpenedImage,
    image_sha256,
    open_image,
    read_labels,
    read_volume,
    stored_axes,
)
from cowgan.volume.nifti_writing import write_labels, write_nifti
from cowgan.volume.orientation import affine_with_axes, reorient_to_las
from cowgan.volume.placement import ImpossibleSizeError, Units
from cowgan.volume.projection import Plane, mip, thumbnail
from cowgan.volume.sidecar import sidecar_path
from cowgan.volume.volume import DEFAULT_SPACING_MM, Volume, default_affine, remarks_in

__all__ = [
    "DEFAULT_SPACING_MM",
    "ImpossibleSizeError",
    "OpenedImage",
    "Plane",
    "Units",
    "Volume",
    "affine_with_axes",
    "default_affine",
    "image_sha256",
    "mip",
    "open_image",
    "read_labels",
    "read_volume",
    "remarks_in",
    "reorient_to_las",
    "sidecar_path",
    "stored_axes",
    "thumbnail",
    "write_labels",
    "write_nifti",
]
