"""Verdicts on readers, and claims that no verdict makes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from turing_readings import (
    examples,
    is_plain,
    panel_of_ratings,
    reading_of_counts,
    reading_of_ratings,
)

from cowgan.errors import CowganError
from cowgan.turing.statistics import (
    MARGIN,
    Evidence,
    Interval,
    ReaderPanel,
    evidence_of_panel,
    evidence_of_reader,
    verdict,
)

# Undefined quantities raise an error instead of a warning.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

FORBIDDEN = ("significant", "indistinguishable", "radiologist", "prove")


def simulated(d_prime, readers=5, cases=200, share_real=0.0, seed=0):
    """Readers who see the kinds `d_prime` apart, and answer "real" unseen in a share of trials."""
    rng = np.random.default_rng(seed)
    generated = np.arange(cases) % 2 == 0
    seen = d_prime * np.where(generated, 0.5, -0.5) + rng.standard_normal((readers, cases))
    ratings = np.where(seen > 0, 1, -1) * (1 + np.digitize(np.abs(seen), [0.25, 0.5, 0.8, 1.3]))
    blind = rng.random(ratings.shape) < share_real
    ratings = np.where(blind, -rng.integers(1, 6, ratings.shape), ratings)
    return panel_of_ratings(generated, ratings)


def evidence(low_95, high_95, low_90, high_90, shares=(0.5, 0.4, 0.6), margin=MARGIN):
    middle = (low_90 + high_90) / 2
    return Evidence(
        Interval(middle, low_95, high_95, 0.95, 100, "any"),
        Interval(middle, low_90, high_90, 0.90, 100, "any"),
        Interval(0.52, 0.45, 0.59, 0.95, 100, "any"),
        {f"R{number:02d}": share for number, share in enumerate(shares, start=1)},
        margin,
    )


def said(found):
    return " ".join(found.sentences)


def test_readers_at_chance_are_equivalent_to_chance():
    found = verdict(evidence_of_panel(simulated(0.0), MARGIN))
    assert found.outcomes == ("equivalent",)
    assert "within the margin of ±0.14 declared beforehand" in said(found)
    assert "Mean balanced accuracy was 0." in said(found)
    assert "95 % interval" in said(found)
    assert is_plain(found)


def test_few_readers_at_chance_are_inconclusive():
    found = verdict(evidence_of_panel(simulated(0.0, readers=3, cases=20), MARGIN))
    assert found.outcomes == ("inconclusive",)
    assert "neither a difference from chance nor equivalence to it has been shown" in said(found)


def test_perfect_readers_distinguish():
    found = verdict(evidence_of_panel(simulated(20.0), MARGIN))
    assert found.outcomes == ("distinguished",)
    assert "The readers distinguished generated from real volumes" in said(found)
    assert "1.00" in said(found)


def test_reversed_readers_prompt_a_check_of_the_coding():
    found = verdict(evidence_of_panel(simulated(-1.5), MARGIN))
    assert found.outcomes == ("reversed",)
    assert "Check that the classes" in said(found)


def test_readers_who_always_answer_real_are_refused_as_equivalent():
    panel = simulated(0.0, share_real=1.0)
    found = verdict(evidence_of_panel(panel, MARGIN))
    assert "equivalent" not in found.outcomes
    assert found.one_sided == panel.readers
    assert "Equivalence cannot be claimed" in said(found)
    assert said(found).count("answered “real” in 100 %") == 5


def test_one_biased_reader_is_enough_to_refuse():
    panel = simulated(0.0)
    ratings = panel.ratings.copy()
    ratings[2] = np.abs(ratings[2])
    one_biased = ReaderPanel(panel.readers, panel.cases, panel.generated, ratings)
    fair, refused = (verdict(evidence_of_panel(one, MARGIN)) for one in (panel, one_biased))
    assert fair.outcomes == ("equivalent",)
    assert refused.outcomes == ("inconclusive",)
    assert refused.one_sided == ("R03",)
    assert "R03 answered “generated” in 100 %" in said(refused)


def test_nine_answers_in_ten_are_still_accepted():
    interval = (0.45, 0.55, 0.46, 0.54)
    assert verdict(evidence(*interval, shares=(0.1, 0.9, 0.5))).one_sided == ()
    assert verdict(evidence(*interval, shares=(0.09, 0.91, 0.5))).one_sided == ("R01", "R02")


def test_a_small_difference_can_be_both_found_and_equivalent():
    found = verdict(evidence(0.52, 0.60, 0.525, 0.595))
    assert found.outcomes == ("equivalent", "distinguished")
    assert "The difference from chance is real, and smaller than the margin." in found.sentences
    below = verdict(evidence(0.40, 0.48, 0.405, 0.475))
    assert below.outcomes == ("equivalent", "reversed")


def test_without_a_declared_margin_there_is_no_equivalence():
    found = verdict(evidence(0.47, 0.53, 0.48, 0.52, margin=None))
    assert found.outcomes == ("inconclusive",)
    assert "no margin was declared before the study" in said(found)


def test_touching_the_margin_or_chance_is_not_enough():
    assert verdict(evidence(0.34, 0.66, 0.36, 0.64)).outcomes == ("inconclusive",)
    assert verdict(evidence(0.50, 0.80, 0.52, 0.78)).outcomes == ("inconclusive",)
    assert verdict(evidence(0.20, 0.50, 0.22, 0.48)).outcomes == ("inconclusive",)


def test_a_single_reader_does_not_generalise():
    rng = np.random.default_rng(4)
    generated = np.arange(300) % 2 == 0
    guesses = rng.choice([-3, -2, -1, 1, 2, 3], 300)
    found = verdict(evidence_of_reader(reading_of_ratings(generated, guesses), MARGIN))
    assert found.outcomes == ("equivalent",)
    assert found.sentences[-1] == "This is about reader R01 alone and says nothing of others."
    assert "readers" not in said(found)


def test_any_single_reader_has_a_verdict():
    perfect = verdict(evidence_of_reader(reading_of_counts(50, 0, 0, 50), MARGIN))
    reverse = verdict(evidence_of_reader(reading_of_counts(0, 50, 50, 0), MARGIN))
    always_real = verdict(evidence_of_reader(reading_of_counts(0, 50, 0, 50), MARGIN))
    assert perfect.outcomes == ("distinguished",)
    assert reverse.outcomes == ("reversed",)
    assert always_real.outcomes == ("inconclusive",)
    assert "R01 answered “real” in 100 %" in said(always_real)


def test_an_accuracy_of_44_of_100_shows_nothing():
    """The published result whose p of 0.27 was read as equality."""
    reading = reading_of_counts(hits=22, misses=28, false_alarms=28, correct_rejections=22)
    found = verdict(evidence_of_reader(reading, MARGIN))
    assert found.outcomes == ("inconclusive",)


unit = st.floats(0, 1)


@examples
@given(
    st.lists(unit, min_size=4, max_size=4).map(sorted),
    st.lists(unit, min_size=3, max_size=6),
    st.none() | st.floats(0.01, 0.49),
)
def test_no_verdict_claims_more_than_the_evidence(limits, shares, margin):
    low_95, low_90, high_90, high_95 = limits
    found = verdict(evidence(low_95, high_95, low_90, high_90, shares, margin))
    includes_chance = low_95 <= 0.5 <= high_95
    assert found.outcomes
    assert ("distinguished" in found.outcomes) == (low_95 > 0.5)
    assert ("reversed" in found.outcomes) == (high_95 < 0.5)
    if "equivalent" in found.outcomes:
        assert margin is not None
        assert 0.5 - margin < low_90
        assert high_90 < 0.5 + margin
        assert all(0.1 - 1e-9 <= share <= 0.9 for share in shares)
    if found.outcomes == ("inconclusive",):
        assert includes_chance
    assert not any(word in said(found).lower() for word in FORBIDDEN)


def test_evidence_that_matches_no_rule_is_refused():
    good = evidence(0.4, 0.6, 0.42, 0.58)
    with pytest.raises(CowganError, match="one at 90 %"):
        replace(good, auc_90=good.auc_95)
    with pytest.raises(CowganError, match="one reader alone, or about three or more"):
        evidence(0.4, 0.6, 0.42, 0.58, shares=(0.5, 0.5))
    with pytest.raises(CowganError, match="margin of equivalence"):
        evidence(0.4, 0.6, 0.42, 0.58, margin=0.6)
    with pytest.raises(CowganError, match="at least 3 readers"):
        evidence_of_panel(simulated(0.0, readers=2), MARGIN)
