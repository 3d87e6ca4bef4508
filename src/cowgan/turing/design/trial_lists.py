"""The list of trials of each reader."""

from collections.abc import Sequence
from itertools import count

import numpy as np

from cowgan.turing.design.protocol import Protocol
from cowgan.turing.design.trial_order import arrange
from cowgan.turing.design.trials import ANSWERS, Phase, Trial
from cowgan.turing.design.truth_key import Role, Truth


def plan_reader(
    roles: Sequence[Role], protocol: Protocol, random: np.random.RandomState
) -> tuple[Trial, ...]:
    """Return all trials of one reader, with the names that cases have within the study.

    Parameters
    ----------
    roles : sequence of Role
        Of all volumes. In 2AFC, the first real one is shown beside the first generated one of
        the same phase, and so on, to every reader.
    protocol : Protocol
        Decides order and numbers.
    random : RandomState
        Another one for each reader.
    """
    impressions = [(str(case),) for case in random.permutation(_of(roles, "impression"))]
    practice = _arranged(roles, "practice", protocol, random)
    reading = _arranged(roles, "reading", protocol, random)
    numbers = count(1)
    return (
        *(Trial(next(numbers), "impression", 0, units) for units in impressions),
        *(Trial(next(numbers), "practice", 0, units, right) for units, right in practice),
        *(
            Trial(next(numbers), "reading", place // protocol.block, units)
            for place, (units, _) in enumerate(reading)
        ),
    )


def _arranged(
    roles: Sequence[Role], phase: Phase, protocol: Protocol, random: np.random.RandomState
) -> list[tuple[tuple[str, ...], str]]:
    """Return the cases and the right answer of each trial of a phase, in order."""
    units = _units(roles, phase, protocol, random)
    answers = ANSWERS[protocol.rules.design]
    if phase == "reading":
        order = arrange(
            [right == answers[1] for _, right in units],
            protocol.repeats,
            block=protocol.block,
            longest_run=protocol.longest_run,
            distance=protocol.repeat_distance,
            first_share=protocol.repeat_first,
            random=random,
        )
    else:
        order = random.permutation(len(units)).tolist()
    return [units[place] for place in order]


def _units(
    roles: Sequence[Role], phase: Phase, protocol: Protocol, random: np.random.RandomState
) -> list[tuple[tuple[str, ...], str]]:
    real = _of(roles, phase, "real")
    generated = _of(roles, phase, "generated")
    first, second = ANSWERS[protocol.rules.design]
    if protocol.rules.design == "rating":
        return [*(((name,), first) for name in real), *(((name,), second) for name in generated)]
    left = random.permutation(len(real)) < len(real) // 2
    return [
        ((theirs, ours), first) if on_left else ((ours, theirs), second)
        for ours, theirs, on_left in zip(real, generated, left, strict=True)
    ]


def _of(roles: Sequence[Role], phase: Phase, truth: Truth | None = None) -> list[str]:
    return [role.name for role in roles if role.phase == phase and truth in (None, role.truth)]
