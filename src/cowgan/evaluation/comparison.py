"""Measures beside their floor, which is what they say of real against real, with intervals.

Every measure depends on the number of volumes, most are biased, and some prefer a generator that
makes only what is typical. So each is also taken between real volumes of different subjects, at
the same number, many times.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cowgan.data.subjects import first_of_each
from cowgan.errors import CowganError
from cowgan.estimates import Interval
from cowgan.evaluation.feature_rows import Rows, Standardisation
from cowgan.evaluation.manifolds import NEIGHBOURS
from cowgan.evaluation.measures import MEASURES, Measure, measure_pair
from cowgan.features.extractor import Recipe
from cowgan.features.store import FeatureBank
from cowgan.progress import Progress, Silent, advance
from cowgan.randomness import stream

REPEATS = 40
"""Random subsets that floors and intervals rest on."""

MIN_SUBJECTS = 2 * (NEIGHBOURS + 1)
"""Real subjects, and generated volumes, that a comparison takes."""

_LEVEL = 0.95
_Z = 1.96


class Spread(NamedTuple):
    """Median and the 5th and 95th percentile over random subsets."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> "Spread":
        """Return the spread of some values."""
        low, median, high = np.percentile(values, (5, 50, 95)).tolist()
        return cls(median, low, high)


@dataclass(frozen=True)
class MeasureResult:
    """A measure of generated volumes, beside that of real ones.

    Parameters
    ----------
    measure : Measure
        Which.
    estimate : Interval
        Over all volumes. The interval is that of half-subsamples, centred on the estimate.
    generated, real : Spread
        Of random subsets of `Comparison.n_subset` volumes: generated against real volumes, and
        real ones against those of other subjects.
    """

    measure: Measure
    estimate: Interval
    generated: Spread
    real: Spread

    @property
    def like_real(self) -> bool:
        """Whether generated volumes are within what real ones of other subjects reach."""
        median, (_, low, high) = self.generated.median, self.real
        if self.measure.reading == "low":
            return median <= high
        if self.measure.reading == "high":
            return median >= low
        return low <= median <= high


@dataclass(frozen=True)
class Comparison:
    """Generated volumes compared with a set of real ones.

    Parameters
    ----------
    recipe : Recipe
        What the features are.
    reference : str
        The real set.
    dimensions : int
        Number of features.
    n_real, n_generated : int
        Volumes, one per subject.
    n_subset : int
        Volumes on each side where generated and real are compared at equal number.
    results : tuple of MeasureResult
        In the order of `MEASURES`.
    """

    recipe: Recipe
    reference: str
    dimensions: int
    n_real: int
    n_generated: int
    n_subset: int
    results: tuple[MeasureResult, ...]

    def __getitem__(self, measure: Measure) -> MeasureResult:
        return next(result for result in self.results if result.measure == measure)


