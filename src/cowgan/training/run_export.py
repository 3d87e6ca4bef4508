"""Checkpoints of the EMA generator of a run, and the description of the run they state."""

from dataclasses import dataclass
from pathlib import Path

from cowgan.checkpoint import Checkpoint, ModelCard, save
from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.training.generator import Generator
from cowgan.training.run_state import StateDescription, read_ema

RUN_FILE = "run.json"


@dataclass(frozen=True)
class RunDescription:
    """Content of ``run.json``.

    Parameters
    ----------
    bank : str
        Folder of the bank that the run started with.
    bank_sha256 : str
        Hash of the bank.
    init_from : str or None
        Source of the initial weights, see `InitialWeights`; None if they were random.
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


def read_run(folder: Path) -> RunDescription:
    """Return the description of a run.

    Raises
    ------
    CowganError
        The folder holds none, or it is damaged.
    """
    path = Path(folder) / RUN_FILE
    if not path.is_file():
        raise CowganError(f"{folder} is not a training run: it has no {RUN_FILE}.")
    return read_json(path, RunDescription)


def export_run(folder: Path, target: Path, card: ModelCard | None = None) -> None:
    """Write the EMA generator of a run as a checkpoint.

    Raises
    ------
    CowganError
        The folder holds no valid state, or the checkpoint cannot be written.
    """
    folder = Path(folder)
    ema, _, description = read_ema(folder)
    save(ema_checkpoint(folder, ema, description, card), Path(target))


def ema_checkpoint(
    folder: Path, ema: Generator, description: StateDescription, card: ModelCard | None = None
) -> Checkpoint:
    """Return the checkpoint of an EMA generator, by default with a card of the run's settings."""
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
        ema.synthesis.config,
        ema.mapping,
        ema.published_synthesis(),
        card=card,
        spacing_mm=read_run(folder).spacing_mm,
    )
