"""Power of studies of a given size."""

import numpy as np
import pytest
from scipy import stats
from turing_readings import is_plain

from cowgan.errors import Cancelled, CowganError
from cowgan.turing.statistics import ReaderModel, power_table, simulate_ratings
from cowgan.turing.statistics.mrmc import estimate_mean_accuracy, estimate_mean_auc

# Undefined quantities raise an error instead of a warning.
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

QUIET = ReaderModel(criterion_sd=0.0, case_sd=0.0, distance_sd=0.0)


class Stopping:
    """Stops after some reports."""

    def __init__(self, after):
        self.reports = []
        self._after = after

    def report(self, done, total, message=""):
        self.reports.append((done, total))

    @property
    def cancelled(self):
        return len(self.reports) > self._after


def test_power_grows_with_readers_and_cases():
    table = power_table(readers=(3, 5, 8), cases=(60, 100), replicates=800)
    power = {(cell.readers, cell.cases): cell for cell in table.cells}
    assert len(power) == 6
    for (readers, cases), cell in power.items():
        for more in ((5, cases) if readers == 3 else (8, cases), (readers, 100)):
            if more in power and more != (readers, cases):
                assert power[more].detects > cell.detects - 0.03
                assert power[more].shows_equivalence > cell.shows_equivalence - 0.03
        assert 0.03 <= cell.false_alarm <= 0.09
    # The usual study: at least four chances in five of either answer.
    assert power[5, 100].detects > 0.8
    assert power[5, 100].shows_equivalence > 0.8
    assert power[3, 60].detects < 0.65
    assert is_plain(table)


# An independent simulation with the same spreads and 500 studies a cell found this power of
# a 90 % interval within 0.5 +- 0.14 and within 0.5 +- 0.10 at chance.
@pytest.mark.parametrize(
    ("readers", "cases", "wide", "narrow"),
    [(3, 60, 0.41, 0.13), (5, 60, 0.67, 0.20), (5, 100, 0.87, 0.50)],
)
def test_equivalence_is_shown_as_often_as_in_another_simulation(readers, cases, wide, narrow):
    for margin, expected in ((0.14, wide), (0.10, narrow)):
        table = power_table([readers], [cases], margin=margin, replicates=1000)
        assert table.cells[0].shows_equivalence == pytest.approx(expected, abs=0.06)


def test_the_seed_determines_the_result():
    table = power_table([3], [20], replicates=250, seed=1)
    assert table == power_table([3], [20], replicates=250, seed=1)
    assert table != power_table([3], [20], replicates=250, seed=2)
    # A cell does not depend on the others of its table.
    assert table.cells[0] == power_table([4, 3], [30, 20], replicates=250, seed=1).cells[3]


def test_the_simulation_reports_progress_and_can_be_cancelled():
    watching = Stopping(after=1000)
    power_table([3], [20], replicates=250, progress=watching)
    done = [report[0] for report in watching.reports]
    assert done == sorted(done)
    assert watching.reports[-1] == (500, 500)
    with pytest.raises(Cancelled):
        power_table([3], [20], replicates=250, progress=Stopping(after=1))


@pytest.mark.parametrize("accuracy", [0.6, 0.75])
def test_simulated_readers_have_the_requested_auc(accuracy):
    d_prime = 2 * stats.norm.ppf(accuracy)
    for model in (QUIET, ReaderModel(criterion_sd=0.0, case_sd=0.6, distance_sd=0.0)):
        drawn = simulate_ratings(np.random.RandomState(1), 400, 3, 200, d_prime, model)
        assert estimate_mean_accuracy(*drawn)[0].mean() == pytest.approx(accuracy, abs=0.005)
        # Ten ratings lose a little of the area under the curve of the axis itself.
        area = stats.norm.cdf(d_prime / 2**0.5)
        assert area - 0.012 < estimate_mean_auc(*drawn)[0].mean() < area + 0.003


def test_readers_at_chance_use_all_ratings():
    ratings, generated = simulate_ratings(np.random.RandomState(1), 50, 4, 500, 0.0, QUIET)
    values, counts = np.unique(ratings, return_counts=True)
    assert values.tolist() == [-5, -4, -3, -2, -1, 1, 2, 3, 4, 5]
    assert counts / ratings.size == pytest.approx(0.1, abs=0.005)
    assert generated.sum() == 250


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"readers": [2]}, "needs 3 or more"),
        ({"cases": [61]}, "must be even"),
        ({"cases": [2]}, "must be even, and 4 or more"),
        ({"accuracy": 0.5}, "between 0.5 and 1"),
        ({"margin": 0.5}, "margin of equivalence"),
        ({"replicates": 0}, "one or more studies"),
    ],
)
def test_sizes_out_of_range_are_refused(arguments, sentence):
    with pytest.raises(CowganError, match=sentence):
        power_table(**{"readers": [3], "cases": [20], "replicates": 10, **arguments})
