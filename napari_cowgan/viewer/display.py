"""Conversion of volumes and label maps to napari layers and back; nothing else converts them.

napari draws index 0 of each axis at the far side, the top and the left. A layer made here
is ordered superior, anterior, right (SAR+) with a negative diagonal scale, so its world
axes point inferior, posterior and left: a right-handed frame, in which the patient is not
mirrored in 3D and an axial slice has anterior up and the patient's right on the left.
napari-nifti uses the same convention. Oblique volumes are shown along their own axes; the
true affine travels in ``layer.metadata["cowgan"]``.
"""

# nibabel is only partly typed.
# mypy: allow-untyped-calls

from collections.abc import Sequence
from typing import Any

import numpy as np
from nibabel.affines import voxel_sizes
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation
from numpy.typing import ArrayLike, NDArray

from cowgan.anatomy.label_schemes import TOPCOW_2024, LabelScheme, scheme_named
from cowgan.errors import CowganError
from cowgan.volume import Volume, default_affine
from napari_cowgan.viewer import artery_colours

LayerData = tuple[NDArray[Any], dict[str, Any], str]

_METADATA_KEY = "cowgan"
_MM_PER_UNIT = {
    "pixel": 1.0,
    "millimeter": 1.0,
    "mm": 1.0,
    "micrometer": 1e-3,
    "um": 1e-3,
    "centimeter": 10.0,
    "cm": 10.0,
    "meter": 1e3,
    "m": 1e3,
}
_CONTRAST_SAMPLE_VOXELS = 1_000_000


def volume_to_layer(volume: Volume, name: str = "volume") -> LayerData:
    """Return the napari image layer that shows a volume.

    Parameters
    ----------
    volume : Volume
        The volume to show.
    name : str
        Name in the layer list.

    Returns
    -------
    tuple of (ndarray, dict, str)
        A napari LayerData tuple: float32 array of shape (z, y, x) in SAR+ order, keyword
        arguments of the layer, ``"image"``.
    """
    return (
        display_array(volume),
        {
            **_options(volume, name),
            "colormap": "gray",
            "rendering": "mip",
            "contrast_limits": contrast_limits(volume),
        },
        "image",
    )


def labels_to_layer(
    labels: NDArray[np.uint8],
    affine: NDArray[np.float64],
    name: str = "labels",
    provenance: dict[str, Any] | None = None,
) -> LayerData:
    """Return the napari labels layer that shows a label map.

    Labels of a known scheme get their colours, and their names under the pointer; other label
    maps get napari's own colours. A map whose scheme is not stated may be one of TopCoW: see
    `napari_cowgan.viewer.artery_colours.are_arteries`.

    Parameters
    ----------
    labels, affine
        As `cowgan.volume.read_labels` returns them.
    name : str
        Name in the layer list.
    provenance : dict, optional
        As in `Volume`; an entry ``"labels"`` names the scheme of the values.

    Returns
    -------
    tuple of (ndarray, dict, str)
        A napari LayerData tuple: uint8 array of shape (z, y, x) in SAR+ order, keyword
        arguments of the layer, ``"labels"``.
    """
    volume = Volume(labels.astype(np.float32), affine, provenance or {})
    options = {**_options(volume, name), "opacity": 1.0, "iso_gradient_mode": "smooth"}
    values = artery_colours.label_values(labels)
    scheme = scheme_named(volume.provenance.get("labels"))
    if "labels" not in volume.provenance and artery_colours.are_arteries(values):
        scheme = TOPCOW_2024
    if scheme is not None:
        options |= {
            "colormap": artery_colours.colour_table(scheme=scheme),
            "features": artery_colours.features(values, scheme),
        }
    return display_order(np.asarray(labels, np.uint8)), options, "labels"


def display_array(volume: Volume) -> NDArray[np.float32]:
    """Return the voxels as a layer shows them: shape (z, y, x), SAR+, a contiguous copy.

    Assign it to ``layer.data`` to refresh a layer, together with `display_metadata` (and
    `display_transform` if the shape or spacing changed).
    """
    return display_order(volume.data)


def display_transform(volume: Volume) -> dict[str, tuple[float, ...]]:
    """Return ``scale`` and ``translate`` in mm, axis order (z, y, x), of a volume's layer."""
    return _transform(volume.affine, volume.shape)


def display_metadata(volume: Volume) -> dict[str, Any]:
    """Return the content of ``layer.metadata["cowgan"]``, JSON-serialisable."""
    return {
        "affine": volume.affine.tolist(),
        "shape": list(volume.shape),
        "provenance": volume.provenance,
        "synthetic": volume.synthetic,
    }


