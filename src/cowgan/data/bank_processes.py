"""Results of many processes, in order."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from cowgan.data.pool import run_all
from cowgan.errors import CowganError

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_order(
    function: Callable[[Item], Result], items: Sequence[Item], jobs: int = 1
) -> Generator[Result, None, None]:
    """Yield ``function(item)`` of every item, in order, however many processes work.

    Parameters
    ----------
    function : callable
        Picklable if `jobs` exceeds 1, like the items.
    items : sequence
        What to work on.
    jobs : int
        Processes; 1 works in this one. See `cowgan.data.pool.run_all`.

    Raises
    ------
    CowganError
        An item failed, or `jobs` is below 1. What comes before the item is yielded first.
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
