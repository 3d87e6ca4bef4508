"""The evaluation of generated volumes, from volumes to numbers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from cowgan.errors import CowganError
from cowgan.evaluation.appearance import (
    Appearance,
    differences_in_appearance,
    require_finite,
    require_one_grid,
)
from cowgan.evaluation.comparison import Comparison, compare, require_enough
from cowgan.evaluation.feature_rows import Standardisation
from cowgan.evaluation.manifolds import authentic_share, realism_scores
from cowgan.evaluation.measures import MEASURES
from cowgan.evaluation.published_recipe import (
    FEWEST_VOLUMES,
    PublishedMeasure,
    published_measures,
)
from cowgan.evaluation.replicas import (
    FALSE_ALARMS,
    Membership,
    Replicas,
    find_replicas,
    infer_membership,
    vessel_maps_of,
)
from cowgan.evaluation.vessels import VesselDifference, VesselFeatures, compare_vessels
from cowgan.evaluation.volume_sets import FirstVolumes, on_grid_of
from cowgan.features.extractor import Extractor
from cowgan.features.store import FeatureBank, extract_features
from cowgan.pool import available_cores
from cowgan.progress import Progress
from cowgan.randomness import stream
from cowgan.volume.volume_set import VolumeSet

Stage = Callable[[str], AbstractContextManager[Progress]]
"""Begins a named part of the work and returns its progress, such as a progress bar."""

_SMALL = 50


@dataclass(frozen=True)
class Sets:
    """The volumes that are compared.

    Parameters
    ----------
    generated : VolumeSet
        What a model made.
    training : VolumeSet
        Real volumes that the model learned from.
    holdout : VolumeSet, optional
        Real volumes of subjects that it never saw.
    """

    generated: VolumeSet
    training: VolumeSet
    holdout: VolumeSet | None = None

    @property
    def real(self) -> list[VolumeSet]:
        """The real ones."""
        return [self.training] if self.holdout is None else [self.training, self.holdout]

    @property
    def first_real(self) -> list[VolumeSet]:
        """The first volume of each real subject."""
        return [FirstVolumes(volumes) for volumes in self.real]

    def on_one_grid(self) -> "Sets":
        """Return sets of which the real ones have the grid of the generated, if it is coarser."""
        training, *rest = (on_grid_of(real, self.generated) for real in self.real)
        return Sets(self.generated, training, *rest)


@dataclass(frozen=True)
class Authenticity:
    """Share of volumes that are farther from their nearest training volume than that from others.

    Parameters
    ----------
    generated : float
        Of generated volumes.
    holdout : float, optional
        Of held-out ones, which copy nobody.
    """

    generated: float
    holdout: float | None


@dataclass(frozen=True)
class PublishedResult:
    """A measure of the paper, beside that of two halves of the training volumes.

    Parameters
    ----------
    generated : PublishedMeasure
        Of all training volumes and all generated ones.
    halves : PublishedMeasure
        Of two random halves of the training volumes, as the paper compares them. They have half
        as many volumes, so their distance is larger than that of as many real ones would be.
    """

    generated: PublishedMeasure
    halves: PublishedMeasure


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that an evaluation found.

    Parameters
    ----------
    sets : Sets
        What was compared.
    comparisons : tuple of Comparison
        For each extractor with the training volumes, then with the holdout.
    authenticity : Authenticity
        By the first extractor.
    realism, nearest : ndarray, shape (n,)
        Of each generated volume: its realism score, and the place of the nearest of the training
        volumes that are the first of their subject, by the first extractor.
    published : tuple of PublishedResult
        The measures of the paper, of the extractors that were given for them.
    vessels : tuple of VesselDifference
        Measured anatomy, compared with the holdout, or with training volumes without one.
    vessel_features : tuple of FeatureBank
        Those of the generated and the real sets, in the order of `sets`.
    appearance : tuple of FeatureBank
        Likewise, see `cowgan.evaluation.appearance`.
    replicas : Replicas, optional
        None if there are too few training subjects to calibrate a search.
    membership : Membership, optional
        None without holdout.
    warnings : tuple of str
        What limits the conclusions, in sentences.
    """

    sets: Sets
    comparisons: tuple[Comparison, ...]
    authenticity: Authenticity
    realism: NDArray[np.float64]
    nearest: NDArray[np.intp]
    published: tuple[PublishedResult, ...]
    vessels: tuple[VesselDifference, ...]
    vessel_features: tuple[FeatureBank, ...]
    appearance: tuple[FeatureBank, ...]
    replicas: Replicas | None
    membership: Membership | None
    warnings: tuple[str, ...]

    @property
    def main(self) -> Comparison:
        """The comparison that decides: by the first extractor, with the holdout if there is one."""
        first = self.comparisons[0].recipe
        return [one for one in self.comparisons if one.recipe == first][-1]


