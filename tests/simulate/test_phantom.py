from collections import Counter

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, label

from cowgan.anatomy.arteries import Artery
from cowgan.errors import CowganError
from cowgan.randomness import stream
from cowgan.simulate import FREQUENCIES, make_anatomy, make_phantom
from cowgan.simulate.circle import MEAN_RADIUS_MM
from cowgan.simulate.variants import check_variants, draw_variants
from cowgan.volume import DEFAULT_SPACING_MM

VOXEL_MM3 = np.prod(DEFAULT_SPACING_MM)


def pieces(mask: np.ndarray) -> int:
    return label(mask, np.ones((3, 3, 3)))[1]


def test_a_phantom_is_a_volume_a_label_map_and_the_truth() -> None:
    volume, labels, truth = make_phantom(3)
    assert volume.shape == labels.shape == (32, 128, 128)
    assert volume.spacing_mm == pytest.approx(DEFAULT_SPACING_MM)
    assert volume.synthetic
    assert labels.dtype == np.uint8
    assert set(np.unique(labels)) - {0} == {a for a, t in truth.arteries.items() if t.present}
    assert volume.provenance["phantom"] == truth.to_dict()
    again, labels_again, truth_again = make_phantom(3)
    np.testing.assert_array_equal(volume.data, again.data)
    np.testing.assert_array_equal(labels, labels_again)
    assert truth == truth_again


@pytest.mark.parametrize("seed", range(8))
def test_a_complete_circle_is_one_piece_with_one_loop(seed: int) -> None:
    from skimage.measure import euler_number

    anatomy = make_anatomy(seed, "complete")
    mask = anatomy.occupancy >= 0.5
    thin = anatomy.labels > 0
    assert pieces(thin) == 1
    assert 1 - euler_number(thin, connectivity=3) >= 1, "the circle is closed"
    assert np.count_nonzero(mask & ~thin) == 0
    assert set(np.unique(anatomy.labels)) == {0, *Artery} - {Artery.THIRD_A2}


@pytest.mark.parametrize("seed", range(4))
def test_left_and_right_are_where_they_belong(seed: int) -> None:
    labels = make_anatomy(seed, "complete").labels
    for right, left in (
        (Artery.R_PCA, Artery.L_PCA),
        (Artery.R_ICA, Artery.L_ICA),
        (Artery.R_MCA, Artery.L_MCA),
        (Artery.R_PCOM, Artery.L_PCOM),
        (Artery.R_ACA, Artery.L_ACA),
    ):
        x = [np.argwhere(labels == artery)[:, 1].mean() for artery in (right, left)]
        assert x[0] < x[1], "index along x rises towards the patient's left"
    front = np.argwhere(labels == Artery.ACOM)[:, 2].mean()
    back = np.argwhere(labels == Artery.BA)[:, 2].mean()
    assert front > back


@pytest.mark.parametrize("seed", range(4))
def test_the_truth_agrees_with_the_voxels(seed: int) -> None:
    anatomy = make_anatomy(seed)
    truth = anatomy.truth
    assert truth.volume_mm3 == pytest.approx(anatomy.occupancy.sum() * VOXEL_MM3, rel=1e-5)
    for artery, known in truth.arteries.items():
        own = anatomy.labels == artery
        assert known.present == own.any()
        if known.length_mm > 8 and known.radius_mm > 0.8:
            # A tube's volume, from its length and radius alone.
            tube = np.pi * known.radius_mm**2 * known.length_mm
            assert own.sum() * VOXEL_MM3 == pytest.approx(tube, rel=0.25), artery
            deepest = distance_transform_edt(own, sampling=DEFAULT_SPACING_MM).max()
            assert deepest == pytest.approx(known.radius_mm, abs=1.0), artery


def test_radii_follow_the_published_means() -> None:
    truths = [make_anatomy(seed, "complete").truth for seed in range(24)]
    for segment, arteries in {
        "ICA": (Artery.R_ICA, Artery.L_ICA),
        "BA": (Artery.BA,),
        "PCom": (Artery.R_PCOM, Artery.L_PCOM),
        "ACom": (Artery.ACOM,),
        "A2": (Artery.R_ACA, Artery.L_ACA),
    }.items():
        radii = [truth.arteries[artery].radius_mm for truth in truths for artery in arteries]
        assert np.mean(radii) == pytest.approx(MEAN_RADIUS_MM[segment], rel=0.12), segment
        assert 0.06 < np.std(radii) / np.mean(radii) < 0.2, segment


@pytest.mark.parametrize(
    ("variant", "artery"),
    [
        ("absent R-PCom", Artery.R_PCOM),
        ("absent L-PCom", Artery.L_PCOM),
        ("absent ACom", Artery.ACOM),
    ],
)
def test_an_absent_artery_is_absent(variant: str, artery: Artery) -> None:
    anatomy = make_anatomy(5, variant)
    assert not anatomy.truth.arteries[artery].present
    assert not (anatomy.labels == artery).any()
    assert anatomy.truth.variant == variant


@pytest.mark.parametrize(("side", "pcom"), [("R", Artery.R_PCOM), ("L", Artery.L_PCOM)])
def test_variants_change_the_calibre(side: str, pcom: Artery) -> None:
    complete = make_anatomy(5, "complete").truth.arteries
    hypoplastic = make_anatomy(5, f"hypoplastic {side}-PCom").truth.arteries
    fetal = make_anatomy(5, f"fetal {side}-PCA").truth.arteries
    assert hypoplastic[pcom].radius_mm < 0.55 < complete[pcom].radius_mm < fetal[pcom].radius_mm


def test_without_an_a1_the_anterior_artery_hangs_on_the_acom() -> None:
    anatomy = make_anatomy(5, "absent R-A1")
    shorter = anatomy.truth.arteries[Artery.R_ACA].length_mm
    assert shorter < make_anatomy(5, "complete").truth.arteries[Artery.R_ACA].length_mm - 8
    assert pieces(anatomy.labels > 0) == 1


def test_a_double_acom_and_a_third_a2_add_arteries() -> None:
    plain, double, third = (make_anatomy(5, v) for v in ("complete", "double ACom", "third A2"))
    acom = [a.truth.arteries[Artery.ACOM].length_mm for a in (plain, double)]
    assert acom[1] > 1.5 * acom[0]
    assert (third.labels == Artery.THIRD_A2).any()
    assert third.truth.arteries[Artery.THIRD_A2].present


def test_variants_occur_as_often_as_stated() -> None:
    n = 20_000
    counts = Counter(
        name for seed in range(n) for name in draw_variants(stream("phantom variants", seed))
    )
    for name, chance in FREQUENCIES.items():
        given_way = 0.1 if name == "absent ACom" else 0.0
        sd = np.sqrt(chance * (1 - chance) / n)
        assert chance * (1 - given_way) - 4 * sd < counts[name] / n < chance + 4 * sd, name


def test_drawn_variants_never_exclude_each_other() -> None:
    for seed in range(2000):
        drawn = draw_variants(stream("phantom variants", seed))
        assert set(check_variants(drawn)) == set(drawn)


def test_variants_may_be_listed_in_one_text() -> None:
    assert check_variants("absent ACom, fetal L-PCA") == ("fetal L-PCA", "absent ACom")
    assert check_variants("complete") == ()


@pytest.mark.parametrize(
    "wrong", ["absent BA", "fetal L-PCA, absent L-PCom", "third A2, absent ACom"]
)
def test_impossible_variants_are_refused(wrong: str, single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        make_phantom(0, wrong)
    single_sentence(refusal)
