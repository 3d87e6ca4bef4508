"""Evaluations read again from their folders."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.evaluation.comparison import Spread
from cowgan.evaluation.evaluation_files import JSON_FILE
from cowgan.evaluation.evaluation_request import EvaluationRequest
from cowgan.report.blocks import Box


@dataclass(frozen=True)
class StoredMeasure:
    """A measure, see `cowgan.evaluation.comparison.MeasureResult`."""

    generated: Spread
    real: Spread
    like_real: bool


@dataclass(frozen=True)
class StoredExtractor:
    """What volumes were compared by, see `cowgan.features.extractor.Recipe`."""

    name: str
    recipe_sha256: str


@dataclass(frozen=True)
class StoredComparison:
    """A comparison, see `cowgan.evaluation.comparison.Comparison`; measures by key."""

    extractor: StoredExtractor
    reference: str
    n_subset: int
    measures: dict[str, StoredMeasure]


@dataclass(frozen=True)
class StoredVolume:
    """A generated volume, and the nearest training volume by features."""

    generated: str
    realism: float
    nearest_training: str


@dataclass(frozen=True)
class StoredPair:
    """A generated volume, and the training volume whose arteries are most alike.

    See `cowgan.evaluation.replicas.Match`.
    """

    generated: str
    training: str
    mirrored: bool
    part: str
    dice: float
    p: float
    flagged: bool


@dataclass(frozen=True)
class StoredReplicas:
    """The result of a search for replicas, the most similar pairs first."""

    pairs: tuple[StoredPair, ...]


@dataclass(frozen=True)
class StoredEvaluation:
    """What ``report.json`` holds of an evaluation, as far as it is shown again.

    Parameters
    ----------
    request : EvaluationRequest, optional
        Where the volumes are; None if they were only in memory.
    generated, training : str
        What was compared.
    verdict : Box
        See `cowgan.evaluation.evaluation_report.verdict`.
    comparisons : tuple of StoredComparison
        By each extractor with each real set; at least one.
    volumes : tuple of StoredVolume
        All generated ones.
    replicas : StoredReplicas, optional
        None if they were not searched.
    """

    format: Literal["cowgan.evaluation/1"]
    request: EvaluationRequest | None
    generated: str
    training: str
    verdict: Box
    comparisons: tuple[StoredComparison, ...]
    volumes: tuple[StoredVolume, ...]
    replicas: StoredReplicas | None

    def __post_init__(self) -> None:
        if not self.comparisons:
            raise CowganError("it holds no comparison")

    @property
    def main(self) -> StoredComparison:
        """The comparison that decides, see `cowgan.evaluation.evaluate.Evaluation.main`."""
        first = self.comparisons[0].extractor
        return [one for one in self.comparisons if one.extractor == first][-1]

    @property
    def least_realistic_first(self) -> list[StoredVolume]:
        """The generated volumes."""
        return sorted(self.volumes, key=lambda volume: volume.realism)


def is_evaluation(folder: Path) -> bool:
    """Return whether a folder holds an evaluation."""
    return (folder / JSON_FILE).is_file()


def read_evaluation(folder: Path) -> StoredEvaluation:
    """Read an evaluation.

    Raises
    ------
    CowganError
        The folder holds none, or a damaged one.
    """
    path = Path(folder) / JSON_FILE
    if not path.is_file():
        raise CowganError(f"{folder} holds no evaluation: {JSON_FILE} is missing.")
    return read_json(path, StoredEvaluation, other_versions=True)
