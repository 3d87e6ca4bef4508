"""Torch files: reading without running code from them, and checked loading of networks."""

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from torch import Tensor, nn

from cowgan.archives import open_archive
from cowgan.errors import CowganError
from cowgan.file_kinds import BYTES_NEEDED, SAFETENSORS, what_it_is
from cowgan.files import open_regular


def read_torch_file(path: Path) -> Any:
    """Return what ``torch.save`` stored in a file, without running code from it.

    Raises
    ------
    CowganError
        It is not a regular file, is damaged or of another kind, holds more than tensors, numbers,
        texts and collections of them, or is too large for memory.
    OSError
        It cannot be read.
    """
    try:
        with open_regular(path) as file:
            archive = zipfile.is_zipfile(file)
        if archive:
            _refuse_other_archives(path)
        else:
            _refuse_other_kinds(path)
        return torch.load(path, map_location="cpu", weights_only=True, mmap=archive)
    except (CowganError, OSError):
        raise
    except MemoryError as error:
        raise CowganError(f"{path.name} is too large for this computer's memory.") from error
    except Exception as error:
        if "weights_only" in str(error) or "Unsupported" in str(error):
            raise CowganError(
                f"{path.name} holds more than weights; it was not opened, because such a file "
                "can run programs.",
                str(error),
            ) from error
        raise CowganError(
            f"{path.name} is not a readable checkpoint: it is damaged, incomplete or of "
            "another kind.",
            str(error),
        ) from error


def is_weight(value: Any) -> bool:
    """Return whether a value from a file is an ordinary floating-point tensor."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and value.is_floating_point()
    )


def fill(network: nn.Module, tensors: Mapping[str, Tensor], what: str) -> None:
    """Load `tensors` into `network` after checking every name, shape and type.

    Parameters
    ----------
    network : Module
        May be on the meta device; receives copies of the weights in float32 on the CPU.
    tensors : mapping of str to Tensor
        Exactly the network's parameters.
    what : str
        Name of the network in errors, such as "mapping network".

    Raises
    ------
    CowganError
        Tensors are missing, superfluous, of another shape, not floating point, or not
        finite.
    """
    expected = network.state_dict()
    missing = sorted(expected.keys() - tensors.keys())
    extra = sorted(tensors.keys() - expected.keys())
    if missing or extra:
        raise CowganError(
            f"The {what} in this file lacks {len(missing)} tensors and has {len(extra)} that do "
            "not belong to it, so it is damaged or of another architecture.",
            f"missing: {missing[:20]}; unknown: {extra[:20]}",
        )
    for name, parameter in expected.items():
        if tensors[name].shape != parameter.shape:
            raise CowganError(
                f"The {what} in this file has tensors of another size than its architecture "
                "needs, so it is damaged or of another architecture.",
                f"{name}: {tuple(tensors[name].shape)} instead of {tuple(parameter.shape)}",
            )
        if not tensors[name].is_floating_point():
            raise CowganError(
                f"The {what} in this file does not hold floating-point weights.",
                f"{name}: {tensors[name].dtype}",
            )
    weights = {
        name: tensors[name].detach().to(torch.float32, copy=True).contiguous() for name in expected
    }
    for name, weight in weights.items():
        if not weight.isfinite().all():
            raise CowganError(
                f"The {what} in this file holds infinite or undefined weights, so its training "
                "failed or the file is damaged.",
                name,
            )
    network.load_state_dict(weights, assign=True)


def _refuse_other_kinds(path: Path) -> None:
    with open_regular(path) as file:
        start = file.read(BYTES_NEEDED)
    kind = what_it_is(start)
    if kind is not None:
        end = "; rename it to end in .safetensors" if kind == SAFETENSORS else ""
        raise CowganError(f"{path.name} is not a checkpoint: it is {kind}{end}.")


def _refuse_other_archives(path: Path) -> None:
    with open_archive(path) as archive:
        entries = archive.infolist()
    names = [PurePosixPath(entry.filename).name for entry in entries]
    if "data.pkl" not in names:
        held = f"such as {entries[0].filename!r:.80}" if entries else "none at all"
        raise CowganError(
            f"{path.name} is not a checkpoint: it is a zip archive of other files, {held}."
        )
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > 1.1 * path.stat().st_size:
        raise CowganError(
            f"{path.name} is a compressed archive that unpacks to "
            f"{unpacked / 1e6:,.0f} MB; checkpoints are not compressed, so it is refused."
        )
