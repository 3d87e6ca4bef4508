"""The state of a run: everything needed to resume it exactly."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from cowgan._version import __version__
from cowgan.errors import CowganError
from cowgan.networks import NetworkConfig
from cowgan.training.counters import Counters
from cowgan.training.generator import Generator
from cowgan.training.state_files import (
    StateFiles,
    moments,
    named,
    part_of,
    restore_moments,
    unfit_state,
)
from cowgan.training.trainer import Trainer

_SETTINGS_OF_ALL_VERSIONS = {"network": dict, "discriminator": str, "batch": int, "accumulate": int}
"""Settings needed to read a run that can no longer be resumed; see `read_ema`."""


@dataclass(frozen=True)
class StateDescription:
    """The part of a state that is not tensors.

    Parameters
    ----------
    config : dict
        Settings of the run, for `TrainingConfig.from_dict`.
    counters : Counters
        Numbers carried from step to step.
    scaler : dict
        State of the loss scaler.
    bank_sha256 : str
        Hash of the training bank.
    written_by : str
        Software and version.
    """

    config: dict[str, Any]
    counters: Counters
    scaler: dict[str, Any]
    bank_sha256: str
    written_by: str

    def __post_init__(self) -> None:
        for name, kind in _SETTINGS_OF_ALL_VERSIONS.items():
            if type(self.config.get(name)) is not kind:
                raise CowganError(f"The training state lacks the setting {name}.")


_FILES = StateFiles("cowgan-training-state", StateDescription)


def save_state(trainer: Trainer, folder: Path, bank_sha256: str) -> None:
    """Write the state of a trainer to a run's folder; see `StateFiles.write`."""
    tensors = {
        **moments(trainer.generator_optimiser.adam, trainer.generator, "generator_adam"),
        **moments(
            trainer.discriminator_optimiser.adam, trainer.discriminator, "discriminator_adam"
        ),
    }
    for name, part in trainer.parts.items():
        tensors |= named(part, name)
    _FILES.write(folder, tensors, state_description(trainer, bank_sha256))


def state_description(trainer: Trainer, bank_sha256: str) -> StateDescription:
    """Return the part of a trainer's state that is not tensors."""
    return StateDescription(
        trainer.config.to_dict(),
        trainer.counters,
        trainer.precision.scaler.state_dict(),
        bank_sha256,
        f"napari-cowgan {__version__}",
    )


def load_state(trainer: Trainer, folder: Path, bank_sha256: str) -> None:
    """Load the state of a run into a trainer.

    If the newest state is damaged, the previous one is used.

    Raises
    ------
    CowganError
        There is no intact state, or it belongs to another bank or other networks.
    """
    tensors, description = read_state(folder)
    if description.bank_sha256 != bank_sha256:
        raise CowganError(
            "This run was trained on another bank, or its bank has changed; a run can only be "
            "resumed with the data it started with."
        )
    try:
        for name, part in trainer.parts.items():
            part.load_state_dict(part_of(tensors, f"{name}/"))
        restore_moments(
            trainer.generator_optimiser.adam,
            trainer.generator,
            part_of(tensors, "generator_adam/"),
        )
        restore_moments(
            trainer.discriminator_optimiser.adam,
            trainer.discriminator,
            part_of(tensors, "discriminator_adam/"),
        )
        trainer.precision.scaler.load_state_dict(description.scaler)
        trainer.counters = description.counters
    except (KeyError, TypeError, RuntimeError) as error:
        raise unfit_state(folder, error) from error


def read_description(folder: Path) -> StateDescription:
    """Return the description of the newest intact state in a folder, without reading tensors."""
    return _FILES.read_description(folder)


def read_state(folder: Path) -> tuple[dict[str, Tensor], StateDescription]:
    """Return tensors and description of the newest intact state in a run's folder.

    Raises
    ------
    CowganError
        There is none.
    """
    return _FILES.read(folder)


def read_ema(folder: Path) -> tuple[Generator, dict[str, Tensor], StateDescription]:
    """Return the EMA generator of a run, all its tensors, and its description.

    Needs only the settings of the networks, so that it reads runs of older versions whose other
    settings no longer exist.

    Raises
    ------
    CowganError
        The folder holds no intact state.
    """
    tensors, description = read_state(folder)
    try:
        config = description.config
        network = NetworkConfig.from_dict(config["network"])
        ema = Generator(network, config.get("start", "published"))
        ema.load_state_dict(part_of(tensors, "average/"))
    except (KeyError, TypeError, RuntimeError) as error:
        raise unfit_state(folder, error) from error
    return ema, tensors, description
