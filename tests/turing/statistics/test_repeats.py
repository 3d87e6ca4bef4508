"""Agreement of readers with their own earlier answers."""

import numpy as np
import pytest
from turing_readings import is_plain

from cowgan.turing.statistics import (
    Answer,
    ReaderAnswers,
    Undefined,
    cohen_kappa,
    pooled_repeats,
    repeat_agreement,
)

# Undefined quantities raise an error instead of a warning.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def reading_with_repeats(firsts, seconds, reader="R01"):
    cases = [f"c{number}" for number in range(len(firsts))]
    return ReaderAnswers(
        reader,
        tuple(Answer(case, True, rating) for case, rating in zip(cases, firsts, strict=True)),
        tuple(Answer(case, True, rating) for case, rating in zip(cases, seconds, strict=False)),
    )


def test_a_reader_s_repeats_are_compared_with_his_first_answers():
    found = repeat_agreement(reading_with_repeats([3, -2, 4, -1, 5], [1, -5, -4, -1]))
    assert (found.share.estimate, found.share.n) == (0.75, 4)
    # By hand: first + - + -, second + - - -; chance 0.5 * 0.25 + 0.5 * 0.75.
    assert found.kappa.estimate == pytest.approx(0.5)
    assert is_plain(found)


def test_a_single_or_constant_repeat_has_no_kappa():
    single = repeat_agreement(reading_with_repeats([3, 1], [2]))
    assert (single.share.estimate, single.kappa, single.ac1) == (1.0, None, None)
    constant = repeat_agreement(reading_with_repeats([3, 1, 2], [2, 5, 4]))
    assert constant.kappa is None
    assert constant.ac1.estimate == 1
    with pytest.raises(Undefined, match="R01 has answered no case twice"):
        repeat_agreement(reading_with_repeats([3, 1], []))


def test_repeats_of_all_readers_are_described_together():
    readings = [
        reading_with_repeats([3, -2, 4, -1], [1, -5, -4, -1], "R01"),
        reading_with_repeats([-3, -2, 4], [1, -5, 4], "R02"),
        reading_with_repeats([-3, -2, 4], [], "R03"),
    ]
    found = pooled_repeats(readings)
    assert (found.readers, found.n) == (2, 7)
    assert found.share == pytest.approx(5 / 7)
    first, second = [1, -1, 1, -1, -1, -1, 1], [1, -1, -1, -1, 1, -1, 1]
    assert found.kappa == pytest.approx(cohen_kappa(np.array([first, second])).estimate)
    with pytest.raises(Undefined, match="two or more repeats"):
        pooled_repeats(readings[2:])