def contrast_limits(volume: Volume) -> tuple[float, float]:
    """Return display limits: the 1st and 99.9th percentile of (a sample of) the voxels."""
    step = max(1, volume.data.size // _CONTRAST_SAMPLE_VOXELS)
    low, high = (float(p) for p in np.percentile(volume.data.ravel()[::step], (1, 99.9)))
    return (low, high) if high > low else (low, max(float(volume.data.max()), low + 1.0))


def layer_to_volume(data: ArrayLike, meta: dict[str, Any]) -> Volume:
    """Return the volume that a napari image layer shows.

    A layer made by `volume_to_layer` gets its true affine and provenance back, updated for
    cropping, flipping, moving or rescaling in napari. Any other layer is accepted only if its
    orientation is certain: a purely negative diagonal transform, the convention of this plugin
    and of napari-nifti. Its position in the scanner is unknown, so the volume is centred on
    the origin and the provenance says so.

    Parameters
    ----------
    data : array-like, shape (z, y, x)
        ``layer.data``.
    meta : dict
        The state of the layer, second item of ``layer.as_layer_data_tuple()``.

    Raises
    ------
    CowganError
        The layer is not a single real-valued 3D image, or its left and right are unknown.
    """
    name = meta.get("name") or "image"
    if meta.get("rgb") or meta.get("multiscale"):
        raise CowganError(f"The layer {name!r} is a colour or multiscale image, not a volume.")
    array = np.asarray(data)
    if array.ndim != 3:
        raise CowganError(f"The layer {name!r} has {array.ndim} dimensions; a volume has 3.")
    to_world_mm = _data_to_world_mm(meta, name)
    own = (meta.get("metadata") or {}).get(_METADATA_KEY)
    if isinstance(own, dict) and "affine" in own and "shape" in own:
        return _from_own_layer(array, to_world_mm, own)
    return _from_foreign_layer(array, to_world_mm, name)


def layer_to_labels(
    data: ArrayLike, meta: dict[str, Any]
) -> tuple[NDArray[np.uint8], NDArray[np.float64], dict[str, Any]]:
    """Return the label map that a napari labels layer shows, its affine and its provenance.

    Changes to the layer are treated as in `layer_to_volume`. The provenance names the scheme of
    the values.

    Raises
    ------
    CowganError
        As for `layer_to_volume`, or a label is not between 0 and 255.
    """
    array = np.asarray(data)
    if array.size and (array.min() < 0 or array.max() > 255):
        name = meta.get("name") or "labels"
        raise CowganError(
            f"The layer {name!r} has labels outside 0 to 255, which a label map cannot hold."
        )
    volume = layer_to_volume(array, meta)
    scheme = scheme_of_layer(meta.get("features"), volume.provenance)
    name = "unnamed" if scheme is None else scheme.name
    return volume.data.astype(np.uint8), volume.affine, {**volume.provenance, "labels": name}


def scheme_of_layer(features: Any, provenance: dict[str, Any]) -> LabelScheme | None:
    """Return the scheme of a labels layer; None if it is unknown.

    Parameters
    ----------
    features : DataFrame or None
        ``layer.features``, which name arteries of TopCoW 2024.
    provenance : dict
        Names other schemes; see `labels_to_layer`.
    """
    # A pandas table, whose truth value is undefined.
    if features is not None and artery_colours.FEATURE in features:
        return TOPCOW_2024
    return scheme_named(provenance.get("labels"))


def _from_own_layer(
    array: NDArray[Any], to_world_mm: NDArray[np.float64], own: dict[str, Any]
) -> Volume:
    provenance = dict(own.get("provenance") or {})
    if own.get("synthetic"):
        provenance["synthetic"] = True
    shown_affine, shown_shape = np.array(own["affine"]), own["shape"]
    # From voxels of the layer to the voxels that were originally shown.
    moved = np.linalg.inv(_display_affine(shown_affine, shown_shape)) @ to_world_mm
    turn = io_orientation(moved)
    turned = apply_orientation(array, turn)
    moved = moved @ inv_ornt_aff(turn, array.shape)
    affine = (
        shown_affine
        @ _display_to_las(shown_shape[1])
        @ moved
        @ np.linalg.inv(_display_to_las(turned.shape[2]))
    )
    return Volume(network_order(turned), affine, provenance)


def _from_foreign_layer(array: NDArray[Any], to_world_mm: NDArray[np.float64], name: str) -> Volume:
    directions = to_world_mm[:3, :3]
    step = np.diag(directions)
    if (step >= 0).any() or not np.allclose(directions, np.diag(step), atol=1e-6):
        raise CowganError(
            f"The layer {name!r} does not state which side is the patient's left, so it cannot "
            "be saved as a volume; open the image from a NIfTI file instead.",
            f"data to world {to_world_mm.tolist()}",
        )
    volume_data = network_order(array)
    sz, sy, sx = (-step).tolist()
    nz, nx, ny = volume_data.shape
    affine = default_affine((nz, nx, ny), (sz, sx, sy))
    provenance = {"sources": [{"layer": name, "position": "unknown, centred on the origin"}]}
    return Volume(volume_data, affine, provenance)


def _options(volume: Volume, name: str) -> dict[str, Any]:
    return {
        "name": name,
        **display_transform(volume),
        "units": "mm",
        "axis_labels": ("z", "y", "x"),
        "metadata": {_METADATA_KEY: display_metadata(volume)},
    }


def display_order(network_array: NDArray[Any]) -> NDArray[Any]:
    """Turn network order (z, x, y) into SAR+ (z, y, x), a contiguous copy."""
    return network_array.transpose(0, 2, 1)[:, :, ::-1].copy()


def display_index(voxel: Sequence[float], n_left_right: int) -> tuple[float, float, float]:
    """Return where a layer in SAR+ order (z, y, x) shows a voxel (z, x, y)."""
    z, x, y = voxel
    return z, y, n_left_right - 1 - x


def network_voxel(index: Sequence[float], n_left_right: int) -> tuple[float, float, float]:
    """Return the voxel (z, x, y) that a layer in SAR+ order shows at an index (z, y, x)."""
    z, y, x = index
    return z, n_left_right - 1 - x, y


def network_order(sar: NDArray[Any]) -> NDArray[Any]:
    """Undo `display_order`: SAR+ (z, y, x) to network order (z, x, y)."""
    return np.ascontiguousarray(sar[:, :, ::-1].transpose(0, 2, 1))


def _display_to_las(n_left_right: int) -> NDArray[np.float64]:
    """Return the matrix from a display index (z, y, x) to the LAS voxel index (x, y, z)."""
    return np.array(
        [[0, 0, -1, n_left_right - 1], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]],
        dtype=np.float64,
    )


