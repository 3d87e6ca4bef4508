"""What directions change in what is measured of volumes, and names that say it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cowgan.measure.vessel_attributes import VESSEL_ATTRIBUTES, Attribute, measure_vessels
from cowgan.progress import Progress, Silent, advance
from cowgan.synthesis import Direction, Edit, LatentState, Synthesizer

_SEEDS = 8
_SPREAD_SEEDS = 24
_SIGMAS = 2.0
_LEAST_PAIRS = 5
_STANDARD_ERRORS = 3.0
"""More than the usual two: the largest of ten effects is looked at."""
_LEAST_SHARE = 0.1
"""Part of an attribute's spread per sigma from which a change is worth a name."""
_ATTRIBUTES = {each.key: each for each in VESSEL_ATTRIBUTES}


@dataclass(frozen=True)
class AttributeEffect:
    """What one sigma along a direction changes in one attribute.

    Attributes
    ----------
    attribute : str
        Key, see `cowgan.measure.vessel_attributes.VESSEL_ATTRIBUTES`.
    change : float
        Mean over seeds, in the attribute's unit; of a presence, the change of its share of volumes.
    standard_error : float
        Of that mean.
    share : float
        The change in standard deviations of the attribute over random volumes.
    """

    attribute: str
    change: float
    standard_error: float
    share: float

    @property
    def consistent(self) -> bool:
        """Whether it is the same in nearly all volumes, and large enough to be worth a name."""
        sure = abs(self.change) > _STANDARD_ERRORS * self.standard_error
        return sure and abs(self.share) >= _LEAST_SHARE

    def text(self) -> str:
        """Return it in words, such as ``"Vessel volume +120 mm³"``."""
        attribute = _ATTRIBUTES[self.attribute]
        if attribute.presence:
            more = "more" if self.change > 0 else "less"
            return f"{attribute.title} {more} often ({100 * self.change:+.0f} %)"
        if not attribute.unit:
            attribute = replace(attribute, digits=1)
        return f"{attribute.title} {attribute.change(0, self.change)} {attribute.unit}".rstrip()


@dataclass(frozen=True)
class DirectionEffects:
    """What a direction changes in some blocks.

    Attributes
    ----------
    digest, space
        Of the `cowgan.synthesis.Direction`, whatever its name.
    first_block, last_block : int
        The blocks, 0-based and inclusive.
    effects : tuple of AttributeEffect
        Of the attributes that could be measured.
    """

    digest: str
    space: str
    first_block: int
    last_block: int
    effects: tuple[AttributeEffect, ...]

    def belong_to(self, direction: Direction, blocks: tuple[int, int]) -> bool:
        """Whether they were measured along this direction in these blocks."""
        return (self.digest, self.space, self.first_block, self.last_block) == (
            direction.digest,
            direction.space,
            *blocks,
        )

    @property
    def found(self) -> list[AttributeEffect]:
        """The consistent ones, largest in terms of the attribute's spread first."""
        consistent = (effect for effect in self.effects if effect.consistent)
        return sorted(consistent, key=lambda effect: -abs(effect.share))


def has_technical_name(direction: Direction) -> bool:
    """Return whether a direction is still called as the search called it, ``"PCA 1 (coarse)"``."""
    return re.fullmatch(r"(PCA|SeFa) \d+ \(.+\)", direction.name) is not None


def measured_effects(
    synthesizer: Synthesizer, directions: Sequence[Direction], progress: Progress | None = None
) -> Iterator[DirectionEffects]:
    """Measure what directions change, at two sigma either way from a few random volumes.

    Parameters
    ----------
    synthesizer : Synthesizer
        Renders the volumes; its cache is not touched.
    directions : sequence of Direction
        To measure, each in the blocks that it acts on by default.
    progress : Progress, optional
        Reports each volume.

    Yields
    ------
    DirectionEffects
        Of each direction, in order.

    Raises
    ------
    Cancelled
        The user cancelled.
    CowganError
        The device ran out of memory, or a volume is uniform.
    """
    progress = progress or Silent()
    total = _SPREAD_SEEDS + 2 * _SEEDS * len(directions)
    done = 0

    def measured(states: Sequence[LatentState], message: str) -> NDArray[np.float64]:
        """Return the attributes of volumes, one row for each."""
        nonlocal done
        rows = []
        for volume in synthesizer.render_many(states):
            values = measure_vessels(volume).values
            rows.append([values[key] for key in _ATTRIBUTES])
            done += 1
            advance(progress, done, total, message)
        return np.array(rows)

    advance(progress, 0, total)
    random = measured([LatentState(seed) for seed in range(_SPREAD_SEEDS)], "random volumes")
    spreads = [_spread(column) for column in random.T]
    for direction in directions:
        ends = [
            measured(
                [
                    LatentState(
                        seed,
                        edits=(
                            Edit(direction, sigmas, direction.first_block, direction.last_block),
                        ),
                    )
                    for seed in range(_SEEDS)
                ],
                direction.name,
            )
            for sigmas in (-_SIGMAS, _SIGMAS)
        ]
        changes = (ends[1] - ends[0]) / (2 * _SIGMAS)
        found = [
            _effect(attribute, changes[:, i], spreads[i])
            for i, attribute in enumerate(VESSEL_ATTRIBUTES)
        ]
        yield DirectionEffects(
            direction.digest,
            direction.space,
            direction.first_block,
            direction.last_block,
            tuple(effect for effect in found if effect is not None),
        )


def _spread(values: NDArray[np.float64]) -> float:
    """Return the standard deviation of an attribute; 0 if it is hardly ever there."""
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if len(known) >= _LEAST_PAIRS else 0.0


def _effect(
    attribute: Attribute, changes: NDArray[np.float64], spread: float
) -> AttributeEffect | None:
    """Summarise the changes of seeds; None if too few could be measured, or nothing varies."""
    known = changes[np.isfinite(changes)]
    if len(known) < _LEAST_PAIRS or not spread:
        return None
    change = float(known.mean())
    error = float(known.std(ddof=1) / np.sqrt(len(known)))
    return AttributeEffect(attribute.key, change, error, change / spread)
