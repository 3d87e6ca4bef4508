"""Phantoms with aneurysms, stenoses and occlusions."""

from pathlib import Path

import numpy as np
import pytest

from cowgan.anatomy.arteries import Artery
from cowgan.anatomy.label_schemes import TOPCOW_2024
from cowgan.data.image_pairs import find_image_pairs
from cowgan.errors import CowganError
from cowgan.simulate.disease import SITES, check_disease
from cowgan.simulate.phantom import SHAPE, Anatomy, make_anatomy
from cowgan.simulate.phantom_export import export_phantoms
from cowgan.volume import DEFAULT_SPACING_MM, read_labels

VOXEL_MM3 = np.prod(DEFAULT_SPACING_MM)
SEED = 3


@pytest.fixture(scope="module")
def healthy() -> Anatomy:
    return make_anatomy(SEED, "complete")


def distances(place_mm: tuple[float, float, float]) -> np.ndarray:
    """Return how far each voxel is from a place, in mm."""
    spacing = np.array(DEFAULT_SPACING_MM)
    voxels = np.moveaxis(np.indices(SHAPE), 0, -1)
    return np.linalg.norm((voxels - (np.array(SHAPE) - 1) / 2) * spacing - place_mm, axis=-1)


@pytest.mark.parametrize("site", SITES["aneurysm"])
def test_an_aneurysm_is_a_sphere_on_its_artery(healthy: Anatomy, site: str) -> None:
    anatomy = make_anatomy(SEED, "complete", f"aneurysm {site} 6 mm")
    (lesion,) = anatomy.truth.lesions
    away = distances(lesion.place_mm)
    assert away[anatomy.aneurysms].max() < 3.5
    volume = anatomy.aneurysms.sum() * VOXEL_MM3
    assert 0.6 * np.pi * 36 < volume < 1.05 * np.pi * 36, "part of it is inside arteries"
    carrier = np.bincount(anatomy.labels[anatomy.aneurysms]).argmax()
    expected = {"ACom": "ACom", "BA": "BA"}.get(site, site.replace("PCom", "ICA"))
    assert Artery(carrier).abbreviation == expected
    changed = anatomy.labels != healthy.labels
    assert away[changed].max() < 3.5
    assert anatomy.truth.arteries == healthy.truth.arteries, "lengths and radii are the arteries'"
    assert anatomy.truth.volume_mm3 > healthy.truth.volume_mm3


def test_a_stenosis_narrows_its_artery_where_it_is(healthy: Anatomy) -> None:
    narrowed = {}
    for percent in (30, 90):
        anatomy = make_anatomy(SEED, "complete", f"stenosis L-M1 {percent} %")
        (lesion,) = anatomy.truth.lesions
        near = distances(lesion.place_mm) < 1.5
        narrowed[percent] = anatomy.occupancy[near].sum() / healthy.occupancy[near].sum()
        far = distances(lesion.place_mm) > lesion.extent_mm / 2 + 2
        np.testing.assert_array_equal(anatomy.occupancy[far], healthy.occupancy[far])
        assert anatomy.truth.arteries[Artery.L_MCA].length_mm == pytest.approx(
            healthy.truth.arteries[Artery.L_MCA].length_mm, abs=2
        )
    # Areas are squares of diameters.
    assert narrowed[30] == pytest.approx(0.7**2, abs=0.2)
    assert narrowed[90] < 0.2


def test_nothing_is_filled_beyond_an_occlusion(healthy: Anatomy) -> None:
    anatomy = make_anatomy(SEED, "complete", "occlusion R-M1")
    (lesion,) = anatomy.truth.lesions
    x = (np.argwhere(anatomy.labels == Artery.R_MCA)[:, 1] - 63.5) * DEFAULT_SPACING_MM[1]
    before = (np.argwhere(healthy.labels == Artery.R_MCA)[:, 1] - 63.5) * DEFAULT_SPACING_MM[1]
    assert x.min() > lesion.place_mm[1] - 2.5
    assert before.min() < lesion.place_mm[1] - 5
    np.testing.assert_array_equal(anatomy.labels == Artery.L_MCA, healthy.labels == Artery.L_MCA)


def test_the_circle_fills_the_end_of_an_occluded_carotid(healthy: Anatomy) -> None:
    anatomy = make_anatomy(SEED, "complete", "occlusion L-ICA")
    left = anatomy.labels == Artery.L_ICA
    assert 0 < left.sum() < 0.5 * (healthy.labels == Artery.L_ICA).sum()
    assert np.array_equal(anatomy.labels == Artery.L_PCOM, healthy.labels == Artery.L_PCOM)


def test_several_lesions_are_made_together_and_always_the_same() -> None:
    wanted = "aneurysm ACom, stenosis R-P2, occlusion L-M1"
    one, again = (make_anatomy(8, "complete", wanted) for _ in range(2))
    assert [lesion.kind for lesion in one.truth.lesions] == ["aneurysm", "stenosis", "occlusion"]
    assert one.truth == again.truth
    np.testing.assert_array_equal(one.occupancy, again.occupancy)
    sizes = [lesion.size for lesion in one.truth.lesions]
    assert 3 <= sizes[0] <= 12 and 50 <= sizes[1] <= 90 and sizes[2] == 100


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ("aneurysm", "'aneurysm' is no lesion"),
        ("tumour ACom", "'tumour ACom' is no lesion"),
        ("aneurysm L-M1", "no aneurysm at 'L-M1'"),
        ("aneurysm ACom 40 mm", "between 2 and 12 mm, not 40"),
        ("stenosis L-M1 6 mm", "must be in %"),
        ("occlusion R-M1 50", "An occlusion has no size"),
        ("aneurysm BA, stenosis BA", "Only one lesion is possible at BA"),
    ],
)
def test_impossible_lesions_are_refused(wanted: str, reason: str) -> None:
    with pytest.raises(CowganError, match=reason):
        check_disease(wanted)


def test_a_site_that_the_circle_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(CowganError, match="Seed 5: This circle has no L-PCom"):
        export_phantoms([5], tmp_path, "absent L-PCom", disease="aneurysm L-PCom")
    assert list(tmp_path.iterdir()) == []


def test_masks_of_aneurysms_lie_beside_volumes_and_do_not_disturb_pairs(tmp_path: Path) -> None:
    (made,) = export_phantoms([2], tmp_path, "complete", disease="aneurysm BA 5")
    (healthy,) = export_phantoms([4], tmp_path, "complete")
    assert made.aneurysms is not None and healthy.aneurysms is None
    mask, _ = read_labels(made.aneurysms)
    labels, _ = read_labels(made.labels)
    assert mask.any() and labels[mask > 0].all()
    pairs = find_image_pairs(tmp_path, tmp_path)
    assert [pair.image for pair in pairs] == [made.volume, healthy.volume]
    assert pairs[0].open(TOPCOW_2024).labels.any()
