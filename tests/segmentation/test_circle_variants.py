"""Tests of variants of the circle, against the verdicts of TopCoW's evaluation code."""

import pytest
from topcow_values import PAIRS, frozen_pair

from cowgan.anatomy.arteries import Artery
from cowgan.anatomy.label_schemes import MERGED_SIDES, SEVEN_ARTERIES, TOPCOW_2023, TOPCOW_2024
from cowgan.segmentation.circle_variants import (
    CircleMatch,
    balanced_accuracy,
    compare_circles,
    topology_matches,
    touching,
    variant,
)
from cowgan.simulate import make_anatomy

CIRCULATIONS = ("anterior", "posterior")


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("circulation", CIRCULATIONS)
def test_variants_and_verdicts_are_those_of_topcow(shared_dir, name, circulation):
    pair = frozen_pair(shared_dir, name)
    graphs = pair.values["all_graph_dicts"][circulation]
    assert list(variant(pair.truth, circulation)) == graphs["gt_graph"]
    assert list(variant(pair.predicted, circulation)) == graphs["pred_graph"]
    verdict = pair.values["all_topo_dicts"]["match_verdict"][circulation]
    assert topology_matches(pair.predicted, pair.truth, circulation) == verdict


@pytest.mark.parametrize("name", PAIRS)
def test_arteries_touch_those_that_topcow_says(shared_dir, name):
    pair = frozen_pair(shared_dir, name)
    for circulation in CIRCULATIONS:
        arteries = pair.values["all_topo_dicts"]["gt_topology"][circulation]
        for value, artery in TOPCOW_2024.labels.items():
            theirs = arteries.get(artery.replace("PCom", "Pcom").replace("ACom", "Acom"))
            if theirs is not None:
                assert touching(pair.truth, Artery(value)) == set(theirs["neighbors"])


def test_variants_of_phantoms_are_those_asked_for():
    labels = make_anatomy(5, "absent R-A1, third A2, absent L-PCom").labels
    assert variant(labels, "anterior") == (True, True, True, False)
    assert variant(labels, "posterior") == (False, True, True, True)


@pytest.mark.parametrize("circulation", CIRCULATIONS)
def test_a_map_with_swapped_sides_does_not_match_itself(circulation):
    labels = make_anatomy(5, "complete").labels
    assert topology_matches(labels, labels, circulation)
    swapped = TOPCOW_2024.mirrored(labels)[:, ::-1]
    assert not topology_matches(swapped, swapped, circulation)


def test_every_true_variant_counts_the_same(shared_dir):
    pairs = [frozen_pair(shared_dir, name) for name in PAIRS]
    truths = {
        circulation: [variant(pair.truth, circulation) for pair in pairs]
        for circulation in CIRCULATIONS
    }
    found = {
        circulation: balanced_accuracy(
            truths[circulation],
            (
                variant(pair.predicted, circulation) == true
                for pair, true in zip(pairs, truths[circulation], strict=True)
            ),
        )
        for circulation in CIRCULATIONS
    }
    # Complete circles: 3 of 6 and 6 of 8; the others: 1, 0 and 1, and 1.
    assert found == pytest.approx(
        {"anterior": (3 / 6 + 1 + 0 + 1) / 4, "posterior": (6 / 8 + 1) / 2}
    )


def test_circles_are_compared_in_both_numberings_of_topcow():
    truth = make_anatomy(5, "third A2").labels
    predicted = truth.copy()
    predicted[predicted == Artery.THIRD_A2] = 0
    expected = [
        CircleMatch("anterior", (True, True, True, True), False, False),
        CircleMatch("posterior", (True, True, True, True), True, True),
    ]
    assert compare_circles(predicted, truth, TOPCOW_2024) == expected
    of_2023 = [labels - 2 * (labels == Artery.THIRD_A2) for labels in (predicted, truth)]
    assert compare_circles(*of_2023, TOPCOW_2023) == expected
    merged = MERGED_SIDES.apply(truth)
    assert compare_circles(merged, merged, SEVEN_ARTERIES) == []
