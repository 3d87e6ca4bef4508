"""File writers: image and labels layers become NIfTI files with provenance sidecars."""

from pathlib import Path
from typing import Any


def write_image(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write an image layer to .nii or .nii.gz.

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
        See `napari_cowgan.viewer.display.layer_to_volume` and `cowgan.volume.write_nifti`.
    """
    from cowgan.volume import sidecar_path, write_nifti
    from napari_cowgan.viewer.display import layer_to_volume

    target = Path(path)
    write_nifti(layer_to_volume(data, meta), target)
    return [str(target), str(sidecar_path(target))]


def write_label_map(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write a labels layer to .nii or .nii.gz, as uint8.

    Parameters, result and errors are those of `write_image`; see also
    `napari_cowgan.viewer.display.layer_to_labels`.
    """
    from cowgan.volume import sidecar_path, write_labels
    from napari_cowgan.viewer.display import layer_to_labels

    target = Path(path)
    labels, affine, provenance = layer_to_labels(data, meta)
    write_labels(labels, affine, target, provenance)
    return [str(target), str(sidecar_path(target))]
