"""Several processes that train as one.

Each does some of the passes of a step on a device of its own. Before the weights move, the
gradients of all are added up, so that all weights stay the same and the result does not
depend on the number of processes. The first one, the leader, alone writes files and speaks
to the person; it also tells the sentence of another one that fails.
"""

import logging
import os
import signal
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor, distributed

from cowgan.errors import Cancelled, CowganError
from cowgan.synthesis.precision import choose_device

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_PATIENCE = timedelta(days=365)
_Pass = TypeVar("_Pass")
_Failure = tuple[bool, str, str]


class Processes:
    """What the processes of a run tell each other; this is the only one.

    Parameters
    ----------
    device : str
        Where this process computes.
    rank : int
        Which of the processes this is.
    count : int
        How many there are.
    """

    def __init__(self, device: str = "auto", rank: int = 0, count: int = 1) -> None:
        self.device, self.rank, self.count = device, rank, count

    @property
    def leads(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def share(self, passes: Sequence[_Pass]) -> Sequence[_Pass]:
        """Return the passes of a step that this process does."""
        return passes[self.rank :: self.count]

    def agree(self, stop: bool = False) -> bool:
        """Return whether the leader wants to stop; call it before every step.

        Raises
        ------
        CowganError
            Another process has failed.
        """
        return stop

    def total(self, numbers: dict[str, float]) -> dict[str, float]:
        """Return the sums of numbers over all processes, which all name the same ones."""
        return numbers

    def add_up(self, gradients: list[Tensor]) -> None:
        """Replace gradients by their sums over all processes."""


ALONE = Processes()


class _Together(Processes):
    """One of several processes, joined by Lightning Fabric."""

    def __init__(self, fabric: "Fabric") -> None:
        super().__init__(str(fabric.device), fabric.global_rank, fabric.world_size)
        self._fabric = fabric
        # Waits as long as the leader pauses, and notices on any device that one has gone.
        self._words = distributed.new_group(backend="gloo", timeout=_PATIENCE)
        self._parted = False

    def agree(self, stop: bool = False) -> bool:
        return self._agree(stop, None)

    def fail(self, failure: _Failure) -> None:
        """Tell the others of a failure in place of what they next agree on."""
        if not self._parted:
            with suppress(CowganError, RuntimeError):
                self._agree(False, failure)

    def total(self, numbers: dict[str, float]) -> dict[str, float]:
        self.agree()
        values = torch.tensor(list(numbers.values()), dtype=torch.float64)
        distributed.all_reduce(values, group=self._words)
        return dict(zip(numbers, values.tolist(), strict=True))

    def add_up(self, gradients: list[Tensor]) -> None:
        self.agree()
        for gradient in gradients:
            distributed.all_reduce(gradient)

    def _agree(self, stop: bool, failure: _Failure | None) -> bool:
        flags = torch.tensor([stop, failure is not None], dtype=torch.int32)
        try:
            distributed.all_reduce(flags, distributed.ReduceOp.MAX, self._words)
        except RuntimeError as error:
            self._parted = True
            raise CowganError(
                f"One of the {self.count} training processes has ended without a word; the run "
                "can go on from its last saved state.",
                repr(error),
            ) from error
        if flags[1]:
            self._parted = True
            told: list[_Failure | None] = [None] * self.count
            distributed.all_gather_object(told, failure, group=self._words)
            expected, sentence, detail = next(one for one in told if one is not None)
            raise CowganError(sentence, detail) if expected else RuntimeError(detail)
        return bool(flags[0])


@contextmanager
def joined(devices: int, nodes: int, device: str) -> Iterator[Processes]:
    """Join the processes of a run, which are started first unless torchrun or srun has.

    To start them, the present command is run anew for each further device of this computer.
    Processes other than the leader end with the context, whatever has happened in it.

    Parameters
    ----------
    devices : int
        Processes on each computer: one for each GPU, or any number on CPUs.
    nodes : int
        Computers.
    device : str
        "auto", "cpu" or "cuda"; for a single process also "cuda:1".

    Raises
    ------
    CowganError
        They cannot be joined, or one of them has failed.
    """
    started = _started_elsewhere()
    if started not in (1, devices * nodes):
        raise CowganError(
            f"The launcher has started {started} processes, but --devices {devices} and --nodes "
            f"{nodes} ask for {devices * nodes}; they must agree."
        )
    if devices * nodes == 1:
        yield Processes(device)
        return
    processes = _join(devices, nodes, device)
    if not processes.leads:
        # Ctrl+C or the end of a cluster's patience reaches all of them; the leader decides.
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
    try:
        yield processes
    except Cancelled:
        raise
    except CowganError as error:
        processes.fail((True, error.sentence, error.detail))
        raise
    except Exception as error:
        processes.fail((False, str(error), traceback.format_exc()))
        raise
    finally:
        distributed.destroy_process_group()
        if not processes.leads:
            raise SystemExit(0)


def _started_elsewhere() -> int:
    """Return how many processes torchrun or srun has started."""
    by_torchrun = "TORCHELASTIC_RUN_ID" in os.environ
    return int(os.environ.get("WORLD_SIZE" if by_torchrun else "SLURM_STEP_NUM_TASKS", 1))


def _join(devices: int, nodes: int, device: str) -> _Together:
    kind = choose_device(device)
    if kind.index is not None or kind.type not in ("cpu", "cuda"):
        raise CowganError(
            f"Several processes train on CPUs or CUDA GPUs, not on {device}; use --device cpu or "
            "--device cuda."
        )
    if kind.type == "cuda" and torch.cuda.device_count() < devices:
        raise CowganError(
            f"This computer has {torch.cuda.device_count()} CUDA GPUs, fewer than --devices "
            f"{devices}."
        )
    try:
        from lightning_fabric import Fabric
    except ImportError as error:
        raise CowganError(
            'Training on several devices needs the extra "train": '
            'pip install "napari-cowgan[train]"',
            repr(error),
        ) from error
    for name in ("lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        fabric = Fabric(accelerator=kind.type, devices=devices, num_nodes=nodes, strategy="ddp")
        fabric.launch()
    except (RuntimeError, ValueError) as error:
        raise CowganError(
            f"The {devices * nodes} training processes could not be joined; check --devices, "
            "--nodes and the cluster's settings.",
            str(error),
        ) from error
    return _Together(fabric)
