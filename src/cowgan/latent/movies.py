"""Movies of walks through the latent space: key frames and the frames between them."""

import re
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Literal

import numpy as np

from cowgan.checkpoint import Checkpoint
from cowgan.errors import CowganError, require_choice
from cowgan.latent.easing import EASINGS, Easing
from cowgan.randomness import MAX_SEED
from cowgan.synthesis import LatentState, between_states
from cowgan.volume.orthographic import Camera

MOST_FRAMES = 100_000
MOST_KEYFRAMES = 1000
MOST_TURNS = 100
SIDES_PX = (64, 4096)
FRAME_RATES = (1, 120)

_COLOUR = re.compile("#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Contrast:
    """Brightness of the picture.

    Attributes
    ----------
    low, high : float
        Intensities that are drawn in the first and the last colour.
    gamma : float
        Exponent of the share between them; above 1 darkens what is between.

    Raises
    ------
    CowganError
        The limits are not in order, or the gamma is not positive.
    """

    low: float = 0.05
    high: float = 0.85
    gamma: float = 1.0

    def __post_init__(self) -> None:
        finite = np.isfinite([self.low, self.high, self.gamma]).all()
        if not finite or not self.low < self.high or not 0.01 <= self.gamma <= 100:
            raise CowganError(
                "The contrast needs a lower limit below the upper one and a gamma from 0.01 to 100."
            )

    def towards(self, end: "Contrast", t: float) -> "Contrast":
        """Return the contrast at `t`, 0 to 1, between two."""
        if t == 0 or self == end:
            return self
        return Contrast(
            (1 - t) * self.low + t * end.low,
            (1 - t) * self.high + t * end.high,
            self.gamma ** (1 - t) * end.gamma**t,
        )


@dataclass(frozen=True)
class Keyframe:
    """A frame that was chosen, and the way to the next one.

    Attributes
    ----------
    state : LatentState
        The volume.
    camera : Camera
        The point of view.
    contrast : Contrast
        The brightness.
    frames : int
        Frames from this one until the next key frame. The last key frame stays for as many, or
        leads back to the first in a loop.
    easing : str
        Speed on the way, one of `cowgan.latent.easing.EASINGS`.
    space : {"z", "w"}
        See `cowgan.synthesis.between_states`.
    noise : {"blend", "redraw"}
        Whether the noise passes into that of the next key frame, or is drawn anew for every frame
        with the next seed.
    turns : int
        Turns of the camera about the head-foot axis on the way.

    Raises
    ------
    CowganError
        A value is impossible.
    """

    state: LatentState
    camera: Camera = field(default_factory=Camera)
    contrast: Contrast = field(default_factory=Contrast)
    frames: int = 48
    easing: Easing = "ease-in-out"
    space: Literal["z", "w"] = "z"
    noise: Literal["blend", "redraw"] = "blend"
    turns: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.frames <= MOST_FRAMES:
            raise CowganError(f"A key frame must last from 1 to {MOST_FRAMES} frames.")
        if abs(self.turns) > MOST_TURNS:
            raise CowganError(f"A camera can turn at most {MOST_TURNS} times per key frame.")
        require_choice("easing", self.easing, EASINGS)
        require_choice("space", self.space, ("z", "w"))
        require_choice("noise", self.noise, ("blend", "redraw"))


@dataclass(frozen=True)
class MovieFrame:
    """One frame of a movie."""

    state: LatentState
    camera: Camera
    contrast: Contrast


@dataclass(frozen=True)
class Movie:
    """Key frames and what all frames share.

    Attributes
    ----------
    keyframes : tuple of Keyframe
        At least one.
    model_name, model_sha256 : str or None
        The model that the states were made with.
    frames_per_second : int
        Speed of the movie.
    width, height : int
        Size of the picture in pixels, even numbers.
    loop : bool
        Whether the last key frame leads back to the first.
    colours : tuple of str
        Colours from dark to bright, evenly spaced, as ``#rrggbb``.
    mark_synthetic : bool
        Whether "Synthetic" is written on every frame.

    Raises
    ------
    CowganError
        A value is impossible.
    """

    keyframes: tuple[Keyframe, ...]
    model_name: str | None = None
    model_sha256: str | None = None
    frames_per_second: int = 24
    width: int = 512
    height: int = 512
    loop: bool = False
    colours: tuple[str, ...] = ("#000000", "#ffffff")
    mark_synthetic: bool = True

    def __post_init__(self) -> None:
        if not 1 <= len(self.keyframes) <= MOST_KEYFRAMES:
            raise CowganError(f"A movie needs from 1 to {MOST_KEYFRAMES} key frames.")
        if self.n_frames > MOST_FRAMES:
            raise CowganError(f"A movie can have at most {MOST_FRAMES} frames.")
        slowest, fastest = FRAME_RATES
        if not slowest <= self.frames_per_second <= fastest:
            raise CowganError(f"A movie shows from {slowest} to {fastest} frames per second.")
        least, most = SIDES_PX
        if not all(least <= side <= most and side % 2 == 0 for side in self.size_px):
            raise CowganError(
                f"Width and height of a movie must be even numbers from {least} to {most}."
            )
        if not 2 <= len(self.colours) <= 256 or not all(map(_COLOUR.fullmatch, self.colours)):
            raise CowganError("A movie needs from 2 to 256 colours such as #ff8000.")

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(keyframe.frames for keyframe in self.keyframes))

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return self._ends[-1]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_frames / self.frames_per_second

    def index_of(self, keyframe: int) -> int:
        """Return the index of the frame that is a key frame."""
        return self._ends[keyframe] - self.keyframes[keyframe].frames

    def keyframe_at(self, index: int) -> int:
        """Return the key frame from which the way to a frame starts."""
        return bisect_right(self._ends, index)

    def frame(self, index: int, checkpoint: Checkpoint) -> MovieFrame:
        """Return a frame; a key frame is returned exactly.

        Parameters
        ----------
        index : int
            0 to `n_frames` - 1.
        checkpoint : Checkpoint
            Model of the latent space.

        Raises
        ------
        CowganError
            There is no such frame, or a state does not fit the model.
        """
        if not 0 <= index < self.n_frames:
            raise CowganError(f"The movie has frames 0 to {self.n_frames - 1}, and no {index}.")
        place = self.keyframe_at(index)
        start = self.keyframes[place]
        end = start
        if place + 1 < len(self.keyframes):
            end = self.keyframes[place + 1]
        elif self.loop:
            end = self.keyframes[0]
        step = index - self.index_of(place)
        t = EASINGS[start.easing](step / start.frames)
        state = between_states(checkpoint, start.state, end.state, t, start.space)
        if start.noise == "redraw" and step:
            seed = (start.state.effective_noise_seed + step) % (MAX_SEED + 1)
            state = replace(state, noise_seed=seed, noise_blend=(), noise_maps=())
        return MovieFrame(
            state,
            start.camera.towards(end.camera, t, start.turns),
            start.contrast.towards(end.contrast, t),
        )


