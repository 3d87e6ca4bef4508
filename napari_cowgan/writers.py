"""Saving an image layer as NIfTI with its history beside it."""

from pathlib import Path
from typing import Any


def write_image(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write one image layer to .nii or .nii.gz.

    Parameters
    ----------
    path : str
        Target file.
    data : array-like, shape (z, y, x)
        ``layer.data``.
    meta : dict
        State of the layer.

    Returns
    -------
    list of str
        The image and its JSON sidecar.

    Raises
    ------
    CowganError
        See `napari_cowgan.display.layer_to_volume` and `cowgan.volume.write_nifti`.
    """
    from cowgan.volume import sidecar_path, write_nifti
    from napari_cowgan.display import layer_to_volume

    target = Path(path)
    write_nifti(layer_to_volume(data, meta), target)
    return [str(target), str(sidecar_path(target))]
