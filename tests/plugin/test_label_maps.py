"""Label maps: recognised, coloured, named, saved, and never mirrored."""

from itertools import combinations
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.colormaps import DirectLabelColormap
from nibabel.affines import apply_affine
from nibabel.orientations import axcodes2ornt, ornt_transform
from skimage.color import deltaE_ciede2000, rgb2lab

from cowgan.anatomy.arteries import LABEL_SCHEME, Artery
from cowgan.errors import CowganError
from cowgan.volume import default_affine, read_labels, read_volume, write_labels
from napari_cowgan.file_readers import read_image
from napari_cowgan.file_writers import write_label_map
from napari_cowgan.viewer.artery_colours import COLOURS, UNKNOWN_COLOUR, colour_table, name_of
from napari_cowgan.viewer.display import labels_to_layer, layer_to_labels, volume_to_layer

SHAPE = (5, 9, 7)
PAIRS = [(a, a.name.replace("R_", "L_")) for a in Artery if a.name.startswith("R_")]
MEETING = [
    *combinations(("BA", "R_PCA", "L_PCA"), 2),
    *combinations(("ACOM", "R_ACA", "L_ACA", "THIRD_A2"), 2),
    *(
        (f"{side}_{a}", f"{side}_{b}")
        for side in "RL"
        for a, b in (
            ("ICA", "MCA"),
            ("ICA", "ACA"),
            ("MCA", "ACA"),
            ("ICA", "PCOM"),
            ("PCOM", "PCA"),
        )
    ),
]
# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
VISION = {
    "all cones": np.eye(3),
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def seen_as(colour: str, vision: str) -> np.ndarray:
    """Return the CIELAB values of a colour as seen with that colour vision."""
    value = rgb(colour)
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.asarray(VISION[vision]) @ linear, 0, 1)
    return rgb2lab(
        np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    )


def difference(a: Artery, b: Artery, vision: str = "all cones") -> float:
    return float(deltaE_ciede2000(seen_as(COLOURS[a], vision), seen_as(COLOURS[b], vision)))


