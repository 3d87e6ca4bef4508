"""The latent state: everything that determines a volume of a checkpoint."""

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from cowgan.documents import checked
from cowgan.errors import CowganError
from cowgan.randomness import MAX_SEED
from cowgan.synthesis.direction import Direction
from cowgan.synthesis.noise_map import NoiseMap

SCHEMA = "cowgan.latent-state/1"

MOST_NOISES = 256

TruncationCentre = Literal["mean", "nearest"]
"""The mean style, or the nearest of the model's cluster centres."""


@dataclass(frozen=True)
class BlockMix:
    """Style mixing of one block with another seed.

    Attributes
    ----------
    block : int
        0-based index of the synthesis block.
    seed : int
        Seed of the other style.
    weight : float
        Weight of the other style, 0 to 1.
    """

    block: int
    seed: int
    weight: float = 1.0


@dataclass(frozen=True)
class Edit:
    """A direction applied to a range of blocks.

    Attributes
    ----------
    direction : Direction
        Direction to move along.
    sigmas : float
        Distance along it.
    first_block, last_block : int
        Blocks it acts on, 0-based and inclusive.
    """

    direction: Direction
    sigmas: float
    first_block: int
    last_block: int


@dataclass(frozen=True)
class NoiseShare:
    """One of several noises that are blended.

    Attributes
    ----------
    seed : int
        Seed of the noise.
    weight : float
        Factor on its deviation from the mean, -1 to 1.
    """

    seed: int
    weight: float


