"""Data-parallel training in several processes.

Each process does some of the passes of a step on a device of its own. Gradients are summed
over all processes before an update, so that weights stay the same everywhere and do not
depend on the number of processes. Only the first process, the leader, writes files and
messages; it also reports the error of another process that fails.
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

_TIMEOUT = timedelta(days=365)
_Pass = TypeVar("_Pass")
_Failure = tuple[bool, str, str]


class ProcessGroup:
    """The processes of a run; this class stands for a single one.

    Parameters
    ----------
    device : str
        Device of this process.
    rank : int
        Index of this process.
    count : int
        Number of processes.
    """

    def __init__(self, device: str = "auto", rank: int = 0, count: int = 1) -> None:
        self.device, self.rank, self.count = device, rank, count

    @property
    def is_leader(self) -> bool:
        """Whether this process writes files and messages."""
        return self.rank == 0

    def share(self, passes: Sequence[_Pass]) -> Sequence[_Pass]:
        """Return the passes of a step that are done by this process."""
        return passes[self.rank :: self.count]

    def synchronise(self, stop: bool = False) -> bool:
        """Return whether the leader stops training; called by all before every step.

        Raises
        ------
        CowganError
            Another process has failed.
        """
        return stop

    def sum_metrics(self, metrics: dict[str, float]) -> dict[str, float]:
        """Return the sums over all processes of metrics with the same names in each."""
        return metrics

    def sum_tensors(self, tensors: list[Tensor]) -> None:
        """Replace tensors by their sums over all processes, in place."""


SINGLE_PROCESS = ProcessGroup()


class _FabricGroup(ProcessGroup):
    """several processes, joined by Lightning Fabric."""

    def __init__(self, fabric: "Fabric") -> None:
        super().__init__(str(fabric.device), fabric.global_rank, fabric.world_size)
        self._fabric = fabric
        # Waits as long as the leader pauses, and notices on any device that a process has ended.
        self._control_group = distributed.new_group(backend="gloo", timeout=_TIMEOUT)
        self._separated = False

    def synchronise(self, stop: bool = False) -> bool:
        return self._synchronise(stop, None)

    def fail(self, failure: _Failure) -> None:
        """Report a failure to the other processes at their next synchronisation."""
        if not self._separated:
            with suppress(CowganError, RuntimeError):
                self._synchronise(False, failure)

    def sum_metrics(self, metrics: dict[str, float]) -> dict[str, float]:
        self.synchronise()
        values = torch.tensor(list(metrics.values()), dtype=torch.float64)
        with self._noticing_deaths():
            distributed.all_reduce(values, group=self._control_group)
        return dict(zip(metrics, values.tolist(), strict=True))

    def sum_tensors(self, tensors: list[Tensor]) -> None:
        self.synchronise()
        with self._noticing_deaths():
            for tensor in tensors:
                distributed.all_reduce(tensor)

    def _synchronise(self, stop: bool, failure: _Failure | None) -> bool:
        flags = torch.tensor([stop, failure is not None], dtype=torch.int32)
        with self._noticing_deaths():
            distributed.all_reduce(flags, distributed.ReduceOp.MAX, self._control_group)
        if flags[1]:
            self._separated = True
            failures: list[_Failure | None] = [None] * self.count
            with self._noticing_deaths():
                distributed.all_gather_object(failures, failure, group=self._control_group)
            expected, sentence, detail = next(one for one in failures if one is not None)
            raise CowganError(sentence, detail) if expected else RuntimeError(detail)
        return bool(flags[0])

    @contextmanager
    def _noticing_deaths(self) -> Iterator[None]:
        """Report that another process has ended, which may happen in any exchange with it."""
        try:
            yield
        except RuntimeError as error:
            self._separated = True
            raise CowganError(
                f"One of the {self.count} processes has ended unexpectedly; start the command "
                "again to go on from what is saved.",
                repr(error),
            ) from error


@contextmanager
def join_processes(devices: int, nodes: int, device: str) -> Iterator[ProcessGroup]:
    """Join the processes of a run, after starting them unless torchrun or srun has.

    They are started by running the present command again for each further device of this
    computer. Processes other than the leader exit at the end of the context, also after errors.

    Parameters
    ----------
    devices : int
        Processes on each computer: one for each GPU, or any number on CPUs.
    nodes : int
        Number of computers.
    device : str
        "auto", "cpu" or "cuda"; for a single process also "cuda:1".

    Raises
    ------
    CowganError
        The processes cannot be joined, or one of them has failed.
    """
    started = _externally_started()
    if started not in (1, devices * nodes):
        raise CowganError(
            f"The launcher has started {started} processes, but --devices {devices} and --nodes "
            f"{nodes} ask for {devices * nodes}; they must agree."
        )
    if devices * nodes == 1:
        yield ProcessGroup(device)
        return
    processes = _join(devices, nodes, device)
    if not processes.is_leader:
        # Ctrl+C and a cluster's time limit signal all processes; only the leader responds.
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
        if not processes.is_leader:
            raise SystemExit(0)


def _externally_started() -> int:
    """Return the number of processes started by torchrun or srun."""
    by_torchrun = "TORCHELASTIC_RUN_ID" in os.environ
    return int(os.environ.get("WORLD_SIZE" if by_torchrun else "SLURM_STEP_NUM_TASKS", 1))


def _join(devices: int, nodes: int, device: str) -> _FabricGroup:
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
            'Work on several devices needs the extra "train": pip install "napari-cowgan[train]"',
            repr(error),
        ) from error
    for name in ("lightning_fabric", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        fabric = Fabric(accelerator=kind.type, devices=devices, num_nodes=nodes, strategy="ddp")
        fabric.launch()
    except (RuntimeError, ValueError) as error:
        raise CowganError(
            f"The {devices * nodes} processes could not be joined; check --devices, "
            "--nodes and the cluster's settings.",
            str(error),
        ) from error
    return _FabricGroup(fabric)
