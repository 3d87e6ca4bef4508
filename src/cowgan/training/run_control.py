"""Control of the training of a run, whatever it trains."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch

from cowgan.errors import CowganError
from cowgan.training.distributed import ProcessGroup
from cowgan.training.remote_control import RemoteControl

_CPU_OUT_OF_MEMORY = "DefaultCPUAllocator"


@contextmanager
def controlled(
    folder: Path, step: int, steps: int, processes: ProcessGroup
) -> Iterator[RemoteControl | None]:
    """Give the leading process the control of a run, and the others None.

    Parameters
    ----------
    folder, step, steps
        As for `RemoteControl`.
    processes : ProcessGroup
        The processes that train together.

    Raises
    ------
    CowganError
        Another process trains this run, its folder cannot be written, or memory has run out.
    """
    control = RemoteControl(folder, step, steps) if processes.is_leader else nullcontext()
    with control as found, _memory_errors():
        yield found


@contextmanager
def _memory_errors() -> Iterator[None]:
    """Raise `CowganError` where memory has run out."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        # On a CPU, torch has no error class of its own for this.
        if isinstance(
            error, MemoryError | torch.cuda.OutOfMemoryError
        ) or _CPU_OUT_OF_MEMORY in str(error):
            raise CowganError(
                "Memory has run out; train with a smaller batch, or a smaller network.", str(error)
            ) from error
        raise
