"""Orders of trials: unpredictable, balanced, with repeats far apart."""

from collections.abc import Sequence

import numpy as np

from cowgan.errors import CowganError

_ATTEMPTS = 1000


def arrange(
    kinds: Sequence[bool],
    repeats: int,
    *,
    block: int,
    longest_run: int,
    distance: int,
    first_share: float,
    random: np.random.RandomState,
) -> list[int]:
    """Put units in an order in which some come twice.

    Parameters
    ----------
    kinds : sequence of bool
        Kind of each unit; as many of one as of the other.
    repeats : int
        Units that come twice, half of each kind.
    block : int
        Each block of so many trials holds both kinds equally often; the last block may be
        shorter.
    longest_run : int
        Most trials of one kind in a row, across blocks too.
    distance : int
        Fewest trials between both appearances of a unit.
    first_share : float
        Units that come twice first appear within this share of the trials.
    random : RandomState
        Decides.

    Returns
    -------
    list of int
        Index into `kinds` of each trial.

    Raises
    ------
    CowganError
        No such order was found.
    """
    total = len(kinds) + repeats
    for _ in range(_ATTEMPTS):
        pattern = _pattern(total, block, longest_run, random)
        again = None if pattern is None else _again(pattern, repeats, distance, first_share, random)
        if pattern is not None and again is not None:
            return _filled(pattern, again, kinds, random)
    raise CowganError(
        f"There is no order of {total} trials in blocks of {block}, with at most {longest_run} "
        f"alike in a row and {repeats} repeats at least {distance} trials apart; relax one of "
        "these."
    )


def _pattern(
    total: int, block: int, longest_run: int, random: np.random.RandomState
) -> list[bool] | None:
    """Return the kind of each trial; None if the draw led to a dead end."""
    pattern: list[bool] = []
    for start in range(0, total, block):
        size = min(block, total - start)
        left = {True: size // 2, False: size // 2}
        for _ in range(size):
            tail = pattern[-longest_run:]
            barred = tail[-1] if len(tail) == longest_run and len({*tail}) == 1 else None
            open_kinds = [kind for kind in left if left[kind] and kind != barred]
            if not open_kinds:
                return None
            share = left[True] / (left[True] + left[False])
            kind = open_kinds[0] if len(open_kinds) == 1 else bool(random.random_sample() < share)
            left[kind] -= 1
            pattern.append(kind)
    return pattern


def _again(
    pattern: Sequence[bool],
    repeats: int,
    distance: int,
    first_share: float,
    random: np.random.RandomState,
) -> dict[int, int] | None:
    """Return the first appearance of each trial that repeats one; None at a dead end."""
    again: dict[int, int] = {}
    last_first = first_share * len(pattern)
    for kind in (False, True):
        places = [place for place, of in enumerate(pattern) if of == kind]
        late = [place for place in places if place >= distance]
        if len(late) < repeats // 2:
            return None
        second = sorted(random.choice(late, repeats // 2, replace=False).tolist())
        free = set(places) - set(second)
        # From the earliest, which has the fewest places to choose from.
        for place in second:
            early = [p for p in sorted(free) if p <= place - distance and p < last_first]
            if not early:
                return None
            again[place] = int(random.choice(early))
            free.remove(again[place])
    return again


def _filled(
    pattern: Sequence[bool],
    again: dict[int, int],
    kinds: Sequence[bool],
    random: np.random.RandomState,
) -> list[int]:
    waiting = {
        kind: random.permutation([unit for unit, of in enumerate(kinds) if of == kind]).tolist()
        for kind in (False, True)
    }
    order: list[int] = []
    for place, kind in enumerate(pattern):
        order.append(order[again[place]] if place in again else waiting[kind].pop())
    return order
