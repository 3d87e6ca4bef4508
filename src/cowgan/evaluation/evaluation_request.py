"""A whole evaluation as it is asked for: which volumes, and what is added."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cowgan.data.scans import is_scan_folder
from cowgan.errors import CowganError
from cowgan.evaluation.evaluate import Evaluation, Sets, Stage, evaluate
from cowgan.evaluation.evaluation_report import Additions
from cowgan.evaluation.models import compare_two_models, sweep_psi
from cowgan.evaluation.training_curves import TrainingCurves
from cowgan.evaluation.volume_sets import open_generated, open_training
from cowgan.features.extractor import Extractor
from cowgan.report.drawing import require_libraries
from cowgan.volume.volume_set import VolumeSet


@dataclass(frozen=True)
class EvaluationRequest:
    """What is evaluated.

    Parameters
    ----------
    real : Path
        Bank that the model was trained on, or a folder of volumes.
    generated : Path, optional
        Folder of generated volumes, or a model to generate them; None for the bundled model.
    count : int, optional
        Volumes that a model generates, see `cowgan.evaluation.volume_sets.open_generated`.
    psi : float
        Truncation of a model; 1 is none.
    against : Path, optional
        A second model or folder, to compare with the first.
    psi_sweep : bool
        Measure the model at several truncations.
    run : Path, optional
        Training run, whose curves are added.
    seed : int
        Seed of random subsets.
    """

    real: Path
    generated: Path | None
    count: int | None = None
    psi: float = 1.0
    against: Path | None = None
    psi_sweep: bool = False
    run: Path | None = None
    seed: int = 0

    def open_sets(self) -> Sets:
        """Open the volumes.

        Raises
        ------
        CowganError
            They are missing, or cannot be read.
        """
        return Sets(self._open(self._source), *open_training(self.real))

    def carry_out(
        self,
        stage: Stage,
        cache: Path | None = None,
        jobs: int | None = None,
        published: Sequence[Extractor] = (),
        extractors: Sequence[Extractor] = (),
    ) -> tuple[Evaluation, Additions]:
        """Evaluate the volumes; parameters are those of `cowgan.evaluation.evaluate.evaluate`.

        Without extractors, volumes are compared by EfficientNet.

        Raises
        ------
        CowganError
            The volumes cannot be compared, or a package is not installed that features or reports
            need.
        Cancelled
            The user cancelled.
        """
        if self.psi_sweep and is_scan_folder(self._source):
            raise CowganError("A sweep of truncations needs a model, not a folder.")
        require_libraries()
        curves = None if self.run is None else TrainingCurves.of_run(self.run)
        sets = self.open_sets()
        other = None if self.against is None else self._open(self.against)
        if not extractors:
            # Loading PyTorch takes seconds, and the volumes may have been refused until here.
            from cowgan.features.efficientnet import EfficientNetFeatures

            extractors = [EfficientNetFeatures()]
        main = extractors[0]
        found = evaluate(sets, extractors, stage, cache, jobs, self.seed, published)
        models = sweep = None
        if other is not None:
            models = compare_two_models(found.sets, other, main, stage, cache, jobs, self.seed)
        if self.psi_sweep:
            sweep = sweep_psi(self._source, found.sets, main, stage, cache=cache, jobs=jobs)
        return found, Additions(curves, models, sweep)

    @property
    def _source(self) -> Path:
        if self.generated is not None:
            return self.generated
        from cowgan.checkpoint import BUNDLED

        return BUNDLED

    def _open(self, source: Path) -> VolumeSet:
        compared = [self._source, *([] if self.against is None else [self.against])]
        # A number is meant for the models; if there is none, it is refused.
        of_folder = is_scan_folder(source) and not all(map(is_scan_folder, compared))
        return open_generated(source, None if of_folder else self.count, self.psi)
