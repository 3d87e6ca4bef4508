"""One artery of a generated volume, made wider, narrower, new or absent.

Single arteries hardly follow any direction of the latent space that holds for all volumes. Here the
wanted artery is drawn into the volume at hand, and the styles of all blocks are moved, from where
they are, until the network makes the drawn volume. What it cannot make is not shown.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

import torch

from cowgan.checkpoint import to_p, to_w
from cowgan.errors import CowganError
from cowgan.latent.artery_drawing import ArteryDrawing, draw_between, draw_width, draw_without
from cowgan.latent.dragging import with_styles
from cowgan.latent.p_space import PSpace
from cowgan.measure.artery_courses import ArteryCourse
from cowgan.measure.communicating_courses import BodySide, gap_between
from cowgan.measure.vessel_attributes import MeasuredVessels, measure_vessels
from cowgan.synthesis import LatentState, Synthesizer, styles
from cowgan.synthesis.noise import block_noise
from cowgan.synthesis.noise_map import NoiseMap
from cowgan.volume import Volume

ROUNDS, STEPS = 6, 10
"""The volume is measured, and drawn anew, after so many steps, so often."""
_RATE_OF_STYLES, _RATE_OF_NOISE = 0.02, 0.1
"""Length of a step, in standard deviations of p, and of the noise as normal scores."""
_LEAST_NOISE = 1e-3
_ELSEWHERE = 3.0
"""Weight of the mean squared change elsewhere, relative to that of the difference where the artery
was drawn."""
_THINNEST_MM, _WIDEST_MM = 0.4, 8.0
_LONGEST_GAP_MM = 25.0


@dataclass(frozen=True, eq=False)
class FoundArtery:
    """An artery in a volume.

    Attributes
    ----------
    vessels : MeasuredVessels
        All vessels of the volume.
    course : ArteryCourse or None
        Those pieces that are of the artery; None if it is absent.
    """

    vessels: MeasuredVessels
    course: ArteryCourse | None

    @property
    def diameter_mm(self) -> float:
        """The artery's diameter, 0 if it is absent."""
        return 0.0 if self.course is None else self.course.diameter_mm


ArteryFinder = Callable[[Volume], FoundArtery]
"""Finds an artery in a volume."""


def find_communicating(side: BodySide) -> ArteryFinder:
    """Return what finds the posterior communicating artery of a side."""

    def find(volume: Volume) -> FoundArtery:
        vessels = measure_vessels(volume)
        return FoundArtery(vessels, vessels.communicating.get(side))

    return find


class SteeringOutcome(Enum):
    """What became of an artery."""

    MOVING = "moving"
    REACHED = "reached"
    STUCK = "stuck"


@dataclass(frozen=True)
class SteeringStep:
    """One step towards the wanted artery.

    Attributes
    ----------
    latent : LatentState
        Of the nearest volume so far that was measured.
    diameter_mm : float
        Measured there; 0 if the artery is absent.
    done : float
        Share of the steps that have been made.
    outcome : SteeringOutcome
        Whether it goes on.
    """

    latent: LatentState
    diameter_mm: float
    done: float
    outcome: SteeringOutcome


def steer(
    synthesizer: Synthesizer,
    state: LatentState,
    find: ArteryFinder,
    diameter_mm: float,
    tolerance_mm: float,
    side: BodySide | None = None,
) -> Iterator[SteeringStep]:
    """Give one artery another diameter, step by step.

    The seed stays. Mixing, truncation and directions of the state are taken into the explicit
    styles of the new states, so that it starts from the very volume of `state`.

    Parameters
    ----------
    synthesizer : Synthesizer
        The model; may render in another thread meanwhile.
    state : LatentState
        State to start from.
    find : callable
        Finds the artery.
    diameter_mm : float
        The diameter that is to be measured; 0 for an artery that is to be absent.
    tolerance_mm : float
        Largest distance from it.
    side : BodySide, optional
        Of a posterior communicating artery, which can be drawn where it is absent.

    Yields
    ------
    SteeringStep
        After each step, until the diameter is measured or no steps are left; the last one is the
        nearest of all.

    Raises
    ------
    CowganError
        The artery is absent and there is nothing that it could join, or the state does not fit the
        model.
    """
    volume = next(synthesizer.render_many([state]))
    start = find(volume)
    nearest = SteeringStep(state, start.diameter_mm, 0.0, SteeringOutcome.MOVING)
    moving = _Moving(synthesizer, state)
    aim = _first_aim(volume, start, find, diameter_mm)
    for number in range(ROUNDS):
        drawing = _draw(volume, start, aim, side)
        for step in range(STEPS):
            moving.approach(drawing)
            done = (number + (step + 1) / STEPS) / ROUNDS
            yield SteeringStep(nearest.latent, nearest.diameter_mm, done, SteeringOutcome.MOVING)
        latent = moving.latent()
        found = find(next(synthesizer.render_many([latent]))).diameter_mm
        if abs(found - diameter_mm) < abs(nearest.diameter_mm - diameter_mm):
            nearest = SteeringStep(latent, found, done, SteeringOutcome.MOVING)
        if _is_reached(found, diameter_mm, tolerance_mm):
            yield SteeringStep(latent, found, 1.0, SteeringOutcome.REACHED)
            return
        if diameter_mm and found:
            aim = min(max(aim + diameter_mm - found, _THINNEST_MM), _WIDEST_MM)
    yield SteeringStep(nearest.latent, nearest.diameter_mm, 1.0, SteeringOutcome.STUCK)