@dataclass(frozen=True)
class LatentState:
    """Everything that determines a volume, given a checkpoint.

    The style of each block is built in this order: the base style (from `seed` or `w`),
    mixing, truncation, directions.

    Attributes
    ----------
    seed : int
        Base seed, 0 to 2^64 - 1.
    w : tuple of tuple of float or None
        Explicit base style instead of the seed's: one row of length latent_dim for every
        block, or a single row for all.
    psi : float
        Truncation: 0 gives the centre of truncation, 1 leaves the style unchanged.
    centre : TruncationCentre
        Centre of truncation; the nearest one is found for the style of each block.
    cutoff : int or None
        Only blocks below it are truncated; None means all.
    mixing : tuple of BlockMix
        At most one entry per block.
    noise : bool
        Whether noise is added; without it every noise value is the mean.
    noise_seed : int or None
        Seed of the noise; None follows `seed`.
    noise_strength : tuple of float
        Factor on the noise's deviation from its mean, per block; blocks beyond its end
        have 1.
    noise_maps : tuple of NoiseMap
        Noise of some blocks, instead of that of the seed.
    origin : str
        What the explicit style comes from, such as the scan that was projected; no part of what
        decides about the volume.
    edits : tuple of Edit
        Directions, applied in order.
    noise_blend : tuple of NoiseShare
        Several noises instead of that of `noise_seed`, as halfway between two states. The
        variance is that of one noise if the squares of the weights add up to 1.

    Raises
    ------
    CowganError
        A value is not possible for any checkpoint.
    """

    seed: int = 0
    w: tuple[tuple[float, ...], ...] | None = None
    psi: float = 1.0
    centre: TruncationCentre = "mean"
    cutoff: int | None = None
    mixing: tuple[BlockMix, ...] = ()
    noise: bool = True
    noise_seed: int | None = None
    noise_strength: tuple[float, ...] = ()
    noise_maps: tuple[NoiseMap, ...] = ()
    origin: str = ""
    edits: tuple[Edit, ...] = ()
    noise_blend: tuple[NoiseShare, ...] = ()

    def __post_init__(self) -> None:
        seeds = [self.seed, *(mix.seed for mix in self.mixing)]
        if self.noise_seed is not None:
            seeds.append(self.noise_seed)
        seeds += [share.seed for share in self.noise_blend]
        for seed in seeds:
            if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MAX_SEED:
                raise CowganError(
                    f"A seed must be a whole number from 0 to 2^64 - 1, not {seed!r:.40}."
                )
        if not isinstance(self.noise, bool):
            raise CowganError(f"Noise must be on or off, not {self.noise!r:.40}.")
        if self.centre not in get_args(TruncationCentre):
            raise CowganError(
                f"The centre of truncation must be 'mean' or 'nearest', not {self.centre!r:.40}."
            )
        numbers = [self.psi, *self.noise_strength, *(edit.sigmas for edit in self.edits)]
        numbers += [mix.weight for mix in self.mixing]
        numbers += [value for row in self.w or () for value in row]
        if not all(math.isfinite(value) for value in numbers):
            raise CowganError("A latent state holds a value that is not a finite number.")
        if not all(0 <= mix.weight <= 1 for mix in self.mixing):
            raise CowganError("A style mixing weight must lie between 0 and 1.")
        if len(self.noise_blend) > MOST_NOISES:
            raise CowganError(f"At most {MOST_NOISES} noises can be blended.")
        if not all(abs(share.weight) <= 1 for share in self.noise_blend):
            raise CowganError("The weight of a blended noise must lie between -1 and 1.")
        blocks = [mix.block for mix in self.mixing]
        if len(set(blocks)) < len(blocks):
            raise CowganError("Style mixing names a block more than once.")
        if self.cutoff is not None and self.cutoff < 0:
            raise CowganError("The truncation cutoff must not be negative.")

    @property
    def effective_noise_seed(self) -> int:
        """Seed of the noise."""
        return self.seed if self.noise_seed is None else self.noise_seed

    @property
    def noises(self) -> tuple[NoiseShare, ...]:
        """The noises that are added, with their weights."""
        return self.noise_blend or (NoiseShare(self.effective_noise_seed, 1.0),)

    def with_seed(self, seed: int) -> "LatentState":
        """Return the state with a seed in place of an explicit style and of noise found for it."""
        found: dict[str, Any] = {}
        if self.noise_maps:
            found = {"noise_maps": (), "noise_seed": None, "noise_strength": ()}
        return replace(self, seed=seed, w=None, origin="", **found)

    def strength(self, block: int) -> float:
        """Return the noise strength of `block`, 0 where the noise is off."""
        if not self.noise:
            return 0.0
        return self.noise_strength[block] if block < len(self.noise_strength) else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable dictionary that holds everything, directions included."""
        content: dict[str, Any] = {
            "schema": SCHEMA,
            "seed": self.seed,
            "w": None if self.w is None else [list(row) for row in self.w],
            "psi": self.psi,
            "cutoff": self.cutoff,
            "mixing": [
                {"block": mix.block, "seed": mix.seed, "weight": mix.weight} for mix in self.mixing
            ],
            "noise": self.noise,
            "noise_seed": self.noise_seed,
            "noise_strength": list(self.noise_strength),
            # Left out where there are none, as before states could be projected.
            **(
                {"noise_maps": [each.to_dict() for each in self.noise_maps]}
                if self.noise_maps
                else {}
            ),
            **({"origin": self.origin} if self.origin else {}),
            "edits": [
                {
                    "direction": edit.direction.to_dict(),
                    "sigmas": edit.sigmas,
                    "first_block": edit.first_block,
                    "last_block": edit.last_block,
                }
                for edit in self.edits
            ],
        }
        # Few states have these; all others stay readable by older versions.
        if self.noise_blend:
            content["noise_blend"] = [vars(share) for share in self.noise_blend]
        if self.centre != "mean":
            content["centre"] = self.centre
        return content

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "LatentState":
        """Rebuild a state from `to_dict`'s result.

        Raises
        ------
        CowganError
            The dictionary is damaged or of a newer schema.
        """
        schema = content.get("schema") if isinstance(content, dict) else None
        if schema != SCHEMA:
            raise CowganError(
                "This is not a latent state that this version of the program can read.",
                f"schema {schema!r} instead of {SCHEMA!r}",
            )
        stored = {name: value for name, value in content.items() if name != "schema"}
        # Older states lack these.
        added: dict[str, Any] = {
            "noise_blend": [],
            "centre": "mean",
            "noise_maps": [],
            "origin": "",
        }
        return checked(added | stored, cls, "A stored latent state")
