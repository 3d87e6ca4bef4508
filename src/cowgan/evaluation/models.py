"""Two models compared, and one model at several truncations."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cowgan.evaluation.comparison import ModelDifference, compare_models, measures_of
from cowgan.evaluation.evaluate import Sets, Stage
from cowgan.evaluation.volume_sets import GeneratedVolumes
from cowgan.features.extractor import Extractor
from cowgan.features.store import extract_features
from cowgan.pool import available_cores
from cowgan.progress import advance
from cowgan.volume.volume_set import VolumeSet

PSIS = (0.4, 0.55, 0.7, 0.85, 1.0)
"""Truncations of a sweep; 1 is none."""


@dataclass(frozen=True)
class TwoModels:
    """Two generated sets, compared with the same real volumes.

    Parameters
    ----------
    first, second : str
        What they are.
    reference : str
        The real set.
    extractor : str
        Name of the features.
    differences : tuple of ModelDifference
        One per measure.
    """

    first: str
    second: str
    reference: str
    extractor: str
    differences: tuple[ModelDifference, ...]


@dataclass(frozen=True)
class PsiSweep:
    """A model at several truncations: quality against variety.

    Parameters
    ----------
    model : str
        What it is.
    reference : str
        The real set.
    extractor : str
        Name of the features.
    psis : tuple of float
        Truncations.
    measures : tuple of dict of str to float
        At each, by the keys of `cowgan.evaluation.measures.MEASURES`.
    """

    model: str
    reference: str
    extractor: str
    psis: tuple[float, ...]
    measures: tuple[dict[str, float], ...]


def compare_two_models(
    sets: Sets,
    other: VolumeSet,
    extractor: Extractor,
    stage: Stage,
    cache: Path | None = None,
    jobs: int | None = None,
    seed: int = 0,
) -> TwoModels:
    """Compare a second generated set with the one of `sets`, against the last real set.

    All are of one grid, see `Sets.on_one_grid`.

    Raises
    ------
    CowganError
        There are too few volumes, or one cannot be read.
    Cancelled
        The user cancelled.
    """
    workers = jobs or available_cores()
    banks = []
    for volumes in (sets.first_real[-1], sets.generated, other):
        with stage(f"{extractor.recipe.name}: {volumes.title}") as progress:
            banks.append(extract_features(volumes, extractor, cache, workers, progress))
    real, first, second = banks
    with stage("Comparing two models") as progress:
        differences = compare_models(real, first, second, seed=seed, progress=progress)
    titles = (sets.generated.title, other.title, sets.real[-1].title)
    return TwoModels(*titles, extractor.recipe.name, differences)


def sweep_psi(
    checkpoint: Path,
    sets: Sets,
    extractor: Extractor,
    stage: Stage,
    psis: Sequence[float] = PSIS,
    cache: Path | None = None,
    jobs: int | None = None,
) -> PsiSweep:
    """Measure a model at several truncations, against the last real set of its grid.

    Parameters
    ----------
    checkpoint : Path
        The model; it generates as many volumes as `sets` holds, of the same seeds.

    Raises
    ------
    CowganError
        There are too few volumes, or one cannot be read.
    Cancelled
        The user cancelled.
    """
    workers = jobs or available_cores()
    with stage(f"{extractor.recipe.name}: {sets.real[-1].title}") as progress:
        real = extract_features(sets.first_real[-1], extractor, cache, workers, progress)
    measures = []
    for psi in psis:
        volumes = GeneratedVolumes(checkpoint, len(sets.generated.names), psi)
        with stage(f"Truncation {psi:g}") as progress:
            made = extract_features(volumes, extractor, cache, workers, progress)
            advance(progress, len(made), len(made))
            measures.append(measures_of(real, made))
    return PsiSweep(
        sets.generated.title,
        sets.real[-1].title,
        extractor.recipe.name,
        tuple(psis),
        tuple(measures),
    )
