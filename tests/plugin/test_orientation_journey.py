"""A marker on the patient's left, followed from a file to the screen and back to a file."""

from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.layers import Layer
from nibabel.affines import apply_affine
from nibabel.orientations import axcodes2ornt, ornt_transform
from scipy.spatial.transform import Rotation

from cowgan.volume import read_volume
from napari_cowgan.file_writers import write_image
from napari_cowgan.viewer.display import volume_to_layer

MARKERS = {"left": 1.0, "superior": 2.0, "anterior": 3.0}
RAS_INDEX = {"left": (1, 5, 4), "superior": (6, 5, 7), "anterior": (6, 9, 4)}
RAS_CENTRE = (6, 5, 4)
ALL_AXIS_CODES = [
    "".join(codes) for order in permutations(("LR", "PA", "IS")) for codes in product(*order)
]
TILTS = {"straight": (0, 0, 0), "oblique": (12, -17, 23)}


def phantom(path: Path, axis_codes: str, tilt: tuple[float, ...]) -> dict[str, np.ndarray]:
    """Write the markers in one orientation and return their world coordinates (mm, RAS+)."""
    array = np.zeros((13, 11, 9), np.float32)
    affine = np.eye(4)
    rotation = Rotation.from_euler("xyz", tilt, degrees=True).as_matrix()
    affine[:3, :3] = rotation @ np.diag([0.5, 0.75, 1.25])
    affine[:3, 3] = (-31, 17, 44)
    for name, index in RAS_INDEX.items():
        array[index] = MARKERS[name]
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(axis_codes))
    image = nib.Nifti1Image(array, affine).as_reoriented(turn)
    assert "".join(nib.aff2axcodes(image.affine)) == axis_codes
    nib.save(image, path)
    positions = {name: apply_affine(affine, index) for name, index in RAS_INDEX.items()}
    return positions | {"centre": apply_affine(affine, RAS_CENTRE)}


def index_of(array: np.ndarray, marker: str) -> np.ndarray:
    (index,) = np.argwhere(array == MARKERS[marker])
    return index


@pytest.mark.parametrize("tilt", TILTS)
@pytest.mark.parametrize("axis_codes", ALL_AXIS_CODES)
def test_markers_keep_their_side_from_file_to_layer_and_back(tmp_path, axis_codes, tilt):
    expected = phantom(tmp_path / "in.nii.gz", axis_codes, TILTS[tilt])

    volume = read_volume(tmp_path / "in.nii.gz")
    assert nib.aff2axcodes(volume.affine) == ("L", "A", "S")
    for name in MARKERS:
        z, x, y = index_of(volume.data, name)
        assert np.allclose(apply_affine(volume.affine, (x, y, z)), expected[name], atol=1e-4)
    assert index_of(volume.data, "superior")[0] > 4
    assert index_of(volume.data, "left")[1] > 6
    assert index_of(volume.data, "anterior")[2] > 5

    layer = Layer.create(*volume_to_layer(volume, "phantom"))
    assert layer.data.shape == (9, 11, 13)
    centre = np.array(layer.data_to_world((4, 5, 6)))
    shown = {
        name: np.array(layer.data_to_world(index_of(layer.data, name))) - centre for name in MARKERS
    }
    assert np.allclose(shown["superior"], (-3 * 1.25, 0, 0))
    assert np.allclose(shown["anterior"], (0, -4 * 0.75, 0))
    assert np.allclose(shown["left"], (0, 0, 5 * 0.5))

    # Both frames must have the same handedness, or the patient would be mirrored in 3D.
    in_world = np.stack([expected[name] - expected["centre"] for name in MARKERS])
    in_napari = np.stack([shown[name] for name in MARKERS])
    assert np.linalg.det(in_world) * np.linalg.det(in_napari) > 0

    data, state, kind = layer.as_layer_data_tuple()
    assert kind == "image"
    write_image(str(tmp_path / "out.nii.gz"), data, state)
    written = nib.load(tmp_path / "out.nii.gz")
    for name in MARKERS:
        index = index_of(written.get_fdata(), name)
        assert np.allclose(apply_affine(written.affine, index), expected[name], atol=1e-4)
