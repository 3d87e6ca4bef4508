"""The training loop: steps, metrics, log, sample pictures and saved states."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import torch

from cowgan.bank.bank import Bank
from cowgan.checkpoint import save
from cowgan.errors import Cancelled
from cowgan.progress import Progress, advance
from cowgan.training.holdout_metrics import HoldoutMetrics
from cowgan.training.log import GAN_COLUMNS, LOG_FILE, LogWriter
from cowgan.training.metrics import SAMPLES, MipCorrelation, TrainingMetric
from cowgan.training.peak_memory import peak_memory_mb
from cowgan.training.remote_control import RemoteControl
from cowgan.training.run_export import ema_checkpoint
from cowgan.training.run_state import save_state, state_description
from cowgan.training.samples import sample_volumes, write_sample_sheet
from cowgan.training.tensorboard import tensorboard_writer
from cowgan.training.trainer import Trainer

SAMPLES_FOLDER = "samples"
BEST_FILE = "best.safetensors"
"""Checkpoint of the EMA generator with the smallest kernel distance to held-out subjects so far."""

_BEST_BY = "kernel_distance"
Watcher = Callable[[dict[str, Any]], None]


def train(
    trainer: Trainer,
    folder: Path,
    bank: Bank,
    remote_control: RemoteControl,
    progress: Progress,
    watch: Watcher | None,
    metrics: Sequence[TrainingMetric],
) -> None:
    """Train to the end of a run, in its leading process; see `cowgan.training.run.start_run`.

    Raises
    ------
    CowganError
        Training failed, or a file cannot be written.
    Cancelled
        The user stopped training; the state has been saved.
    """
    config, counters = trainer.config, trainer.counters
    if config.metrics_every and len(trainer.volumes) > 1:
        holdout = HoldoutMetrics.of(bank, config.network.volume_shape)
        own: list[TrainingMetric] = [] if holdout is None else [holdout]
        metrics = (MipCorrelation.of(trainer.volumes, config.seed), *own, *metrics)
    names = [name for metric in metrics for name in metric.names]

    def save_all() -> None:
        log.sync()
        save_state(trainer, folder, bank.sha256)

    remote_control.begin(str(trainer.device))
    with (
        closing(LogWriter(folder / LOG_FILE, counters.step, [*GAN_COLUMNS, *names])) as log,
        tensorboard_writer(folder, counters.step) as tensorboard,
    ):
        try:
            while counters.step < config.steps:
                remote_control.obey(progress, save_all)
                advance(progress, counters.step, config.steps, remote_control.status.pace)
                trainer.processes.synchronise()
                start = time.perf_counter()
                step_metrics = trainer.step()
                row = _row(trainer, step_metrics, time.perf_counter() - start, log.seconds)
                if config.metrics_every and counters.step % config.metrics_every == 0:
                    row |= _measure(trainer, metrics)
                    if _BEST_BY in row and row[_BEST_BY] < log.minimum(_BEST_BY):
                        description = state_description(trainer, bank.sha256)
                        best = ema_checkpoint(folder, trainer.ema, description)
                        save(best, folder / BEST_FILE)
                log.add(row)
                remote_control.record_step(row)
                if tensorboard is not None:
                    tensorboard.add_row(row)
                if watch is not None:
                    watch(row)
                last = counters.step == config.steps
                if last or counters.step % config.sample_every == 0:
                    picture = folder / SAMPLES_FOLDER / f"step_{counters.step:07d}.png"
                    write_sample_sheet(trainer, picture)
                    if tensorboard is not None:
                        tensorboard.add_picture(picture, counters.step)
                if last or counters.step % config.save_every == 0:
                    save_all()
        except Cancelled:
            trainer.processes.synchronise(stop=True)
            remote_control.set_state("saving")
            save_all()
            raise
    progress.report(counters.step, config.steps, remote_control.status.pace)


def follow(trainer: Trainer) -> None:
    """Train in a process other than the leader, until the leader stops."""
    while trainer.counters.step < trainer.config.steps and not trainer.processes.synchronise():
        trainer.step()


def _row(
    trainer: Trainer, step_metrics: dict[str, float], seconds: float, seconds_before: float
) -> dict[str, Any]:
    """Return a step's row of the log."""
    return {
        "step": trainer.counters.step,
        "images": trainer.images_seen,
        "seconds": round(seconds_before + seconds, 3),
        "images_per_s": round(trainer.config.images_per_step / seconds, 3),
        "peak_memory_mb": peak_memory_mb(trainer.device),
        **step_metrics,
    }


def _measure(trainer: Trainer, metrics: Sequence[TrainingMetric]) -> dict[str, float]:
    volumes = torch.cat(list(sample_volumes(trainer, SAMPLES)))
    return {name: value for metric in metrics for name, value in metric(volumes).items()}
