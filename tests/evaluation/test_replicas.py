"""Planted copies of training volumes are found, and other people are not taken for copies."""

import numpy as np
import pytest
from planted_copies import SHAPE, Volumes, person, plant

from cowgan.errors import CowganError
from cowgan.evaluation.replica_report import replica_report, rows_of
from cowgan.evaluation.replicas import (
    AnatomySearch,
    Replicas,
    VesselMaps,
    find_replicas,
    infer_membership,
    vessel_maps_of,
)
from cowgan.report.html import html_of
from cowgan.volume import Volume, default_affine

TRAINING, OTHERS = 24, 8
FALSE_ALARMS = 0.05


@pytest.fixture(scope="module")
def sets() -> tuple[Volumes, Volumes, Volumes]:
    """Return training volumes, copies planted among others, and people who are held out."""
    seeds = range(TRAINING + 2 * OTHERS)
    people = {f"sub-{seed}": person(seed) for seed in seeds}
    everyone = list(people.items())
    training = dict(everyone[:TRAINING])
    copies = plant(training["sub-5"], everyone[-1][1])
    generated = copies | dict(everyone[TRAINING : TRAINING + OTHERS])
    held_out = dict(everyone[TRAINING + OTHERS :])
    return Volumes("bank", training), Volumes("model", generated), Volumes("holdout", held_out)


@pytest.fixture(scope="module")
def maps(sets) -> tuple[VesselMaps, VesselMaps, VesselMaps]:
    training, generated, held_out = (vessel_maps_of(volumes) for volumes in sets)
    return training, generated, held_out


@pytest.fixture(scope="module")
def found(maps) -> Replicas:
    return find_replicas(maps[1], maps[0], FALSE_ALARMS)


def test_every_planted_copy_is_found_with_its_source(found: Replicas, maps) -> None:
    training, generated, _ = maps
    flagged = {generated.names[match.index]: match for match in found.flagged}
    for name in generated.names[:-OTHERS]:
        assert name in flagged
        assert training.names[flagged[name].nearest] == "sub-5"
        assert flagged[name].dice > 0.8
        assert flagged[name].mirrored == (name == "mirrored")
    assert flagged["left-half"].part == "left"
    assert flagged["back-half"].part == "back"
    assert flagged["exact"].dice == pytest.approx(1, abs=1e-5)
    for name in ("exact", "mirrored"):
        projection = flagged[name].projection
        assert training.names[projection.nearest] == "sub-5"
        assert projection.mirrored == (name == "mirrored")
        assert projection.correlation == pytest.approx(1, abs=1e-5)
        assert projection.p == 1 / (1 + found.references)


def test_one_volume_is_judged_as_in_a_search_of_many(found: Replicas, sets, maps) -> None:
    search = AnatomySearch(maps[0], FALSE_ALARMS)
    matches = {match.index: match for match in found.matches}
    for index in (0, 1, len(sets[1].names) - 1):
        nearest, match = search.nearest(sets[1].volume(index)), matches[index]
        assert nearest.name == sets[0].names[match.nearest]
        assert (nearest.index, nearest.mirrored, nearest.part, nearest.p) == (
            match.nearest,
            match.mirrored,
            match.part,
            match.p,
        )
        assert nearest.dice == pytest.approx(match.dice)
        assert nearest.flagged == (match in found.flagged)


def test_other_people_are_flagged_as_rarely_as_stated(found: Replicas, maps) -> None:
    assert found.false_alarms <= FALSE_ALARMS
    others = [match for match in found.matches if maps[1].names[match.index].startswith("sub-")]
    assert sum(match.score > found.threshold for match in others) <= 2
    assert all(match.p > 1 / (1 + found.references) - 1e-12 for match in others)


def test_scans_of_one_person_do_not_make_copies_usual(maps) -> None:
    training, generated, _ = maps
    twice = VesselMaps(
        [*training.names, *training.names],
        [*training.subjects, *training.subjects],
        np.concatenate([training.maps, training.maps]),
        training.cell_mm,
    )
    again = find_replicas(generated, twice, FALSE_ALARMS)
    assert len(again.flagged) >= len(generated) - OTHERS
    assert again.references == TRAINING


def test_copies_betray_who_was_trained_on(maps) -> None:
    training, _, held_out = maps
    copied = infer_membership(training, training, held_out)
    assert (copied.auc, copied.n_training, copied.n_holdout) == (1, TRAINING, OTHERS)
    assert copied.p < 0.001
    halves = [
        VesselMaps(training.names[part], training.subjects[part], training.maps[part], (1, 1, 1))
        for part in (slice(0, 8), slice(8, 16), slice(16, 24))
    ]
    unrelated = infer_membership(*halves)
    assert 0.1 < unrelated.auc < 0.9


def test_the_report_shows_the_pairs_and_what_is_flagged(found: Replicas, sets, maps) -> None:
    training, generated, _ = sets
    page = html_of(replica_report(found, generated, training, infer_membership(*maps)))
    assert f"{len(found.flagged)} volumes of {len(generated.names)} may repeat" in page
    assert "sub-5, mirrored" in page
    assert page.count("<img") == 2 * len(generated.names)
    rows = rows_of(found, generated, training)
    assert [row["generated"] for row in rows if row["flagged"]] == [
        generated.names[match.index] for match in found.flagged
    ]


def test_what_cannot_be_compared_is_refused(maps, sets, single_sentence) -> None:
    training, generated, _ = maps
    few = VesselMaps(training.names[:9], training.subjects[:9], training.maps[:9], (1, 1, 1))
    with pytest.raises(CowganError) as refusal:
        find_replicas(generated, training)
    assert "takes 100 training subjects" in single_sentence(refusal)
    with pytest.raises(CowganError) as refusal:
        find_replicas(generated, few, 0.2)
    assert "one grid" in single_sentence(refusal)
    noise = np.random.default_rng(0).normal(0.5, 0.05, SHAPE)
    dark = Volume(np.float32(noise), default_affine(SHAPE))
    with pytest.raises(CowganError) as refusal:
        vessel_maps_of(Volumes("noise", {"noise": dark}))
    assert "No vessel" in single_sentence(refusal)
    other = Volume(sets[0].volume(0).data[:, :32], sets[0].volume(0).affine)
    with pytest.raises(CowganError) as refusal:
        vessel_maps_of(Volumes("mixed", {"one": sets[0].volume(0), "two": other}))
    assert "two and one differ in shape" in single_sentence(refusal)
    stretched = Volume(sets[0].volume(1).data, 2 * sets[0].volume(0).affine)
    with pytest.raises(CowganError) as refusal:
        vessel_maps_of(Volumes("mixed", {"one": sets[0].volume(0), "two": stretched}))
    assert "two has another voxel size" in single_sentence(refusal)
    with pytest.raises(CowganError) as refusal:
        AnatomySearch(training, FALSE_ALARMS).nearest(stretched)
    assert "not on the grid" in single_sentence(refusal)


def test_masks_are_kept_for_the_next_search(sets, maps, tmp_path, monkeypatch) -> None:
    first = vessel_maps_of(sets[2], tmp_path)
    assert np.array_equal(first.maps, maps[2].maps) and first.cell_mm == maps[2].cell_mm
    monkeypatch.setattr("cowgan.evaluation.replicas.find_vessels", None)
    assert np.array_equal(vessel_maps_of(sets[2], tmp_path).maps, first.maps)
