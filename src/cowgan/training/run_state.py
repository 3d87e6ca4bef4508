"""The state of a run: everything needed to resume it exactly."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError
from safetensors.torch import save as serialise
from torch import Tensor, nn

from cowgan._version import __version__
from cowgan.documents import parse_json
from cowgan.errors import CowganError
from cowgan.files import atomic_path
from cowgan.networks import NetworkConfig
from cowgan.tensor_files import open_tensors, write_serialised
from cowgan.training.counters import Counters
from cowgan.training.generator import Generator
from cowgan.training.optimiser import Optimiser
from cowgan.training.trainer import Trainer

STATE_FILE = "state.safetensors"
PREVIOUS_FILE = "state.previous.safetensors"
_FORMAT = "cowgan-training-state"
_VERSION = 1
_SETTINGS_OF_ALL_VERSIONS = {"network": dict, "discriminator": str, "batch": int, "accumulate": int}
"""Settings needed to read a run that can no longer be resumed; see `read_ema`."""

_Result = TypeVar("_Result")


class _OtherVersion(CowganError):
    """The state is intact, but of another format version."""


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


def save_state(trainer: Trainer, folder: Path, bank_sha256: str) -> None:
    """Write the state of a trainer to a run's folder, and keep the previous one beside it.

    A kill at any moment, even while writing, leaves at least one intact state.

    Raises
    ------
    CowganError
        The folder cannot be written.
    """
    tensors = {
        **_named(trainer.generator, "generator"),
        **_named(trainer.ema, "average"),
        **_named(trainer.discriminator, "discriminator"),
        **({} if trainer.components is None else _named(trainer.components, "components")),
        **_moments(trainer.generator_optimiser, trainer.generator, "generator_adam"),
        **_moments(trainer.discriminator_optimiser, trainer.discriminator, "discriminator_adam"),
    }
    description = state_description(trainer, bank_sha256)
    metadata = {
        "format": _FORMAT,
        "version": str(_VERSION),
        "description": json.dumps(asdict(description)),
    }
    content = serialise({name: t.contiguous() for name, t in tensors.items()}, metadata)
    target = Path(folder) / STATE_FILE
    with atomic_path(target) as temporary:
        write_serialised(temporary, content)
        if target.exists():
            # After a kill between this and the final rename, `load_state` takes the previous state.
            target.replace(target.with_name(PREVIOUS_FILE))


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
        trainer.generator.load_state_dict(part_of(tensors, "generator/"))
        trainer.ema.load_state_dict(part_of(tensors, "average/"))
        trainer.discriminator.load_state_dict(part_of(tensors, "discriminator/"))
        if trainer.components is not None:
            trainer.components.load_state_dict(part_of(tensors, "components/"))
        _restore(
            trainer.generator_optimiser, trainer.generator, part_of(tensors, "generator_adam/")
        )
        _restore(
            trainer.discriminator_optimiser,
            trainer.discriminator,
            part_of(tensors, "discriminator_adam/"),
        )
        trainer.precision.scaler.load_state_dict(description.scaler)
        trainer.counters = description.counters
    except (KeyError, TypeError, RuntimeError) as error:
        raise unfit_state(folder, error) from error


def has_state(folder: Path) -> bool:
    """Return whether a run's folder holds a state, intact or damaged."""
    return any((Path(folder) / name).exists() for name in (STATE_FILE, PREVIOUS_FILE))


def unfit_state(folder: Path, error: Exception) -> CowganError:
    """Return the error for a state of other networks."""
    return CowganError(
        f"The training state in {folder} does not fit this run's networks.", repr(error)
    )


def read_description(folder: Path) -> StateDescription:
    """Return the description of the newest intact state in a folder, without reading tensors."""
    return _newest(folder, _described)


def read_state(folder: Path) -> tuple[dict[str, Tensor], StateDescription]:
    """Return tensors and description of the newest intact state in a run's folder.

    Raises
    ------
    CowganError
        There is none.
    """
    return _newest(folder, _read)


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


def _newest(folder: Path, read: Callable[[Path], _Result]) -> _Result:
    folder = Path(folder)
    problems = []
    for name in (STATE_FILE, PREVIOUS_FILE):
        if (folder / name).exists():
            try:
                return read(folder / name)
            except _OtherVersion:
                raise
            except (OSError, SafetensorError, ValueError, CowganError) as error:
                problems.append(f"{name}: {error!r}")
    if not problems:
        raise CowganError(
            f"{folder} holds no training state to resume; start the run again in that folder."
        )
    raise CowganError(f"The training state in {folder} is damaged.", "\n".join(problems))


def _described(path: Path) -> StateDescription:
    with open_tensors(path, "pt") as file:
        return _description(path, file)


def _read(path: Path) -> tuple[dict[str, Tensor], StateDescription]:
    with open_tensors(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, _description(path, file)


def _description(path: Path, file: Any) -> StateDescription:
    metadata = file.metadata() or {}
    if metadata.get("format") != _FORMAT:
        raise CowganError(f"{path} is not a training state.")
    if metadata.get("version") != str(_VERSION):
        raise _OtherVersion(
            f"{path} was written by another version of this program.",
            f"format version {metadata.get('version')}",
        )
    return parse_json(metadata.get("description", ""), StateDescription, f"The state in {path}")


def _named(network: nn.Module, prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": tensor for name, tensor in network.state_dict().items()}


def part_of(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with a prefix, without it."""
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}


def _moments(optimiser: Optimiser, network: nn.Module, prefix: str) -> dict[str, Tensor]:
    """Return the optimiser's moments under the names of the parameters."""
    return {
        f"{prefix}/{name}/{moment}": tensor
        for name, parameter in network.named_parameters()
        for moment, tensor in optimiser.adam.state.get(parameter, {}).items()
    }


def _restore(optimiser: Optimiser, network: nn.Module, moments: Mapping[str, Tensor]) -> None:
    state = optimiser.adam.state
    state.clear()
    for name, parameter in network.named_parameters():
        own = part_of(moments, f"{name}/")
        if own:
            # Adam keeps its step count on the CPU.
            state[parameter] = {
                moment: tensor.clone() if moment == "step" else tensor.to(parameter.device)
                for moment, tensor in own.items()
            }
