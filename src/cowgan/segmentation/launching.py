"""Running of independent tasks: in processes by joblib, or on a SLURM cluster by submitit."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Literal, Protocol

from cowgan.errors import Cancelled, CowganError
from cowgan.progress import Progress, advance

if TYPE_CHECKING:
    from submitit import Job

Launcher = Literal["local", "slurm"]

_WATCH_EVERY_S = 0.3
_BEGUN = ("RUNNING", "COMPLETING")
"""States of a job in SLURM's words, from the moment when it has a node."""


class Task(Protocol):
    """Something to do; picklable."""

    def __call__(self) -> None:
        """Do it."""


def run_tasks(
    tasks: Sequence[Task],
    launcher: Launcher,
    jobs: int,
    folder: Path,
    progress: Progress,
    stop: Callable[[], None],
    **cluster: Any,
) -> None:
    """Run tasks, several at once, and wait for all.

    Parameters
    ----------
    tasks : sequence of Task
        In the order in which they start.
    launcher : {"local", "slurm"}
        Processes on this computer, or jobs on a cluster.
    jobs : int
        Most tasks at once.
    folder : Path
        For the logs of a cluster's jobs.
    progress : Progress
        Updated after every task.
    stop : callable
        Asks tasks that run to raise `Cancelled` soon; called again and again from another thread
        once progress is cancelled. Jobs of a cluster that have not begun are cancelled.
    **cluster
        Parameters of ``submitit.AutoExecutor``, such as ``slurm_partition``.

    Raises
    ------
    CowganError
        A task failed, or the package that runs them is not installed.
    Cancelled
        The user cancelled.
    """
    done = 0
    advance(progress, done, len(tasks))
    finished = (
        _local(tasks, jobs)
        if launcher == "local"
        else _slurm(tasks, jobs, folder, progress, cluster)
    )
    with _stopping(progress, stop):
        for _ in finished:
            done += 1
            advance(progress, done, len(tasks))


@contextmanager
def _stopping(progress: Progress, stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` while progress is cancelled; a task may only just have begun."""
    ended = Event()

    def watch() -> None:
        while not ended.wait(_WATCH_EVERY_S):
            if progress.cancelled:
                stop()

    watcher = Thread(target=watch, name="stop of tasks", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _local(tasks: Sequence[Task], jobs: int) -> Iterator[None]:
    try:
        from joblib import Parallel, delayed
    except ImportError as error:
        raise _needs("joblib", error) from error
    results = Parallel(n_jobs=jobs, return_as="generator_unordered")(
        delayed(task)() for task in tasks
    )
    yield from results


def _slurm(
    tasks: Sequence[Task], jobs: int, folder: Path, progress: Progress, cluster: dict[str, Any]
) -> Iterator[None]:
    try:
        from submitit import AutoExecutor
        from submitit.core.utils import FailedJobError
    except ImportError as error:
        raise _needs("submitit", error) from error
    executor = AutoExecutor(folder=folder)
    executor.update_parameters(slurm_array_parallelism=jobs, **cluster)
    submitted = executor.submit_array(tasks)
    for job in submitted:
        while not job.done():
            if progress.cancelled:
                _end(submitted)
                raise Cancelled
            time.sleep(_WATCH_EVERY_S)
        try:
            yield job.result()
        except FailedJobError as error:
            raise CowganError(
                f"The cluster's job {job.job_id} failed; see its log in {folder}.", str(error)
            ) from error


def _end(jobs: "Sequence[Job[None]]") -> None:
    """Cancel jobs that wait for their turn, and wait for the others, which were asked to stop."""
    for job in jobs:
        if job.state not in _BEGUN:
            job.cancel(check=False)
    while not all(job.done() or job.state not in _BEGUN for job in jobs):
        time.sleep(_WATCH_EVERY_S)


def _needs(package: str, error: ImportError) -> CowganError:
    return CowganError(
        f'Experiments need {package}; install the extra "segment": '
        'pip install "napari-cowgan[segment]".',
        repr(error),
    )
