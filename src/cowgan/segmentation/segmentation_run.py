"""Start and resume the training of a segmentation network in a folder of its own."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cowgan._version import __version__
from cowgan.bank.split import split_by_subject
from cowgan.errors import Cancelled, CowganError
from cowgan.files import write_json
from cowgan.progress import Progress, Silent, advance
from cowgan.segmentation.case_source import CaseSource, read_source, write_source
from cowgan.segmentation.fitting import Fitting
from cowgan.segmentation.labelled_cases import LabelledCases
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.segmentation.segmenter import Segmenter
from cowgan.segmentation.segmenter_files import (
    MODEL_FILE,
    SegmenterCard,
    SegmenterModel,
    save_segmenter,
)
from cowgan.segmentation.validation import MEAN_DICE, dice_column, validate
from cowgan.training.config_files import CONFIG_FILE, write_config
from cowgan.training.distributed import SINGLE_PROCESS, ProcessGroup
from cowgan.training.log import LOG_FILE, LogWriter
from cowgan.training.peak_memory import peak_memory_mb
from cowgan.training.remote_control import RemoteControl
from cowgan.training.run_control import controlled
from cowgan.training.state_files import (
    StateFiles,
    moments,
    part_of,
    require_no_state,
    restore_moments,
    unfit_state,
)
from cowgan.training.tensorboard import tensorboard_writer

SUBJECTS_FILE = "subjects.json"
"""Which subjects the network learned from, and which chose the best step."""


@dataclass(frozen=True)
class SegmentationState:
    """The part of a state that is not tensors.

    Parameters
    ----------
    config : dict
        Settings of the run, for `SegmentationConfig.from_dict`.
    step, skipped : int
        Completed steps, and those without an update.
    best : float
        Best mean Dice so far; -1 before the first validation.
    scaler : dict
        State of the loss scaler.
    cases_sha256 : str
        Hash of all labelled cases.
    written_by : str
        Software and version.
    """

    config: dict[str, Any]
    step: int
    skipped: int
    best: float
    scaler: dict[str, Any]
    cases_sha256: str
    written_by: str


_FILES = StateFiles("cowgan-segmentation-state", SegmentationState)


def train_segmenter(
    folder: Path,
    cases: LabelledCases,
    config: SegmentationConfig,
    device: str = "auto",
    progress: Progress | None = None,
    watch: Callable[[dict[str, Any]], None] | None = None,
    processes: ProcessGroup = SINGLE_PROCESS,
    source: CaseSource | None = None,
) -> None:
    """Train a segmentation network in a new folder, to the end.

    Parameters
    ----------
    folder : Path
        Folder of the run; must not hold the state of one.
    cases : LabelledCases
        Cases to learn from, of which a share of the subjects chooses the best step instead.
    config : SegmentationConfig
        Settings of the run.
    device : str
        "auto", "cpu", "cuda", "cuda:1".
    progress : Progress, optional
        Reports every step; cancelling it saves the state first.
    watch : callable, optional
        Called with each row of the log.
    processes : ProcessGroup
        See `cowgan.training.distributed.join_processes`.
    source : CaseSource, optional
        Where the cases come from, for `resume_segmenter`.

    Raises
    ------
    CowganError
        The folder holds a run, or training failed.
    Cancelled
        The user stopped training; the run can be resumed.
    """
    folder = Path(folder)
    if processes.is_leader:
        require_no_state(folder)
    with controlled(folder, 0, config.steps, processes) as control:
        run = _Run(folder, cases, config, device, processes)
        if control is not None:
            write_config(config, folder / CONFIG_FILE)
            write_json(folder / SUBJECTS_FILE, run.subjects)
            if source is not None:
                write_source(source, folder)
            run.save()
        run.train(control, progress or Silent(), watch)


def resume_segmenter(
    folder: Path,
    cases: LabelledCases | None = None,
    device: str = "auto",
    steps: int | None = None,
    progress: Progress | None = None,
    watch: Callable[[dict[str, Any]], None] | None = None,
    processes: ProcessGroup = SINGLE_PROCESS,
) -> None:
    """Resume a run from its last saved state; see `train_segmenter`.

    Parameters
    ----------
    cases : LabelledCases, optional
        By default those that the run started with, in their original place.
    steps : int, optional
        New length of the run, which also stretches the fall of the learning rate.

    Raises
    ------
    CowganError
        There is no intact state, or it belongs to other cases, or these cannot be found.
    """
    folder = Path(folder)
    stored = read_segmentation_state(folder)
    config = SegmentationConfig.from_dict(stored.config).with_changes(steps=steps)
    with controlled(folder, stored.step, config.steps, processes) as control:
        progress = progress or Silent()
        if cases is None:
            cases = read_source(folder).read(progress)
        run = _Run(folder, cases, config, device, processes)
        run.load()
        run.train(control, progress, watch)


def read_segmentation_state(folder: Path) -> SegmentationState:
    """Return the state of a run, without its tensors.

    Raises
    ------
    CowganError
        The folder holds no valid state of a segmentation network.
    """
    return _FILES.read_description(folder)


class _Run:
    """The training of a segmentation network in a folder."""

    def __init__(
        self,
        folder: Path,
        cases: LabelledCases,
        config: SegmentationConfig,
        device: str,
        processes: ProcessGroup,
    ) -> None:
        self._folder = folder
        self._cases_sha256 = cases.sha256
        learned, self._validation = _split(cases, config)
        self.subjects = {
            "training": sorted({case.subject for case in learned.cases}),
            "validation": sorted({case.subject for case in self._validation.cases}),
        }
        self._fitting = Fitting(config, learned, device, processes)
        self._best = -1.0

    def save(self) -> None:
        """Save the state, from which the run can be resumed exactly."""
        fitting = self._fitting
        tensors = {
            **{f"network/{name}": weight for name, weight in fitting.network.weights().items()},
            **moments(fitting.optimiser.adam, fitting.network, "adam"),
        }
        state = SegmentationState(
            fitting.config.to_dict(),
            fitting.step_count,
            fitting.skipped,
            self._best,
            fitting.precision.scaler.state_dict(),
            self._cases_sha256,
            f"napari-cowgan {__version__}",
        )
        _FILES.write(self._folder, tensors, state)

    def load(self) -> None:
        """Load the last saved state."""
        tensors, state = _FILES.read(self._folder)
        if state.cases_sha256 != self._cases_sha256:
            raise CowganError(
                "This run learned from other cases, or they have changed; a run can only be "
                "resumed with the data it started with."
            )
        fitting = self._fitting
        try:
            fitting.network.load_weights(part_of(tensors, "network/"))
            restore_moments(fitting.optimiser.adam, fitting.network, part_of(tensors, "adam/"))
            fitting.precision.scaler.load_state_dict(state.scaler)
        except (KeyError, RuntimeError, CowganError) as error:
            raise unfit_state(self._folder, error) from error
        fitting.step_count, fitting.skipped, self._best = state.step, state.skipped, state.best

    def train(
        self,
        control: RemoteControl | None,
        progress: Progress,
        watch: Callable[[dict[str, Any]], None] | None,
    ) -> None:
        """Train to the end; without a control, as a process that follows the leader."""
        fitting = self._fitting
        steps, processes = fitting.config.steps, fitting.processes
        if control is None:
            while fitting.step_count < steps and not processes.synchronise():
                fitting.step()
            return
        control.begin(str(fitting.device))
        scheme = fitting.cases.scheme
        columns = [dice_column(scheme, value) for value in fitting.classes.values]
        log = LogWriter(
            self._folder / LOG_FILE, fitting.step_count, ["loss", "rate", MEAN_DICE, *columns]
        )
        with closing(log), tensorboard_writer(self._folder, fitting.step_count) as tensorboard:

            def save() -> None:
                log.sync()
                self.save()

            try:
                while fitting.step_count < steps:
                    control.obey(progress, save)
                    advance(progress, fitting.step_count, steps, control.status.pace)
                    processes.synchronise()
                    start = time.perf_counter()
                    metrics = fitting.step()
                    row = self._row(metrics, time.perf_counter() - start, log.seconds)
                    row |= self._validated()
                    log.add(row)
                    control.record_step(row)
                    if tensorboard is not None:
                        tensorboard.add_row(row)
                    if watch is not None:
                        watch(row)
                    if fitting.step_count == steps or self._due(fitting.config.save_every):
                        save()
            except Cancelled:
                processes.synchronise(stop=True)
                control.set_state("saving")
                save()
                raise
        progress.report(steps, steps, control.status.pace)

    def _row(self, metrics: dict[str, float], seconds: float, before: float) -> dict[str, Any]:
        fitting = self._fitting
        count = fitting.config.images_per_step
        return {
            "step": fitting.step_count,
            "images": fitting.step_count * count,
            "seconds": round(before + seconds, 3),
            "images_per_s": round(count / seconds, 3),
            "peak_memory_mb": peak_memory_mb(fitting.device),
            **metrics,
        }

    def _validated(self) -> dict[str, float]:
        """Return scores if they are due, and keep the best network."""
        fitting, every = self._fitting, self._fitting.config.validate_every
        last = fitting.step_count == fitting.config.steps
        if not every or not len(self._validation):
            if last:
                save_segmenter(self._model({}), self._folder / MODEL_FILE)
            return {}
        if not last and not self._due(every):
            return {}
        scores = dict(validate(Segmenter([self._model({})], str(fitting.device)), self._validation))
        if scores[MEAN_DICE] > self._best:
            self._best = scores[MEAN_DICE]
            save_segmenter(self._model(scores), self._folder / MODEL_FILE)
        return scores

    def _due(self, every: int) -> bool:
        return self._fitting.step_count % every == 0

    def _model(self, scores: dict[str, float]) -> SegmenterModel:
        fitting = self._fitting
        subjects = len(self.subjects["training"])
        card = SegmenterCard(
            self._folder.resolve().name,
            f"Trained on {len(fitting.cases)} cases of {subjects} subjects for "
            f"{fitting.step_count:,} steps.",
            {
                "steps": fitting.step_count,
                "cases_sha256": self._cases_sha256,
                "extent_mm": fitting.cases.extent_mm,
                "training": fitting.config.to_dict(),
                "validation": scores,
            },
        )
        return SegmenterModel(fitting.network, fitting.cases.scheme, fitting.cases.spacing_mm, card)


def _split(cases: LabelledCases, config: SegmentationConfig) -> tuple[LabelledCases, LabelledCases]:
    """Return cases to learn from, and cases of other subjects that choose the best step."""
    sides = split_by_subject(
        [case.subject for case in cases.cases],
        config.holdout if config.validate_every else 0.0,
        config.seed,
        {case.subject: (case.subject, None) for case in cases.cases},
    )
    chosen = {subject for subject, side in sides.items() if side.split == "holdout"}
    everyone = {case.subject for case in cases.cases}
    return cases.of_subjects(everyone - chosen), cases.of_subjects(chosen)