def evaluate(
    sets: Sets,
    extractors: Sequence[Extractor],
    stage: Stage,
    cache: Path | None = None,
    jobs: int | None = None,
    seed: int = 0,
    published: Sequence[Extractor] = (),
) -> Evaluation:
    """Evaluate generated volumes.

    Parameters
    ----------
    sets : Sets
        Real volumes are averaged to the grid of the generated ones if that is coarser.
    extractors : sequence of Extractor
        What to compare volumes by; the first decides.
    stage : Stage
        Shows the progress of each part.
    cache : Path, optional
        See `cowgan.features.store.extract_features`.
    jobs : int, optional
        Number of processes; by default one per core.
    seed : int
        Seed of random subsets.
    published : sequence of Extractor
        Of the measures of the paper, see `cowgan.evaluation.published_recipe`.

    Raises
    ------
    CowganError
        There are too few volumes, a volume cannot be read, or their grids differ.
    Cancelled
        The user cancelled.
    """
    _require_separate_subjects(sets)
    require_enough(min(len(set(real.subjects)) for real in sets.real), len(sets.generated.names))
    if published:
        _require_enough_for_paper(sets)
    sets = sets.on_one_grid()
    workers = jobs or available_cores()
    extraction = _Extraction(sets, stage, cache, workers)
    appearance = extraction.features(Appearance(), sets.first_real)
    require_one_grid(appearance)
    require_finite(appearance)
    described = [extraction.features(extractor, sets.first_real) for extractor in extractors]
    comparisons = [one for banks in described for one in _comparisons(banks, stage, seed)]
    of_paper: list[PublishedResult] = []
    for extractor in published:
        generated, training = extraction.features(extractor, [sets.training])
        with stage(f"{extractor.recipe.name}: measures of the paper"):
            of_paper.extend(_published(training, generated, seed))
    vessels = extraction.features(VesselFeatures(), sets.first_real)
    with stage("Comparing vessels"):
        differences = compare_vessels(vessels[-1], vessels[0], seed)
    replicas, membership = _search_replicas(sets, stage, cache, workers)
    realism, nearest, authenticity = _by_volume(*described[0])
    warnings = [
        *_warnings_on_numbers(comparisons),
        *differences_in_appearance(appearance[1], appearance[0]),
        *_warnings_on_overlap(sets),
        *([_NO_SEARCH] if replicas is None else []),
    ]
    return Evaluation(
        sets,
        tuple(comparisons),
        authenticity,
        realism,
        nearest,
        tuple(of_paper),
        tuple(differences),
        tuple(vessels),
        tuple(appearance),
        replicas,
        membership,
        tuple(warnings),
    )


@dataclass(frozen=True)
class _Extraction:
    """How features are found."""

    sets: Sets
    stage: Stage
    cache: Path | None
    jobs: int

    def features(self, extractor: Extractor, real: Sequence[VolumeSet]) -> list[FeatureBank]:
        """Return the features of the generated volumes and of real sets."""
        banks = []
        for volumes in (self.sets.generated, *real):
            with self.stage(f"{extractor.recipe.name}: {volumes.title}") as progress:
                banks.append(extract_features(volumes, extractor, self.cache, self.jobs, progress))
        return banks


def _comparisons(banks: Sequence[FeatureBank], stage: Stage, seed: int) -> Iterator[Comparison]:
    """Compare with the training volumes, then with the holdout, if any."""
    generated, training, *held_out = banks
    name = generated.recipe.name
    with stage(f"{name}: comparing") as progress:
        yield compare(training, generated, seed=seed, progress=progress)
    for holdout in held_out:
        with stage(f"{name}: comparing with the holdout") as progress:
            yield compare(holdout, generated, training, seed=seed, progress=progress)