def compare(
    real: FeatureBank,
    generated: FeatureBank,
    others: FeatureBank | None = None,
    repeats: int = REPEATS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Compare generated volumes with real ones, and real ones with each other.

    Of each subject the first volume counts.

    Parameters
    ----------
    real, generated : FeatureBank
        Of one recipe.
    others : FeatureBank, optional
        Real volumes of other subjects, to compare `real` with, such as the training side if
        `real` is the holdout. Without them, two halves of the subjects of `real` are compared.
    repeats : int
        Number of random subsets.
    seed : int
        Seed of the subsets.
    progress : Progress, optional
        Reports each repetition.

    Raises
    ------
    CowganError
        There are too few subjects or volumes, or the recipes differ.
    Cancelled
        The user cancelled.
    """
    progress = progress or Silent()
    _require_one_recipe([real, generated, *([] if others is None else [others])])
    rows, made = _one_per_subject(real), _rows(generated)
    require_enough(len(rows), len(made))
    apart = None if others is None else _one_per_subject(others)
    scale = Standardisation(rows if apart is None else apart)
    random = stream("comparison", seed)
    n = min(len(rows) // 2 if apart is None else min(len(rows), len(apart)), len(made))
    found: dict[str, list[dict[str, float]]] = {"half": [], "generated": [], "real": []}
    for repeat in range(repeats):
        advance(progress, repeat, repeats, f"{generated.title} and {real.title}")
        half = _half(rows, random)
        scale_by = half if apart is None else _half(apart, random)
        found["half"].append(_measured(scale_by, half, _half(made, random)))
        shuffled = rows[random.permutation(len(rows))]
        reference, rest = shuffled[:n], shuffled[n:] if apart is None else apart
        of_reference = scale(reference)
        found["generated"].append(measure_pair(of_reference, scale(_draw(made, n, random))))
        found["real"].append(measure_pair(of_reference, scale(_draw(rest, n, random))))
    progress.report(repeats, repeats)
    whole = measure_pair(scale(rows), scale(made))
    results = []
    for measure in MEASURES:
        halves, of_generated, of_real = (
            np.array([one[measure.key] for one in found[name]]) for name in found
        )
        estimate = _centred(whole[measure.key], halves, len(rows) + len(made), measure.bounds)
        results.append(
            MeasureResult(measure, estimate, Spread.of(of_generated), Spread.of(of_real))
        )
    return Comparison(
        real.recipe, real.title, rows.shape[1], len(rows), len(made), n, tuple(results)
    )


@dataclass(frozen=True)
class ModelDifference:
    """How a measure differs between two models.

    Parameters
    ----------
    measure : Measure
        Which.
    first, second : float
        Of all volumes of each model.
    difference : Interval
        Second minus first. Its interval is that of half-subsamples, centred on the estimate.
    """

    measure: Measure
    first: float
    second: float
    difference: Interval


def compare_models(
    real: FeatureBank,
    first: FeatureBank,
    second: FeatureBank,
    repeats: int = REPEATS,
    seed: int = 0,
    progress: Progress | None = None,
) -> tuple[ModelDifference, ...]:
    """Compare two generated sets with the same real volumes.

    Of two sets of one length, such as those of the same seeds, the same volumes are drawn.

    Raises
    ------
    CowganError
        There are too few subjects or volumes, or the recipes differ.
    Cancelled
        The user cancelled.
    """
    progress = progress or Silent()
    _require_one_recipe([real, first, second])
    raw = _one_per_subject(real)
    require_enough(len(raw), min(len(first), len(second)))
    # One scale throughout: it is the unit of both models, and does not make one the better.
    scale = Standardisation(raw)
    rows, *made = (scale(of) for of in (raw, _rows(first), _rows(second)))
    paired = len(made[0]) == len(made[1])
    random = stream("model comparison", seed)
    halves: list[dict[str, float]] = []
    for repeat in range(repeats):
        advance(progress, repeat, repeats, f"{first.title} and {second.title}")
        reference = _half(rows, random)
        chosen = random.permutation(len(made[0]))[: len(made[0]) // 2]
        again = chosen if paired else random.permutation(len(made[1]))[: len(made[1]) // 2]
        one, other = (measure_pair(reference, of) for of in (made[0][chosen], made[1][again]))
        halves.append({key: other[key] - one[key] for key in one})
    progress.report(repeats, repeats)
    one, other = (measure_pair(rows, of) for of in made)
    return tuple(
        ModelDifference(
            measure,
            one[measure.key],
            other[measure.key],
            _centred(
                other[measure.key] - one[measure.key],
                np.array([half[measure.key] for half in halves]),
                len(rows) + sum(map(len, made)),
            ),
        )
        for measure in MEASURES
    )


def measures_of(real: FeatureBank, generated: FeatureBank) -> dict[str, float]:
    """Return all `MEASURES` by key, over all volumes and without intervals.

    Raises
    ------
    CowganError
        There are too few subjects or volumes, or the recipes differ.
    """
    _require_one_recipe([real, generated])
    rows = _one_per_subject(real)
    require_enough(len(rows), len(generated))
    return _measured(rows, rows, _rows(generated))


def require_enough(n_real: int, n_generated: int) -> None:
    """Raise `CowganError` if there are too few volumes to compare."""
    if n_real < MIN_SUBJECTS:
        raise CowganError(
            f"A comparison takes at least {MIN_SUBJECTS} real subjects, but there are {n_real}."
        )
    if n_generated < MIN_SUBJECTS:
        raise CowganError(
            f"A comparison takes at least {MIN_SUBJECTS} generated volumes, but there are "
            f"{n_generated}."
        )


def _require_one_recipe(banks: Sequence[FeatureBank]) -> None:
    if len({bank.recipe.sha256 for bank in banks}) > 1:
        raise CowganError("Only features of one recipe can be compared.")


def _one_per_subject(bank: FeatureBank) -> Rows:
    return _rows(bank)[first_of_each(bank.subjects)]


def _rows(bank: FeatureBank) -> Rows:
    if bank.features.shape[1] != 1:
        raise CowganError(f"{bank.recipe.name} describes slices and not volumes.")
    return np.asarray(bank.rows, np.float64)


def _measured(scale_by: Rows, real: Rows, generated: Rows) -> dict[str, float]:
    scale = Standardisation(scale_by)
    return measure_pair(scale(real), scale(generated))


def _half(rows: Rows, random: np.random.RandomState) -> Rows:
    return _draw(rows, len(rows) // 2, random)


def _draw(rows: Rows, n: int, random: np.random.RandomState) -> Rows:
    return rows[random.permutation(len(rows))[:n]]


def _centred(
    estimate: float,
    halves: NDArray[np.float64],
    n: int,
    bounds: tuple[float, float] = (-math.inf, math.inf),
) -> Interval:
    # Drawing with replacement would move the measure itself, by pairs of a volume with itself.
    # At half of the volumes, the spread of subsets is that of the estimate. Each half is
    # standardised by itself: a scale that all shared would leave out much of the spread.
    half_width = _Z * float(halves.std(ddof=1))
    low, high = bounds
    return Interval(
        estimate,
        max(estimate - half_width, low),
        min(estimate + half_width, high),
        _LEVEL,
        n,
        "half-subsamples of subjects",
    )
