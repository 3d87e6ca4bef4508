import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from napari.layers import Image, Layer
from scipy.spatial.transform import Rotation

from cowgan.errors import CowganError
from cowgan.volume import Volume, default_affine
from napari_cowgan.viewer.display import (
    contrast_limits,
    display_array,
    display_metadata,
    display_transform,
    layer_to_volume,
    volume_to_layer,
)

SHAPE = (4, 6, 8)
NEGATIVE = {"scale": (-2, -1.5, -1), "translate": (6, 10.5, 5)}


@pytest.fixture
def volume() -> Volume:
    data = np.random.default_rng(0).random(SHAPE, np.float32)
    return Volume(data, default_affine(SHAPE), {"synthetic": True, "state": {"seed": 3}})


def layer_of(volume: Volume) -> Image:
    return Layer.create(*volume_to_layer(volume, "v"))


def volume_of(layer: Layer) -> Volume:
    return layer_to_volume(*layer.as_layer_data_tuple()[:2])


def test_layer_is_in_mm_and_carries_its_history(volume):
    layer = layer_of(volume)
    assert layer.data.shape == (4, 8, 6)
    assert layer.data.dtype == np.float32
    assert [str(unit) for unit in layer.units] == ["millimeter"] * 3
    assert layer.axis_labels == ("z", "y", "x")
    assert np.allclose(layer.scale, (-0.62, -0.61875, -0.61875))
    assert np.allclose(layer.extent.world[0], 0)
    assert layer.rendering == "mip"
    assert layer.colormap.name == "gray"
    own = layer.metadata["cowgan"]
    assert own == json.loads(json.dumps(own))
    assert own["synthetic"] is True
    assert own["affine"] == volume.affine.tolist()
    assert own["provenance"] == volume.provenance


def test_display_array_is_a_contiguous_copy(volume):
    shown = display_array(volume)
    assert shown.flags.c_contiguous
    assert not np.shares_memory(shown, volume.data)
    one = Volume(np.zeros((1, 1, 1)), default_affine((1, 1, 1)))
    assert not np.shares_memory(display_array(one), one.data)


@settings(max_examples=40, deadline=None)
@given(
    data=arrays(
        np.float32,
        array_shapes(min_dims=3, max_dims=3, max_side=4),
        elements=st.floats(-1e6, 1e6, width=32),
    ),
    spacing=st.tuples(*[st.floats(0.1, 5)] * 3),
    angles=st.tuples(*[st.floats(-30, 30)] * 3),
    origin=st.tuples(*[st.floats(-200, 200)] * 3),
)
def test_layer_and_volume_are_exact_inverses(data, spacing, angles, origin):
    affine = default_affine(data.shape, spacing)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() @ affine[:3, :3]
    affine[:3, 3] = origin
    volume = Volume(data, affine, {"synthetic": True})
    back = layer_to_volume(*volume_to_layer(volume, "v")[:2])
    assert np.array_equal(back.data, data)
    assert np.allclose(back.affine, affine, atol=1e-9)
    assert back.provenance == volume.provenance


def test_a_refreshed_layer_gives_the_new_volume(volume):
    layer = layer_of(volume)
    other = Volume(np.ones((2, 6, 10)), default_affine((2, 6, 10), (1, 1, 1)), {"seed": 9})
    layer.data = display_array(other)
    layer.metadata["cowgan"] = display_metadata(other)
    for name, value in display_transform(other).items():
        setattr(layer, name, value)
    back = volume_of(layer)
    assert back.shape == other.shape
    assert np.allclose(back.affine, other.affine)
    assert back.provenance == {"seed": 9}


def test_a_crop_made_in_napari_keeps_its_true_place(volume):
    data, state, _ = layer_of(volume).as_layer_data_tuple()
    corner = (1, 2, 1)
    state["translate"] = np.array(state["translate"]) + np.array(corner) * state["scale"]
    cropped = layer_to_volume(data[1:, 2:7, 1:], state)
    assert np.array_equal(cropped.data, volume.data[1:, :-1, 2:7])
    assert np.allclose(cropped.affine @ [0, 0, 0, 1], volume.affine @ [0, 2, 1, 1])
    assert np.allclose(cropped.affine[:3, :3], volume.affine[:3, :3])


def test_a_layer_flipped_as_a_whole_still_knows_left(volume):
    data, state, _ = layer_of(volume).as_layer_data_tuple()
    state["scale"] = np.array(state["scale"]) * (1, 1, -1)
    state["translate"] = np.array(state["translate"]) * (1, 1, 0)
    back = layer_to_volume(data[:, :, ::-1], state)
    assert np.array_equal(back.data, volume.data)
    assert np.allclose(back.affine, volume.affine)


def test_the_synthetic_mark_survives_lost_provenance(volume):
    data, state, _ = layer_of(volume).as_layer_data_tuple()
    state["metadata"]["cowgan"]["provenance"] = {}
    assert layer_to_volume(data, state).synthetic


@pytest.mark.parametrize("use", ["scale", "affine"])
def test_a_foreign_layer_in_the_same_convention_is_accepted(use):
    data = np.random.default_rng(0).random((4, 8, 6), np.float32)
    affine = np.diag([*NEGATIVE["scale"], 1.0])
    affine[:3, 3] = NEGATIVE["translate"]
    layer = Image(data, **(NEGATIVE if use == "scale" else {"affine": affine}))
    volume = volume_of(layer)
    assert volume.spacing_mm == pytest.approx((2, 1, 1.5))
    assert np.array_equal(volume.data, data[:, :, ::-1].transpose(0, 2, 1))
    assert volume.provenance["sources"][0]["position"].startswith("unknown")
    assert not volume.synthetic


def test_units_of_a_foreign_layer_become_mm():
    layer = Image(np.zeros((4, 8, 6)), units="um", **NEGATIVE)
    assert volume_of(layer).spacing_mm == pytest.approx((2e-3, 1e-3, 1.5e-3))
    layer = Image(np.zeros((4, 8, 6)), units="second", **NEGATIVE)
    with pytest.raises(CowganError, match="measured in second"):
        volume_of(layer)


@pytest.mark.parametrize(
    "transform",
    [
        {},
        {"scale": (2, 1, 1)},
        {"scale": (-2, -1, 1)},
        {**NEGATIVE, "rotate": (10, 0, 0)},
        {**NEGATIVE, "shear": (0.1, 0, 0)},
    ],
)
def test_a_foreign_layer_without_a_known_left_is_refused(transform):
    layer = Image(np.zeros((4, 8, 6)), name="scan", **transform)
    with pytest.raises(CowganError, match="'scan' does not state which side is the patient's left"):
        volume_of(layer)


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (Image(np.zeros((5, 6))), "has 2 dimensions"),
        (Image(np.zeros((2, 4, 5, 6))), "has 4 dimensions"),
        (Image(np.zeros((5, 6, 7, 3)), rgb=True), "colour or multiscale"),
        (Image([np.zeros((8, 8, 8)), np.zeros((4, 4, 4))], multiscale=True), "multiscale"),
    ],
)
def test_other_layers_are_refused_in_one_sentence(layer, sentence):
    with pytest.raises(CowganError, match=sentence):
        volume_of(layer)


def test_contrast_limits_of_constant_and_sparse_volumes_are_valid():
    assert contrast_limits(Volume(np.zeros(SHAPE), default_affine(SHAPE))) == (0, 1)
    sparse = np.zeros((20, 20, 20))
    sparse[0, 0, 0] = 700
    assert contrast_limits(Volume(sparse, default_affine((20, 20, 20)))) == (0, 700)