_NO_SEARCH = (
    f"No search for replicas: at a false alarm rate of {FALSE_ALARMS:.0%} it takes "
    f"{round(1 / FALSE_ALARMS)} training subjects."
)


def _require_enough_for_paper(sets: Sets) -> None:
    # Two halves of the training volumes are compared, too.
    training, generated = len(sets.training.names), len(sets.generated.names)
    if training < 2 * FEWEST_VOLUMES or generated < FEWEST_VOLUMES:
        raise CowganError(
            f"The measures of the paper take at least {2 * FEWEST_VOLUMES} training volumes and "
            f"{FEWEST_VOLUMES} generated ones, not {training} and {generated}."
        )


def _published(
    training: FeatureBank, generated: FeatureBank, seed: int
) -> Iterator[PublishedResult]:
    order = stream("published halves", seed).permutation(len(training))
    middle = len(order) // 2
    one, other = (training.of(half) for half in (order[:middle], order[middle : 2 * middle]))
    for measure, halves in zip(
        published_measures(training, generated, seed),
        published_measures(one, other, seed),
        strict=True,
    ):
        yield PublishedResult(measure, halves)


def _search_replicas(
    sets: Sets, stage: Stage, cache: Path | None, jobs: int
) -> tuple[Replicas | None, Membership | None]:
    if len(set(sets.training.subjects)) < 1 / FALSE_ALARMS:
        return None, None
    maps = []
    for volumes in (sets.generated, *sets.real):
        with stage(f"Vessel masks of {volumes.title}") as progress:
            maps.append(vessel_maps_of(volumes, cache, jobs, progress))
    with stage("Searching for replicas") as progress:
        replicas = find_replicas(maps[0], maps[1], FALSE_ALARMS, progress)
    if sets.holdout is None:
        return replicas, None
    with stage("Membership") as progress:
        return replicas, infer_membership(maps[0], maps[1], maps[2], progress)


def _by_volume(
    generated: FeatureBank, training: FeatureBank, holdout: FeatureBank | None = None
) -> tuple[NDArray[np.float64], NDArray[np.intp], Authenticity]:
    """Return realism and nearest training volume of each, and their authenticity."""
    scale = Standardisation(training.rows)
    made, learned = scale(generated.rows), scale(training.rows)
    of_holdout = None
    if holdout is not None:
        of_holdout = authentic_share(learned, scale(holdout.rows))
    return (
        realism_scores(learned, made),
        cdist(learned, made).argmin(0),
        Authenticity(authentic_share(learned, made), of_holdout),
    )


def _warnings_on_numbers(comparisons: Sequence[Comparison]) -> Iterator[str]:
    fewest = min(comparisons, key=lambda one: one.n_subset)
    n = fewest.n_subset
    if n < _SMALL:
        yield (
            f"With {n} volumes on each side, the comparison with the {fewest.reference} sees large "
            "differences only."
        )
    features = {one.recipe.name: one.dimensions for one in comparisons}
    for name, dimensions in features.items():
        for measure in MEASURES:
            if n < measure.volumes_per_feature * dimensions:
                yield (
                    f"{measure.title} of {dimensions} features ({name}) says little at {n} "
                    "volumes; judge by the kernel distance and recall."
                )


def _warnings_on_overlap(sets: Sets) -> list[str]:
    made = {sets.generated.content(i) for i in range(len(sets.generated.names))}
    found = []
    for real in sets.real:
        shared = [name for i, name in enumerate(real.names) if real.content(i) in made]
        if shared:
            found.append(
                f"{len(shared)} files are in both sets, such as {shared[0]}: the generated "
                f"volumes contain real ones of the {real.title}."
            )
    return found


def _require_separate_subjects(sets: Sets) -> None:
    if sets.holdout is None:
        return
    both = sorted(set(sets.training.subjects) & set(sets.holdout.subjects))
    if both:
        raise CowganError(
            f"{len(both)} subjects are in the training set and in the holdout, such as {both[0]}."
        )
