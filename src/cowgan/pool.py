"""Process pools whose tasks fail independently."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import wait as wait_for_sentinel
from typing import Any, Generic, TypeVar

from cowgan.errors import CowganError
from cowgan.progress import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")

_POLL_S = 0.2


def available_cores() -> int:
    """Return how many processor cores this process may use."""
    # Fewer than the machine has, in a container or a cluster job.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_all(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[Item, Result | CowganError]]:
    """Process items in parallel and yield results as they complete.

    Parameters
    ----------
    work : callable
        A module-level function or another picklable callable.
    items : sequence
        Picklable, and hashable.
    jobs : int, optional
        Number of processes; by default one per core. With 1, items are processed in this
        process.
    progress : Progress, optional
        Only asked for cancellation: then no further item is started, and items in progress are
        finished and yielded.

    Yields
    ------
    item, result
        A `CowganError` for an item that failed or ended its process.

    Raises
    ------
    CowganError
        No process could be started.
    """
    count = min(jobs or available_cores(), len(items))
    if count <= 1:
        for item in items:
            if progress is not None and progress.cancelled:
                return
            yield item, _safely(work, item)
        return
    ended: list[Item] = []
    for item, result in _share_out(work, items, count, progress):
        if isinstance(result, BrokenProcessPool):
            ended.append(item)
        else:
            yield item, result
    # Perhaps only the others left too little memory, so each gets another chance alone.
    for item in ended:
        if progress is not None and progress.cancelled:
            return
        [worker] = _start_workers(1, work)
        with worker:
            yield item, _alone(worker, item)


def _share_out(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    count: int,
    progress: Progress | None,
) -> Iterator[tuple[Item, Result | CowganError | BrokenProcessPool]]:
    """Process `count` items at a time, so that at most those are lost or awaited."""
    waiting = iter(items)
    idle = _start_workers(count, work)
    going: dict[Future[Result | CowganError], tuple[ProcessPoolExecutor, Item]] = {}
    try:
        while True:
            while idle and not (progress and progress.cancelled):
                item = next(waiting, None)
                if item is None:
                    break
                worker = idle.pop()
                going[_submit(worker, item)] = worker, item
            if not going:
                return
            done, _ = wait(going, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            for future in done:
                worker, item = going.pop(future)
                try:
                    result: Result | CowganError | BrokenProcessPool = future.result()
                    idle.append(worker)
                except BrokenProcessPool as error:
                    result = error
                    idle += _start_workers(1, work)
                yield item, result
    finally:
        for worker in [*idle, *(worker for worker, _ in going.values())]:
            worker.shutdown(cancel_futures=True)


def _submit(worker: ProcessPoolExecutor, item: Item) -> Future[Any]:
    try:
        return worker.submit(_work_safely, item)
    except BrokenProcessPool as error:  # its process ended while it was idle
        failed: Future[Any] = Future()
        failed.set_exception(error)
        return failed


def _alone(worker: ProcessPoolExecutor, item: Item) -> Any:
    try:
        return _submit(worker, item).result()
    except BrokenProcessPool as error:
        return CowganError(
            "The process that worked on this scan ended unexpectedly, perhaps for want of memory.",
            repr(error),
        )


def _safely(work: Callable[[Item], Result], item: Item) -> Result | CowganError:
    try:
        return work(item)
    except CowganError as error:
        return error
    except MemoryError as error:
        return CowganError("There is not enough memory for this scan.", repr(error))
    except Exception as error:  # noqa: BLE001 - one bad scan must not stop a thousand others
        return CowganError("Something unexpected went wrong with this scan.", repr(error))


_work: Callable[[Any], Any]
"""What a worker process does; sent to it once, so that it loads a network only once."""


def _work_safely(item: Any) -> Any:
    return _safely(_work, item)


def _start_workers(count: int, work: Callable[[Item], Result]) -> list[ProcessPoolExecutor]:
    """Return pools of one process each, all of them running.

    A crash ends every process of a pool. A pool that is still starting another one then may also
    wait for it forever (in Python 3.11 at least).
    """
    workers = [
        ProcessPoolExecutor(
            1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_prepare_worker,
            initargs=(work,),
        )
        for _ in range(count)
    ]
    try:
        for future in [worker.submit(int) for worker in workers]:
            future.result()
    except BrokenProcessPool as error:
        for worker in workers:
            worker.shutdown(wait=False, cancel_futures=True)
        raise CowganError(
            "No helper process could be started; a script must do its work below "
            '`if __name__ == "__main__":`, or with jobs=1.',
            repr(error),
        ) from error
    return workers


def _prepare_worker(work: Callable[[Any], Any]) -> None:
    global _work
    _work = work
    # Ctrl+C reaches the whole process group, but only the parent handles it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent has ended, even if it was killed."""
    parent: Any = multiprocessing.parent_process()
    wait_for_sentinel([parent.sentinel])
    os._exit(1)


def map_in_order(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int = 1
) -> Generator[Result, None, None]:
    """Yield ``function(item)`` for every item, in order.

    Parameters
    ----------
    function : callable
        Picklable if `jobs` exceeds 1, like the items.
    items : sequence
        Inputs.
    jobs : int
        Number of processes; see `run_all`.

    Raises
    ------
    CowganError
        An item failed, after the results of earlier items were yielded, or `jobs` is below 1.
    """
    if jobs < 1:
        raise CowganError(f"At least 1 process is needed, not {jobs}.")
    numbered = [_Numbered(number, item) for number, item in enumerate(items)]
    early: dict[int, Result | CowganError] = {}
    due = 0
    for finished, result in run_all(partial(_work_on, function), numbered, jobs):
        early[finished.number] = result
        while due in early:
            ready = early.pop(due)
            if isinstance(ready, CowganError):
                raise ready
            yield ready
            due += 1


@dataclass(frozen=True, eq=False)
class _Numbered(Generic[Item]):
    number: int
    item: Item


def _work_on(function: Callable[[Item], Result], numbered: _Numbered[Item]) -> Result:
    return function(numbered.item)