def held(states: list[LatentState], frames: int = 1) -> tuple[Keyframe, ...]:
    """Return key frames that show states one after the other, without anything between.

    One frame per state is the published script's "normal" mode.
    """
    return tuple(Keyframe(state, frames=frames, easing="step") for state in states)


def interpolation(
    states: list[LatentState],
    steps: int = 100,
    space: Literal["z", "w"] = "z",
    loop: bool = False,
) -> tuple[Keyframe, ...]:
    """Return key frames of an even walk from state to state.

    Parameters
    ----------
    states : list of LatentState
        At least two; the noise is that of the first throughout, as in the published script.
    steps : int
        Frames of each way, both ends included; 100 in the published script.
    space : {"z", "w"}
        See `cowgan.synthesis.between_states`.
    loop : bool
        Whether the movie leads back from the last state to the first.
    """
    if len(states) < 2 or steps < 2:
        raise CowganError("An interpolation needs at least two states and two steps.")
    noise = states[0].effective_noise_seed
    way = [replace(state, noise_seed=noise) for state in states]
    last = len(way) - 1
    return tuple(
        Keyframe(state, frames=steps - 1 if loop or i < last else 1, easing="linear", space=space)
        for i, state in enumerate(way)
    )


def stochastic_variation(state: LatentState, draws: int = 100) -> tuple[Keyframe, ...]:
    """Return the key frame of one style with many noises, one per frame.

    Parameters
    ----------
    state : LatentState
        The style, and the seed of the first noise.
    draws : int
        Number of noises; 100 in the published script.
    """
    return (Keyframe(state, frames=draws, easing="linear", noise="redraw"),)


def turntable(state: LatentState, camera: Camera, frames: int = 120) -> tuple[Keyframe, ...]:
    """Return the key frame of one volume turning once; seamless in a loop."""
    return (Keyframe(state, camera, frames=frames, easing="linear", turns=1),)
