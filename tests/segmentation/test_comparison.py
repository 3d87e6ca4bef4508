"""Tests of comparisons of segmentations, on values per subject, and of their report."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cowgan.errors import CowganError
from cowgan.report.blocks import Box, Figure, Table
from cowgan.segmentation.comparison import MAIN, Arm, arm_means, compare_arms
from cowgan.segmentation.comparison_report import ArmComparison, comparison_report, verdict
from cowgan.segmentation.subject_values import Quantity

BA_DICE, BA_HD95 = Quantity("BA", "dice"), Quantity("BA", "hd95_mm")
SUBJECTS = [f"sub-{number:02d}" for number in range(20)]


def arm(name, shift=0.0, seed=0):
    """Return an arm whose Dice is that of all others, moved, with some noise of its own."""
    dice = np.random.default_rng(9).uniform(0.5, 0.9, len(SUBJECTS)) + shift
    dice += np.random.default_rng(seed).normal(0, 0.01, len(SUBJECTS))
    values = {MAIN: dice, BA_DICE: dice, BA_HD95: 10 * (1 - dice)}
    return Arm(
        name,
        {
            quantity: dict(zip(SUBJECTS, of.tolist(), strict=True))
            for quantity, of in values.items()
        },
    )


def found_of(differences, quantity=MAIN, name="B"):
    (found,) = (one for one in differences if (one.arm, one.quantity) == (name, quantity))
    return found


def test_differences_are_paired():
    reference, other = arm("A", seed=1), arm("B", 0.03, seed=2)
    found = found_of(compare_arms([reference, other]))
    pairs = [other.values[MAIN][name] - reference.values[MAIN][name] for name in SUBJECTS]
    assert found.difference == pytest.approx(np.mean(pairs))
    # Subjects differ by far more than arms, so that only pairs can tell them apart.
    assert found.interval.low == pytest.approx(
        np.mean(pairs) - 2 * np.std(pairs) / 20**0.5, abs=0.002
    )
    assert found.p < 0.001
    assert found_of(compare_arms([reference, other]), BA_HD95).difference < 0


def test_subjects_without_a_partner_do_not_count():
    reference, other = arm("A"), arm("B", 0.1)
    of_arm = dict(other.values[BA_DICE])
    del of_arm["sub-00"]
    of_arm["sub-99"] = 0.0
    changed = Arm("B", {**other.values, BA_DICE: of_arm})
    found = found_of(compare_arms([reference, changed]), BA_DICE)
    assert (found.n, found.difference) == (19, pytest.approx(0.1))
    few = Arm("B", {MAIN: {"sub-00": 0.9, "sub-01": 0.9}})
    found = found_of(compare_arms([reference, few], {"dice": 0.02}))
    assert (found.n, found.interval, found.p, found.p_holm, found.within_margin) == (
        *(2, None, None, None, None),
    )


def test_the_main_quantity_is_corrected_for_arms_only():
    arms = [arm("A", seed=1), arm("B", 0.004, seed=2), arm("C", 0.005, seed=3)]
    differences = compare_arms(arms)
    p = sorted((one.p, one.p_holm) for one in differences if one.quantity == MAIN)
    assert p[0][1] == pytest.approx(min(1, 2 * p[0][0]))
    assert p[1][1] == pytest.approx(max(p[1][0], p[0][1]))
    others = sorted((one.p, one.p_holm) for one in differences if one.quantity != MAIN)
    assert others[0][1] == pytest.approx(min(1, 4 * others[0][0]))


@given(st.floats(-0.05, 0.05), st.floats(0.001, 0.06))
@settings(max_examples=25, deadline=None)
def test_equivalence_needs_the_whole_interval_within_the_margin(shift, margin):
    found = found_of(compare_arms([arm("A", seed=1), arm("B", shift, seed=2)], {"dice": margin}))
    limits = np.array([found.interval.low, found.interval.high])
    assert found.within_margin == bool((np.abs(limits) < margin).all())


def test_means_are_over_the_subjects_that_have_the_quantity():
    one = Arm("A", {MAIN: {"a": 0.2, "b": 0.6, "c": 1.0, "d": 1.0}, BA_DICE: {}})
    (found,) = arm_means([one])
    assert (found.n, found.mean, found.median) == (4, pytest.approx(0.7), pytest.approx(0.8))


def test_arms_need_company_and_names_of_their_own():
    with pytest.raises(CowganError, match="at least two"):
        compare_arms([arm("A")])
    with pytest.raises(CowganError, match="Two predictions are called A"):
        compare_arms([arm("A"), arm("A")])


@pytest.mark.parametrize(
    ("shift", "margin", "title"),
    [
        (0.05, None, "B has a higher mean Dice than A"),
        (-0.05, 0.02, "A has a higher mean Dice than B"),
        (0.01, 0.03, "B has a higher mean Dice than A, by less than the margin"),
        (0.0, 0.02, "B and A are equivalent in mean Dice"),
        (0.0, None, "No difference in mean Dice between B and A was found"),
    ],
)
def test_the_verdict_says_what_the_interval_allows(shift, margin, title):
    margins = {} if margin is None else {"dice": margin}
    arms = [arm("A", seed=1), arm("B", shift, seed=2)]
    mean = found_of(compare_arms(arms)).difference
    moved = {name: value - mean + shift for name, value in arms[1].values[MAIN].items()}
    arms[1] = Arm("B", {**arms[1].values, MAIN: moved})
    assert verdict(ArmComparison.of(arms, margins)).title == title


def test_a_handful_of_subjects_is_said_to_be_too_few():
    few = [Arm(name, {MAIN: {"a": 0.5, "b": 0.7}}) for name in "AB"]
    box = verdict(ArmComparison.of(few))
    assert "fewer than 6 subjects" in box.cautions[0]
    assert "p =" not in box.sentences[0]


def test_a_report_of_plain_values_shows_every_arm_and_quantity():
    arms = [arm("A"), arm("B", 0.05), arm("C", -0.02)]
    blocks = comparison_report(ArmComparison.of(arms, {"dice": 0.02}), "A, B and C").blocks
    assert isinstance(blocks[0], Box)
    assert len(blocks[0].sentences) == 2
    dice, hd95, of_dice, of_hd95 = (block for block in blocks if isinstance(block, Table))
    assert [row[0] for row in dice.rows] == ["mean of arteries", "BA"]
    assert dice.header[2:] == ("A", "B", "C")
    assert [row[0] for row in hd95.rows] == ["BA"]
    assert [row[:2] for row in of_dice.rows] == [
        (artery, name) for artery in ("mean of arteries", "BA") for name in "BC"
    ]
    assert (of_dice.header[-1], of_hd95.header[-1]) == ("Within ±0.02", "p, corrected")
    assert sum(isinstance(block, Figure) for block in blocks) == 2
