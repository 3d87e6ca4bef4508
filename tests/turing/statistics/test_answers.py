"""A reading is of one reader; a panel sets readers side by side."""

import pytest
from turing_readings import panel_of_ratings, reading_of_counts, reading_of_ratings

from cowgan.errors import CowganError
from cowgan.turing.statistics import Answer, Counts, ReaderAnswers, ReaderPanel, Undefined

# Undefined quantities raise an error instead of a warning.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def test_the_table_counts_generated_as_positive():
    reading = reading_of_ratings(
        [True, True, True, False, False, False, False], [5, 1, -1, 3, -1, -4, -5]
    )
    assert reading.counts == Counts(hits=2, misses=1, false_alarms=1, correct_rejections=3)
    assert (reading.counts.generated, reading.counts.real, reading.counts.n) == (3, 4, 7)
    assert reading.counts.correct == reading.correct.sum() == 5
    assert reading.share_generated == pytest.approx(3 / 7)


def test_answers_of_two_readers_cannot_be_pooled_in_one_reading():
    first, second = reading_of_counts(3, 2, 1, 4), reading_of_counts(2, 3, 2, 3)
    with pytest.raises(CowganError, match="the answers of another reader are another reading"):
        ReaderAnswers("all", first.answers + second.answers)


def test_repeats_need_a_first_answer_of_the_same_truth():
    answers = (Answer("a", True, 2), Answer("b", False, -2))
    ReaderAnswers("R01", answers, (Answer("a", True, -1),))
    for repeat in (Answer("c", True, 1), Answer("a", False, 1)):
        with pytest.raises(CowganError, match="matches no first answer"):
            ReaderAnswers("R01", answers, (repeat,))


@pytest.mark.parametrize("rating", [0, 6, -6])
def test_there_is_no_neutral_rating_and_none_beyond_certain(rating):
    with pytest.raises(CowganError, match="from 1 to 5 or from -1 to -5"):
        Answer("a", True, rating)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_times_are_positive(seconds):
    with pytest.raises(CowganError, match="positive number of seconds"):
        Answer("a", True, 1, seconds)


def test_a_panel_lines_up_cases_read_in_different_orders():
    one = ReaderAnswers("R01", (Answer("a", True, 3), Answer("b", False, -2), Answer("c", True, 1)))
    two = ReaderAnswers("R02", (Answer("c", True, -4), Answer("a", True, 5)))
    panel = ReaderPanel.of([one, two])
    assert panel.readers == ("R01", "R02")
    assert panel.cases == ("a", "b", "c")
    assert panel.generated.tolist() == [True, False, True]
    assert panel.ratings.tolist() == [[3, -2, 1], [5, 0, -4]]
    assert panel.answers.tolist() == [[1, -1, 1], [1, 0, -1]]
    complete = panel.complete()
    assert complete.cases == ("a", "c")
    assert complete.generated.tolist() == [True, True]
    assert complete.ratings.tolist() == [[3, 1], [5, -4]]


def test_a_panel_needs_different_readers_and_one_truth():
    one = ReaderAnswers("R01", (Answer("a", True, 3),))
    with pytest.raises(CowganError, match="A reader occurs twice"):
        ReaderPanel.of([one, one])
    with pytest.raises(CowganError, match="Case a is real to one reader"):
        ReaderPanel.of([one, ReaderAnswers("R02", (Answer("a", False, 3),))])


def test_an_empty_reading_has_no_shares():
    with pytest.raises(Undefined, match="R07 has given no answer"):
        _ = ReaderAnswers("R07", ()).share_generated
    assert panel_of_ratings([True], [[0], [1]]).complete().cases == ()
