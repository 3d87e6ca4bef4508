"""Files of a run's state: tensors and a description, of which one is intact at any moment."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import save as serialise
from torch import Tensor, nn

from cowgan.documents import parse_json
from cowgan.errors import CowganError
from cowgan.files import atomic_path
from cowgan.tensor_files import open_tensors, write_serialised

STATE_FILE = "state.safetensors"
PREVIOUS_FILE = "state.previous.safetensors"
_VERSION = 1

_Description = TypeVar("_Description")
_Result = TypeVar("_Result")


class _OtherVersion(CowganError):
    """The state is intact, but of another format version."""


@dataclass(frozen=True)
class StateFiles(Generic[_Description]):
    """Reader and writer of the states of one kind of run.

    Parameters
    ----------
    kind : str
        Stated in the files, so that a state of another kind of run is recognised.
    description : type
        Dataclass of the part of a state that is not tensors.
    """

    kind: str
    description: type[_Description]

    def write(self, folder: Path, tensors: Mapping[str, Tensor], description: _Description) -> None:
        """Write a state to a run's folder, and keep the previous one beside it.

        A kill at any moment, even while writing, leaves at least one intact state.

        Raises
        ------
        CowganError
            The folder cannot be written.
        """
        text = json.dumps(asdict(description))  # type: ignore[call-overload]
        metadata = {"format": self.kind, "version": str(_VERSION), "description": text}
        content = serialise({name: t.contiguous() for name, t in tensors.items()}, metadata)
        target = Path(folder) / STATE_FILE
        with atomic_path(target) as temporary:
            write_serialised(temporary, content)
            if target.exists():
                # After a kill between this and the final rename, `read` takes the previous state.
                target.replace(target.with_name(PREVIOUS_FILE))

    def read(self, folder: Path) -> tuple[dict[str, Tensor], _Description]:
        """Return tensors and description of the newest intact state in a run's folder.

        Raises
        ------
        CowganError
            There is none.
        """
        return self._newest(folder, self._read)

    def read_description(self, folder: Path) -> _Description:
        """Return the description of the newest intact state, without reading tensors."""
        return self._newest(folder, self._described)

    def _newest(self, folder: Path, read: Callable[[Path], _Result]) -> _Result:
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

    def _described(self, path: Path) -> _Description:
        with open_tensors(path, "pt") as file:
            return self._description(path, file)

    def _read(self, path: Path) -> tuple[dict[str, Tensor], _Description]:
        with open_tensors(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, self._description(path, file)

    def _description(self, path: Path, file: Any) -> _Description:
        metadata = file.metadata() or {}
        if metadata.get("format") != self.kind:
            raise CowganError(f"{path} is not a training state of this kind.")
        if metadata.get("version") != str(_VERSION):
            raise _OtherVersion(
                f"{path} was written by another version of this program.",
                f"format version {metadata.get('version')}",
            )
        text = metadata.get("description", "")
        return parse_json(text, self.description, f"The state in {path}")


def has_state(folder: Path) -> bool:
    """Return whether a run's folder holds a state, intact or damaged."""
    return any((Path(folder) / name).exists() for name in (STATE_FILE, PREVIOUS_FILE))


def require_no_state(folder: Path) -> None:
    """Raise `CowganError` if a folder holds the state of a run."""
    if has_state(folder):
        raise CowganError(f"{folder} holds a run already; resume it, or choose another folder.")


def unfit_state(folder: Path, error: Exception) -> CowganError:
    """Return the error for a state of other networks."""
    return CowganError(
        f"The training state in {folder} does not fit this run's networks.", repr(error)
    )


def named(network: nn.Module, prefix: str) -> dict[str, Tensor]:
    """Return the tensors of a network, their names after a prefix and a slash."""
    return {f"{prefix}/{name}": tensor for name, tensor in network.state_dict().items()}


def part_of(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with a prefix, without it."""
    return {name[len(prefix) :]: t for name, t in tensors.items() if name.startswith(prefix)}


def moments(adam: torch.optim.Adam, network: nn.Module, prefix: str) -> dict[str, Tensor]:
    """Return an optimiser's moments under the names of the parameters."""
    return {
        f"{prefix}/{name}/{moment}": tensor
        for name, parameter in network.named_parameters()
        for moment, tensor in adam.state.get(parameter, {}).items()
    }


def restore_moments(
    adam: torch.optim.Adam, network: nn.Module, stored: Mapping[str, Tensor]
) -> None:
    """Set an optimiser's moments to those of `moments`, whose names have lost their prefix."""
    adam.state.clear()
    for name, parameter in network.named_parameters():
        own = part_of(stored, f"{name}/")
        if own:
            # Adam keeps its step count on the CPU.
            adam.state[parameter] = {
                moment: tensor.clone() if moment == "step" else tensor.to(parameter.device)
                for moment, tensor in own.items()
            }