class _Moving:
    """Styles and noise that move towards drawings."""

    def __init__(self, synthesizer: Synthesizer, state: LatentState) -> None:
        self._synthesizer, self._state = synthesizer, state
        config = synthesizer.checkpoint.config
        self._space = PSpace.of(synthesizer.checkpoint)
        self._start = styles(synthesizer.checkpoint, state).clone()
        shape = len(self._start), len(self._space.sd)
        self._moved = torch.zeros(shape, requires_grad=True)
        whole = replace(state, noise=True, noise_strength=())
        self._scores = [
            torch.special.ndtri(noise.clamp(_LEAST_NOISE, 1 - _LEAST_NOISE)).requires_grad_()
            for block in range(max(config.n_blocks - 1, 1))
            if (noise := block_noise(whole, block, config)) is not None
        ]
        self._adam = torch.optim.Adam(
            [
                {"params": [self._moved], "lr": _RATE_OF_STYLES},
                {"params": self._scores, "lr": _RATE_OF_NOISE},
            ],
            betas=(0.8, 0.95),
        )

    def approach(self, drawing: ArteryDrawing) -> None:
        """Make one step."""
        device = self._synthesizer.device
        wanted = torch.from_numpy(drawing.volume.data).to(device)
        near = torch.from_numpy(drawing.near).to(device)
        with torch.enable_grad():
            made = self._synthesizer.image(self._styles(), self._noise(), self._state)
            made = made.clamp(0, 1)
            squared = (made - wanted).square()
            loss = squared[near].mean() + _ELSEWHERE * squared[~near].mean()
        self._adam.zero_grad()
        loss.backward()
        self._adam.step()

    def latent(self) -> LatentState:
        """Return the state of styles and noise as they are now."""
        with torch.no_grad():
            moved = with_styles(self._state, self._styles())
            arrays = [noise.numpy() for noise in self._noise()]
        maps = [NoiseMap(array.shape, array) for array in arrays]
        shapes = {each.shape for each in maps}
        finer = [each for each in self._state.noise_maps if each.shape not in shapes]
        return replace(moved, noise_maps=(*maps, *finer))

    def _noise(self) -> list[torch.Tensor]:
        return [torch.special.ndtr(scores) for scores in self._scores]

    def _styles(self) -> torch.Tensor:
        return to_w(to_p(self._start) + self._space.p_step(self._moved))


def _draw(
    volume: Volume, start: FoundArtery, aim_mm: float, side: BodySide | None
) -> ArteryDrawing:
    if start.course is not None:
        if not aim_mm:
            return draw_without(volume, start.vessels, start.course)
        return draw_width(volume, start.vessels, start.course, aim_mm)
    gap = side and gap_between(start.vessels.tubes, side, volume.shape, volume.spacing_mm)
    if gap is None or float(((gap[1] - gap[0]) ** 2).sum()) > _LONGEST_GAP_MM**2:
        raise CowganError(
            "This artery is absent, and no arteries are near enough to each other that it could "
            "join; try another seed."
        )
    return draw_between(volume, start.vessels, gap, aim_mm)


def _first_aim(volume: Volume, start: FoundArtery, find: ArteryFinder, diameter_mm: float) -> float:
    """Return the diameter to draw so that about the wanted one is measured."""
    if start.course is None or not diameter_mm:
        return diameter_mm
    drawn = draw_width(volume, start.vessels, start.course, diameter_mm)
    change, wanted = find(drawn.volume).diameter_mm - start.diameter_mm, diameter_mm
    share = change / (wanted - start.diameter_mm) if wanted != start.diameter_mm else 1.0
    aim = start.diameter_mm + (wanted - start.diameter_mm) / min(max(share, 0.4), 1.5)
    return min(max(aim, _THINNEST_MM), _WIDEST_MM)


def _is_reached(found_mm: float, wanted_mm: float, tolerance_mm: float) -> bool:
    if not wanted_mm or not found_mm:
        return wanted_mm == found_mm
    return abs(found_mm - wanted_mm) <= tolerance_mm
