"""Start and resume training runs: folders of settings, state, log, pictures and checkpoints."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

from cowgan._version import __version__
from cowgan.bank.bank import Bank
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.progress import Progress, Silent
from cowgan.training.bank_subset import BankSubset
from cowgan.training.config import TrainingConfig
from cowgan.training.config_files import CONFIG_FILE, write_config
from cowgan.training.distributed import SINGLE_PROCESS, ProcessGroup
from cowgan.training.linear_start import start_linearly
from cowgan.training.loop import Watcher, follow, train
from cowgan.training.metrics import TrainingMetric
from cowgan.training.run_control import controlled
from cowgan.training.run_export import RUN_FILE, RunDescription, export_run, read_run
from cowgan.training.run_state import load_state, read_description, save_state
from cowgan.training.state_files import require_no_state
from cowgan.training.trainer import Trainer
from cowgan.training.warm_start import InitialWeights, grow_from

__all__ = ["export_run", "read_run", "resume_run", "start_run"]


def start_run(
    folder: Path,
    bank: Bank,
    config: TrainingConfig,
    device: str = "auto",
    init_from: InitialWeights | None = None,
    progress: Progress | None = None,
    watch: Watcher | None = None,
    processes: ProcessGroup = SINGLE_PROCESS,
    metrics: Sequence[TrainingMetric] = (),
) -> list[str]:
    """Start a run in a new folder and train to its end.

    Parameters
    ----------
    folder : Path
        Folder of the run; must not hold the state of one.
    bank : Bank
        Training bank, of which the training side is used.
    config : TrainingConfig
        Settings of the run.
    device : str
        "auto", "cpu", "cuda", "cuda:1".
    init_from : InitialWeights, optional
        Weights of smaller volumes to grow from, see `cowgan.training.warm_start.grow_from`.
    progress : Progress, optional
        Reports every step; cancelling it saves the state first.
    watch : callable, optional
        Called with each row of the log.
    processes : ProcessGroup
        See `cowgan.training.distributed.join_processes`. All processes make this call; only the
        leader writes, reports and watches.
    metrics : sequence of TrainingMetric
        Further metrics, beside the built-in ones.

    Returns
    -------
    list of str
        Notes on what could not be copied from `init_from`.

    Raises
    ------
    CowganError
        The folder holds a run, the bank does not fit the network, or training failed.
    Cancelled
        The user stopped training; the run can be resumed.
    """
    folder = Path(folder)
    if processes.is_leader:
        require_no_state(folder)
    volumes = BankSubset(bank, config.network.volume_shape, bank.training)
    with controlled(folder, 0, config.steps, processes) as remote_control:
        trainer = Trainer(config, volumes, device, processes)
        notes = _initialise(trainer, init_from, progress or Silent())
        if remote_control is None:
            follow(trainer)
            return notes
        write_config(config, folder / CONFIG_FILE)
        description = RunDescription(
            str(bank.path),
            bank.sha256,
            None if init_from is None else init_from.source,
            volumes.spacing_mm,
            f"napari-cowgan {__version__}",
        )
        write_json(folder / RUN_FILE, asdict(description))
        save_state(trainer, folder, bank.sha256)
        train(trainer, folder, bank, remote_control, progress or Silent(), watch, metrics)
    return notes


def resume_run(
    folder: Path,
    bank: Bank | None = None,
    device: str = "auto",
    steps: int | None = None,
    progress: Progress | None = None,
    watch: Watcher | None = None,
    processes: ProcessGroup = SINGLE_PROCESS,
    metrics: Sequence[TrainingMetric] = (),
) -> None:
    """Resume a run from its last saved state; see `start_run`.

    Parameters
    ----------
    bank : Bank, optional
        By default the one that the run started with, in its original place.
    steps : int, optional
        New length of the run.
    """
    folder = Path(folder)
    description = read_description(folder)
    changes = {} if steps is None else {"steps": steps}
    if gone := set(description.config) - {one.name for one in fields(TrainingConfig)}:
        raise CowganError(
            f"The run in {folder} has settings of an older version that no longer exist; export "
            "it, or grow a new run from it.",
            f"settings {sorted(gone)}",
        )
    config = TrainingConfig.from_dict({**description.config, **changes})
    step = description.counters.step
    with controlled(folder, step, config.steps, processes) as remote_control:
        bank = bank or Bank.open(Path(read_run(folder).bank))
        volumes = BankSubset(bank, config.network.volume_shape, bank.training)
        trainer = Trainer(config, volumes, device, processes)
        load_state(trainer, folder, bank.sha256)
        if remote_control is None:
            follow(trainer)
            return
        train(trainer, folder, bank, remote_control, progress or Silent(), watch, metrics)


def _initialise(
    trainer: Trainer, init_from: InitialWeights | None, progress: Progress
) -> list[str]:
    """Set the initial weights; return notes on what could not be copied."""
    if init_from is not None:
        return grow_from(trainer, init_from)
    if trainer.config.start == "linear":
        start_linearly(trainer, progress)
    return []
