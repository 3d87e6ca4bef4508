"""A training run: a folder that holds its settings, state, log, pictures and checkpoints."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from cowgan._version import __version__
from cowgan.bank.bank import Bank
from cowgan.checkpoint import Checkpoint, ModelCard, save
from cowgan.documents import read_json
from cowgan.errors import Cancelled, CowganError
from cowgan.files import write_json
from cowgan.progress import Progress, Silent, advance
from cowgan.training.bank_subset import BankSubset
from cowgan.training.config import TrainingConfig, write_config
from cowgan.training.distributed import SINGLE_PROCESS, ProcessGroup
from cowgan.training.generator import Generator
from cowgan.training.holdout_metrics import HoldoutMetrics
from cowgan.training.linear_start import start_linearly
from cowgan.training.log import LOG_FILE, LogWriter
from cowgan.training.metrics import SAMPLES, Metric, MipCorrelation
from cowgan.training.remote_control import RemoteControl
from cowgan.training.samples import sample_sheet, sample_volumes
from cowgan.training.state import (
    StateDescription,
    has_state,
    load_state,
    read_description,
    read_ema,
    save_state,
    state_description,
)
from cowgan.training.tensorboard import TensorBoardWriter, tensorboard_available
from cowgan.training.trainer import Trainer
from cowgan.training.warm_start import InitialWeights, grow_from

CONFIG_FILE = "config.toml"
RUN_FILE = "run.json"
SAMPLES_FOLDER = "samples"
BEST_FILE = "best.safetensors"
"""The averaged generator that came nearest to held-out people, so far."""

BEST_BY = "kernel_distance"
_NO_MEMORY = "DefaultCPUAllocator"
Watcher = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class RunDescription:
    """What ``run.json`` says.

    Parameters
    ----------
    bank : str
        Folder of the bank that the run began with.
    bank_sha256 : str
        Its hash.
    init_from : str or None
        Where the first weights come from, see `InitialWeights`; None if they were random.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    written_by : str
        Software and version.
    """

    bank: str
    bank_sha256: str
    init_from: str | None
    spacing_mm: tuple[float, float, float]
    written_by: str


def start_run(
    folder: Path,
    bank: Bank,
    config: TrainingConfig,
    device: str = "auto",
    init_from: InitialWeights | None = None,
    progress: Progress | None = None,
    watch: Watcher | None = None,
    processes: ProcessGroup = SINGLE_PROCESS,
    metrics: Sequence[Metric] = (),
) -> list[str]:
    """Begin a run in a new folder and train to its end.

    Parameters
    ----------
    folder : Path
        Must not hold the state of a run yet.
    bank : Bank
        What to learn from: its training side.
    config : TrainingConfig
        What and how.
    device : str
        "auto", "cpu", "cuda", "cuda:1".
    init_from : InitialWeights, optional
        Weights of smaller volumes to grow from, see `cowgan.training.warm_start.grow_from`.
    progress : Progress, optional
        Told after every step; stopping saves the state first.
    watch : callable, optional
        Given each row of the log.
    processes : ProcessGroup
        Those that train together, see `cowgan.training.distributed.join_processes`. All make this
        call; the leader alone writes, reports and watches.
    metrics : sequence of Metric
        What to measure now and then, beside the likeness of volumes.

    Returns
    -------
    list of str
        What could not be taken over from `init_from`.

    Raises
    ------
    CowganError
        The folder holds a run, the bank does not fit the network, or training failed.
    Cancelled
        The person stopped; the run can go on from where it is.
    """
    folder = Path(folder)
    if processes.is_leader and has_state(folder):
        raise CowganError(f"{folder} holds a run already; resume it, or choose another folder.")
    side = BankSubset(bank, config.network.volume_shape, bank.training)
    with _supervised(folder, 0, config.steps, processes) as remote_control, _enough_memory():
        trainer = Trainer(config, side, device, processes)
        notes = _begin(trainer, init_from, progress or Silent())
        if remote_control is None:
            _follow(trainer)
            return notes
        write_config(config, folder / CONFIG_FILE)
        description = RunDescription(
            str(bank.path),
            bank.sha256,
            None if init_from is None else init_from.source,
            side.spacing_mm,
            f"napari-cowgan {__version__}",
        )
        write_json(folder / RUN_FILE, asdict(description))
        save_state(trainer, folder, bank.sha256)
        _train(trainer, folder, bank, remote_control, progress or Silent(), watch, metrics)
    return notes


def _begin(
    trainer: Trainer, initial_weights: InitialWeights | None, progress: Progress
) -> list[str]:
    """Give a trainer its first weights; return what could not be taken over."""
    if initial_weights is not None:
        return grow_from(trainer, initial_weights)
    if trainer.config.start == "linear":
        start_linearly(trainer, progress)
    return []


def resume_run(
    folder: Path,
    bank: Bank | None = None,
    device: str = "auto",
    steps: int | None = None,
    progress: Progress | None = None,
    watch: Watcher | None = None,
    processes: ProcessGroup = SINGLE_PROCESS,
    metrics: Sequence[Metric] = (),
) -> None:
    """Go on with a run from its last saved state; see `start_run`.

    Parameters
    ----------
    bank : Bank, optional
        By default the one that the run began with, from where it was.
    steps : int, optional
        A new length of the run.
    """
    folder = Path(folder)
    description = read_description(folder)
    wanted = {} if steps is None else {"steps": steps}
    if gone := set(description.config) - {one.name for one in fields(TrainingConfig)}:
        raise CowganError(
            f"The run in {folder} was begun by an older version, whose recipe is no more; export "
            "it, or grow a new run from it.",
            f"settings {sorted(gone)}",
        )
    config = TrainingConfig.from_dict({**description.config, **wanted})
    step = description.counters.step
    with _supervised(folder, step, config.steps, processes) as remote_control, _enough_memory():
        bank = bank or Bank.open(Path(read_run(folder).bank))
        side = BankSubset(bank, config.network.volume_shape, bank.training)
        trainer = Trainer(config, side, device, processes)
        load_state(trainer, folder, bank.sha256)
        if remote_control is None:
            _follow(trainer)
            return
        _train(trainer, folder, bank, remote_control, progress or Silent(), watch, metrics)


def read_run(folder: Path) -> RunDescription:
    """Return what ``run.json`` says."""
    path = Path(folder) / RUN_FILE
    if not path.is_file():
        raise CowganError(f"{folder} is not a training run: it has no {RUN_FILE}.")
    return read_json(path, RunDescription)


def export_run(folder: Path, target: Path, card: ModelCard | None = None) -> None:
    """Write the averaged generator of a run as a checkpoint.

    Raises
    ------
    CowganError
        The folder holds no whole state, or the checkpoint cannot be written.
    """
    folder = Path(folder)
    average, _, description = read_ema(folder)
    save(_checkpoint(folder, average, description, card), Path(target))


def _checkpoint(
    folder: Path, average: Generator, description: StateDescription, card: ModelCard | None = None
) -> Checkpoint:
    config, step = description.config, description.counters.step
    images_seen = step * config["batch"] * config["accumulate"]
    card = card or ModelCard(
        name=folder.resolve().name,
        description=f"Trained for {step:,} steps ({images_seen:,} volumes).",
        provenance={
            "steps": step,
            "images_seen": images_seen,
            "bank_sha256": description.bank_sha256,
            "training": config,
        },
    )
    return Checkpoint(
        average.synthesis.config,
        average.mapping,
        average.published_synthesis(),
        card=card,
        spacing_mm=read_run(folder).spacing_mm,
    )


def _train(
    trainer: Trainer,
    folder: Path,
    bank: Bank,
    remote_control: RemoteControl,
    progress: Progress,
    watch: Watcher | None,
    metrics: Sequence[Metric],
) -> None:
    config, counters = trainer.config, trainer.counters
    if config.metrics_every and len(trainer.volumes) > 1:
        compared = HoldoutMetrics.of(bank, config.network.volume_shape)
        own: list[Metric] = [] if compared is None else [compared]
        metrics = (MipCorrelation.of(trainer.volumes, config.seed), *own, *metrics)
    measured = [name for metric in metrics for name in metric.names]

    def keep() -> None:
        log.keep()
        save_state(trainer, folder, bank.sha256)

    remote_control.begin(str(trainer.device))
    with (
        closing(LogWriter(folder / LOG_FILE, counters.step, measured)) as log,
        closing(TensorBoardWriter(folder, counters.step))
        if tensorboard_available()
        else nullcontext() as board,
    ):
        try:
            while counters.step < config.steps:
                remote_control.heed(progress, keep)
                advance(progress, counters.step, config.steps, remote_control.status.pace)
                trainer.processes.agree()
                start = time.perf_counter()
                told = trainer.step()
                row = _row(trainer, told, time.perf_counter() - start, log.seconds)
                if config.metrics_every and counters.step % config.metrics_every == 0:
                    row |= _measure(trainer, metrics)
                    if BEST_BY in row and row[BEST_BY] < log.least(BEST_BY):
                        description = state_description(trainer, bank.sha256)
                        save(_checkpoint(folder, trainer.ema, description), folder / BEST_FILE)
                log.add(row)
                remote_control.tick(row)
                if board is not None:
                    board.add(row)
                if watch is not None:
                    watch(row)
                last = counters.step == config.steps
                if last or counters.step % config.sample_every == 0:
                    picture = folder / SAMPLES_FOLDER / f"step_{counters.step:07d}.png"
                    sample_sheet(trainer, picture)
                    if board is not None:
                        board.show(picture, counters.step)
                if last or counters.step % config.save_every == 0:
                    keep()
        except Cancelled:
            trainer.processes.agree(stop=True)
            remote_control.tell("saving")
            keep()
            raise
    progress.report(counters.step, config.steps, remote_control.status.pace)


def _follow(trainer: Trainer) -> None:
    """Do the steps that the leader does."""
    while trainer.counters.step < trainer.config.steps and not trainer.processes.agree():
        trainer.step()


def _supervised(
    folder: Path, step: int, steps: int, processes: ProcessGroup
) -> AbstractContextManager[RemoteControl | None]:
    return RemoteControl(folder, step, steps) if processes.is_leader else nullcontext()


@contextmanager
def _enough_memory() -> Iterator[None]:
    """Tell in one sentence that memory has run out."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        # On a CPU, torch has no error of its own for this.
        if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError) or _NO_MEMORY in str(error):
            raise CowganError(
                "Memory has run out; train with a smaller batch, or a smaller network.", str(error)
            ) from error
        raise


def _row(
    trainer: Trainer, told: dict[str, float], seconds: float, before_s: float
) -> dict[str, Any]:
    """Return the row of the log for a step that took some seconds, after others."""
    return {
        "step": trainer.counters.step,
        "images": trainer.images_seen,
        "seconds": round(before_s + seconds, 3),
        "images_per_s": round(trainer.config.images_per_step / seconds, 3),
        "peak_memory_mb": _peak_memory_mb(trainer.device),
        **told,
    }


def _measure(trainer: Trainer, metrics: Sequence[Metric]) -> dict[str, float]:
    volumes = torch.cat(list(sample_volumes(trainer, SAMPLES)))
    return {name: value for metric in metrics for name, value in metric(volumes).items()}


def _peak_memory_mb(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) >> 20
    try:
        import resource
    except ImportError:  # Windows has no such counter in the standard library.
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