def _transform(
    affine: NDArray[np.float64], shape_zxy: Sequence[int]
) -> dict[str, tuple[float, ...]]:
    sx, sy, sz = (float(size) for size in voxel_sizes(affine))
    return transform_of_grid((sz, sx, sy), shape_zxy)


def transform_of_grid(
    spacing_mm: Sequence[float], shape_zxy: Sequence[int]
) -> dict[str, tuple[float, ...]]:
    """Return ``scale`` and ``translate`` in mm, axis order (z, y, x), of voxels (z, x, y)."""
    sz, sx, sy = spacing_mm
    nz, nx, ny = shape_zxy
    return {
        "scale": (-sz, -sy, -sx),
        "translate": ((nz - 1) * sz, (ny - 1) * sy, (nx - 1) * sx),
    }


def _display_affine(
    las_affine: NDArray[np.float64], shape_zxy: Sequence[int]
) -> NDArray[np.float64]:
    transform = _transform(las_affine, shape_zxy)
    affine = np.diag([*transform["scale"], 1.0])
    affine[:3, 3] = transform["translate"]
    return affine


def _data_to_world_mm(meta: dict[str, Any], name: str) -> NDArray[np.float64]:
    """Return the 4x4 matrix from the layer's data index to napari's world, in mm."""
    # Imported here because napari is slow to import and not needed by the callers without layers.
    from napari.utils.transforms import Affine

    inner = Affine(
        scale=_or(meta.get("scale"), np.ones(3)),
        translate=_or(meta.get("translate"), np.zeros(3)),
        rotate=_or(meta.get("rotate"), np.eye(3)),
        shear=_or(meta.get("shear"), np.zeros(3)),
    )
    outer = np.asarray(getattr(meta.get("affine"), "affine_matrix", meta.get("affine")))
    if outer.shape != (4, 4):
        outer = np.eye(4)
    to_mm = np.diag([*_mm_per_unit(meta.get("units"), name), 1.0])
    matrix: NDArray[np.float64] = to_mm @ outer @ inner.affine_matrix
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:3, :3])) < 1e-12:
        raise CowganError(f"The layer {name!r} has no extent: one of its scales is zero.")
    return matrix


def _or(value: Any, default: NDArray[np.float64]) -> NDArray[np.float64]:
    return default if value is None else np.asarray(value, dtype=np.float64)


def _mm_per_unit(units: Any, name: str) -> list[float]:
    if units is None:
        return [1.0] * 3
    names = [units] * 3 if isinstance(units, str) else [str(unit) for unit in units]
    unknown = [unit for unit in names if unit not in _MM_PER_UNIT]
    if unknown:
        raise CowganError(f"The layer {name!r} is measured in {unknown[0]}, not in millimetres.")
    return [_MM_PER_UNIT[unit] for unit in names]