def arteries_map() -> np.ndarray:
    """Return a label map with each artery's value once, on background."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[2, 3, : len(Artery) // 2] = list(Artery)[: len(Artery) // 2]
    labels[3, 3, : len(Artery) - len(Artery) // 2] = list(Artery)[len(Artery) // 2 :]
    return labels


def save(path: Path, array: np.ndarray, intent: str = "none") -> Path:
    image = nib.Nifti1Image(array, np.diag([-0.5, 0.5, 0.7, 1]))
    image.header.set_intent(intent)
    nib.save(image, path)
    return path


def opened(path: Path) -> Layer:
    (layer,) = read_image(str(path))
    return Layer.create(*layer)


# Colours and names


def test_all_thirteen_arteries_have_a_colour_that_is_theirs():
    assert list(COLOURS) == list(Artery)
    colours = [*COLOURS.values(), UNKNOWN_COLOUR]
    assert len(set(colours)) == 14
    assert min(difference(a, b) for a, b in combinations(Artery, 2)) > 14
    assert min(float(rgb2lab(rgb(colour))[0]) for colour in colours) > 40, "too dark to be seen"


@pytest.mark.parametrize("vision", VISION)
def test_arteries_that_meet_stay_apart_for_everyone(vision):
    for a, b in MEETING:
        assert difference(Artery[a], Artery[b], vision) > 11, (a, b)


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("right", "left"), PAIRS)
def test_the_sides_of_a_pair_are_related_yet_never_confused(right, left, vision):
    left = Artery[left]
    _, *right_tint = rgb2lab(rgb(COLOURS[right]))
    _, *left_tint = rgb2lab(rgb(COLOURS[left]))
    turn = np.angle(complex(*right_tint) / complex(*left_tint), deg=True)
    assert abs(turn) < 20
    assert difference(right, left, vision) > 12
    assert seen_as(COLOURS[right], vision)[0] > seen_as(COLOURS[left], vision)[0] + 6


def status_at(layer: Layer, value: int) -> str:
    """Return the status bar text over a label value of the layer."""
    viewer = ViewerModel()
    viewer.add_layer(layer)
    position = layer.data_to_world(np.argwhere(layer.data == value)[0])
    viewer.dims.set_point((0, 1, 2), position)
    return layer.get_status(position, world=True)["value"]


def test_the_status_bar_names_the_artery_under_the_pointer():
    layer = Layer.create(*labels_to_layer(arteries_map(), default_affine(SHAPE)))
    for artery in Artery:
        assert status_at(layer, artery) == f"{artery.value}; artery: {name_of(artery)}"
        assert np.allclose(layer.get_color(artery.value)[:3], rgb(COLOURS[artery]), atol=1e-3)
    assert name_of(Artery.R_PCOM) == "R-PCom, right posterior communicating artery"
    assert status_at(layer, 0) == "0"


def test_unknown_values_are_visible_and_called_unknown():
    labels = arteries_map()
    labels[0, 0, 0] = 13
    provenance = {"labels": LABEL_SCHEME}
    layer = Layer.create(*labels_to_layer(labels, default_affine(SHAPE), "x", provenance))
    assert np.allclose(layer.get_color(13)[:3], rgb(UNKNOWN_COLOUR), atol=1e-3)
    assert layer.get_color(13)[3] == 1
    assert status_at(layer, 13) == "13; artery: unknown label"


def test_hidden_arteries_are_transparent_and_the_ground_always_is():
    table = DirectLabelColormap(color_dict=colour_table({Artery.BA}))
    alpha = table.map(np.arange(17, dtype=np.uint8))[:, 3]
    assert list(np.flatnonzero(alpha == 0)) == [0, Artery.BA]


# Labels or image


def test_a_topcow_file_opens_as_arteries(shared_dir):
    layer = opened(shared_dir / "data" / "topcow_mr_003_label.nii.gz")
    assert isinstance(layer, Labels)
    assert layer.name == "topcow_mr_003_label"
    assert "artery" in layer.features
    assert layer.data.dtype == np.uint8
    assert [str(unit) for unit in layer.units] == ["millimeter"] * 3

    # Right arteries are on the right: high indices of the last axis (SAR+).
    for right, left in PAIRS:
        right_at = np.argwhere(layer.data == right)[:, 2].mean()
        assert right_at > np.argwhere(layer.data == Artery[left])[:, 2].mean()
    anterior = np.argwhere(layer.data == Artery.ACOM)[:, 1].mean()
    assert anterior > np.argwhere(layer.data == Artery.BA)[:, 1].mean()


def test_a_map_of_other_meaning_gets_no_artery_names(shared_dir):
    path = next((shared_dir / "data" / "ixi_full_fov").glob("*.nii.gz"))
    layer = opened(path)
    assert isinstance(layer, Labels)
    assert set(np.unique(layer.data)) == set(range(6))
    assert "artery" not in layer.features


TOF = np.random.default_rng(0).integers(0, 900, SHAPE)


@pytest.mark.parametrize(
    ("array", "intent", "kind"),
    [
        (arteries_map(), "none", Labels),
        (arteries_map().astype(np.int16), "none", Labels),
        ((arteries_map() > 0).astype(np.uint8), "none", Labels),
        (TOF.astype(np.int16), "none", Image),
        ((TOF // 4).astype(np.uint8), "none", Image),
        ((TOF // 60).astype(np.int16), "none", Image),
        (arteries_map().astype(np.float32), "none", Image),
        (np.zeros(SHAPE, np.int16), "none", Image),
        (np.zeros(SHAPE, np.int16), "label", Labels),
        ((TOF // 4).astype(np.int16), "label", Labels),
        (TOF.astype(np.int16), "label", Image),
    ],
    ids=[
        "arteries",
        "arteries, int16",
        "mask",
        "TOF",
        "TOF in 8 bits",
        "dim TOF",
        "arteries as float",
        "nothing",
        "nothing, marked",
        "many labels, marked",
        "too many labels, marked",
    ],
)
def test_only_integer_files_with_the_schemes_values_or_a_mark_open_as_labels(
    tmp_path, array, intent, kind
):
    assert type(opened(save(tmp_path / "a.nii", array, intent))) is kind


def test_integers_that_the_header_scales_are_an_image(tmp_path):
    image = nib.Nifti1Image(arteries_map(), np.eye(4))
    image.header.set_slope_inter(0.5, 0)
    nib.save(image, tmp_path / "a.nii")
    assert type(opened(tmp_path / "a.nii")) is Image


# Saving


@pytest.mark.parametrize("axis_codes", ["LAS", "RAS", "LPS", "SAR", "PIR"])
def test_labels_keep_their_side_from_file_to_layer_and_back(tmp_path, axis_codes):
    array = np.zeros((13, 11, 9), np.uint8)
    where = {Artery.L_MCA: (1, 5, 4), Artery.BA: (6, 2, 2), Artery.ACOM: (6, 9, 7)}
    for artery, index in where.items():
        array[index] = artery
    affine = np.array([[0.5, 0.1, 0, -31], [-0.1, 0.75, 0, 17], [0, 0, 1.25, 44], [0, 0, 0, 1]])
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(axis_codes))
    nib.save(nib.Nifti1Image(array, affine).as_reoriented(turn), tmp_path / "in.nii.gz")

    layer = opened(tmp_path / "in.nii.gz")
    assert isinstance(layer, Labels)
    image = Layer.create(*volume_to_layer(read_volume(tmp_path / "in.nii.gz")))
    assert np.array_equal(layer.data, image.data)
    assert np.allclose(layer.scale, image.scale)
    assert np.allclose(layer.translate, image.translate)
    in_world = {
        artery: layer.data_to_world(np.argwhere(layer.data == artery)[0]) for artery in where
    }
    # World axes point inferior, posterior and left.
    assert in_world[Artery.L_MCA][2] > in_world[Artery.BA][2]
    assert in_world[Artery.ACOM][1] < in_world[Artery.BA][1]
    assert in_world[Artery.ACOM][0] < in_world[Artery.BA][0]

    data, state, kind = layer.as_layer_data_tuple()
    assert kind == "labels"
    written = write_label_map(str(tmp_path / "out.nii.gz"), data, state)
    assert [Path(path).name for path in written] == ["out.nii.gz", "out.json"]
    saved = nib.load(tmp_path / "out.nii.gz")
    assert saved.get_data_dtype() == np.uint8
    for artery, index in where.items():
        (found,) = np.argwhere(np.asanyarray(saved.dataobj) == artery)
        expected = apply_affine(affine, index)
        assert np.allclose(apply_affine(saved.affine, found), expected, atol=1e-4)


def test_saved_labels_open_as_the_same_labels(tmp_path):
    labels = arteries_map()
    labels[0, 0, 0] = 200
    affine = default_affine(SHAPE)
    provenance = {"synthetic": True, "labels": LABEL_SCHEME}
    layer = Layer.create(*labels_to_layer(labels, affine, "x", provenance))
    write_label_map(str(tmp_path / "a.nii.gz"), *layer.as_layer_data_tuple()[:2])
    again, again_affine = read_labels(tmp_path / "a.nii.gz")
    assert np.array_equal(again, labels)
    assert np.allclose(again_affine, affine)
    back = opened(tmp_path / "a.nii.gz")
    assert isinstance(back, Labels)
    assert "artery" in back.features
    assert back.metadata["cowgan"]["synthetic"]


def test_an_unnamed_map_stays_unnamed(tmp_path):
    few = np.zeros(SHAPE, np.uint8)
    few[1, 1, 1] = 5
    layer = Layer.create(*labels_to_layer(few, default_affine(SHAPE)))
    layer.data[0, 0, 0] = 12
    write_label_map(str(tmp_path / "a.nii"), *layer.as_layer_data_tuple()[:2])
    assert "artery" not in opened(tmp_path / "a.nii").features


def test_painting_an_artery_is_saved(tmp_path):
    write_labels(arteries_map(), default_affine(SHAPE), tmp_path / "a.nii.gz")
    viewer = ViewerModel()
    layer = viewer.add_layer(opened(tmp_path / "a.nii.gz"))
    layer.fill((0, 0, 0), int(Artery.THIRD_A2))
    write_label_map(str(tmp_path / "b.nii.gz"), *layer.as_layer_data_tuple()[:2])
    assert (read_labels(tmp_path / "b.nii.gz")[0] == Artery.THIRD_A2).sum() > 10


@pytest.mark.parametrize("value", [-1, 256, 70_000])
def test_labels_that_do_not_fit_are_refused_in_one_sentence(value, single_sentence):
    layer = Layer.create(*labels_to_layer(arteries_map(), default_affine(SHAPE), "mine"))
    data = layer.data.astype(np.int32)
    data[0, 0, 0] = value
    with pytest.raises(CowganError, match="'mine' has labels outside 0 to 255") as refusal:
        layer_to_labels(data, layer.as_layer_data_tuple()[1])
    single_sentence(refusal)


def test_labels_of_unknown_side_are_refused():
    layer = Labels(arteries_map(), name="foreign")
    with pytest.raises(CowganError, match="patient's left"):
        layer_to_labels(*layer.as_layer_data_tuple()[:2])
