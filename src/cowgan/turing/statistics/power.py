"""Sample size of a study (readers and cases), by simulation.

Simulated readers see generated cases, on average, further along one axis than real ones.
Cases lie elsewhere for all readers alike, each reader sees each case with some noise,
prefers one answer more or less, and tells the kinds apart more or less well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cowgan.errors import CowganError
from cowgan.estimates import check_margin
from cowgan.progress import Progress, Silent, advance
from cowgan.randomness import stream
from cowgan.turing.statistics.answers import HIGHEST
from cowgan.turing.statistics.mrmc import LEAST_READERS, estimate_mean_auc
from cowgan.turing.statistics.verdict import MARGIN

_BATCH = 100


@dataclass(frozen=True)
class ReaderModel:
    """Variability of cases and simulated readers, in standard deviations of a reader's noise.

    Parameters
    ----------
    criterion_sd : float
        Of the preference for one answer, over readers.
    case_sd : float
        Of the places of cases, the same for all readers.
    distance_sd : float
        Of the distance of the two kinds, over readers.
    """

    criterion_sd: float = 0.4
    case_sd: float = 0.6
    distance_sd: float = 0.2


@dataclass(frozen=True)
class PowerCell:
    """Expected results of a study of one size.

    Parameters
    ----------
    readers, cases : int
        Size of the study; half of the cases are generated.
    detects : float
        Probability that the 95 % interval of the mean AUC excludes 0.5 if readers can tell
        the kinds apart as well as the table says.
    shows_equivalence : float
        Probability that its 90 % interval lies within the margin if they cannot at all.
    false_alarm : float
        Probability that the 95 % interval excludes 0.5 if they cannot at all; nominally 0.05.
    """

    readers: int
    cases: int
    detects: float
    shows_equivalence: float
    false_alarm: float


@dataclass(frozen=True)
class PowerTable:
    """Power of studies of several sizes.

    Parameters
    ----------
    cells : tuple of PowerCell
        Every number of readers with every number of cases.
    accuracy : float
        What is to be detected, as the accuracy of a reader without preference.
    margin : float
        Of equivalence, around an AUC of 0.5.
    replicates : int
        Simulated studies for each cell and truth.
    seed : int
        Of the simulation.
    model : ReaderModel
        How the readers differed.
    """

    cells: tuple[PowerCell, ...]
    accuracy: float
    margin: float
    replicates: int
    seed: int
    model: ReaderModel


def power_table(
    readers: Sequence[int] = (3, 5, 8, 12),
    cases: Sequence[int] = (60, 100, 150, 200),
    accuracy: float = 0.6,
    margin: float = MARGIN,
    replicates: int = 1000,
    seed: int = 0,
    model: ReaderModel | None = None,
    progress: Progress | None = None,
) -> PowerTable:
    """Simulate studies of several sizes, analysed by the mean AUC over readers.

    Parameters
    ----------
    readers : sequence of int
        Numbers of readers, three or more each.
    cases : sequence of int
        Numbers of cases, even and four or more each.
    accuracy : float
        What is to be detected, above 0.5 and below 1: the accuracy of an average reader
        without preference.
    margin : float
        Of equivalence, around an AUC of 0.5.
    replicates : int
        Simulated studies for each size and truth. A thousand leave a standard error of at
        most 0.016.
    seed : int
        The same seed gives the same table.
    model : ReaderModel, optional
        How readers differ.
    progress : Progress, optional
        Receives the number of simulated studies.

    Raises
    ------
    CowganError
        A parameter is out of range.
    Cancelled
        The user cancelled.
    """
    check_margin(margin)
    if not 0.5 < accuracy < 1:
        raise CowganError(f"The accuracy to detect must lie between 0.5 and 1, not at {accuracy}.")
    if min(readers) < LEAST_READERS:
        raise CowganError(f"A study of readers in general needs {LEAST_READERS} or more.")
    if any(n < 4 or n % 2 for n in cases):
        raise CowganError("The number of cases must be even, and 4 or more.")
    if replicates < 1:
        raise CowganError("Power is simulated with one or more studies.")
    model, progress = model or ReaderModel(), progress or Silent()
    # Unbiased accuracy p means a distance of 2 z(p) between the kinds.
    distance = 2 * float(stats.norm.ppf(accuracy))
    sizes = [(r, c) for r in readers for c in cases]
    done, total = 0, 2 * replicates * len(sizes)
    cells = []
    for size in sizes:
        rates = []
        for d_prime in (distance, 0.0):
            random = stream(f"power {size} {d_prime}", seed)
            positive = np.zeros(2)
            for start in range(0, replicates, _BATCH):
                advance(progress, done, total)
                batch = min(_BATCH, replicates - start)
                ratings, generated = simulate_ratings(random, batch, *size, d_prime, model)
                positive += _decide(ratings, generated, margin).sum(axis=0)
                done += batch
            rates.append((positive / replicates).tolist())
        (detects, _), (false_alarm, equivalent) = rates
        cells.append(PowerCell(*size, detects, equivalent, false_alarm))
    advance(progress, total, total)
    return PowerTable(tuple(cells), accuracy, margin, replicates, seed, model)


def simulate_ratings(
    random: np.random.RandomState,
    studies: int,
    readers: int,
    cases: int,
    d_prime: float,
    model: ReaderModel,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Draw the ratings of simulated studies.

    Parameters
    ----------
    random : RandomState
        Source of randomness.
    studies, readers, cases : int
        Size.
    d_prime : float
        Mean d' of the readers.
    model : ReaderModel
        How cases and readers differ.

    Returns
    -------
    ratings : ndarray of int
        Shape (studies, readers, cases): signed ratings.
    generated : ndarray of bool
        Shape (cases,): the first half is.
    """
    generated = np.arange(cases) < cases // 2
    kind = np.where(generated, 0.5, -0.5)
    # What a reader sees of one kind spreads by noise and by the cases.
    spread = math.hypot(1, model.case_sd)
    distance = d_prime * spread + model.distance_sd * random.standard_normal((studies, readers, 1))
    preference = model.criterion_sd * random.standard_normal((studies, readers, 1))
    place = model.case_sd * random.standard_normal((studies, 1, cases))
    noise = random.standard_normal((studies, readers, cases))
    seen = distance * kind + place + noise - preference
    # A reader at chance and without preference uses all ratings equally often.
    limits = spread * stats.norm.ppf(0.5 + 0.5 * np.arange(1, HIGHEST) / HIGHEST)
    confidence = 1 + np.digitize(np.abs(seen), limits)
    return np.where(seen > 0, confidence, -confidence), generated


def _decide(
    ratings: NDArray[np.int64], generated: NDArray[np.bool_], margin: float
) -> NDArray[np.bool_]:
    """Return whether each study finds a difference, and whether equivalence: (studies, 2)."""
    found = estimate_mean_auc(ratings, generated)[1]
    distance = np.abs(found.mean - 0.5)
    differs = distance > stats.t.ppf(0.975, found.df) * found.standard_error
    equivalent = distance + stats.t.ppf(0.95, found.df) * found.standard_error < margin
    return np.stack([differs, equivalent], axis=-1)
