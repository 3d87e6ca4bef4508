"""A map of a model's volumes: where random ones lie, and how typical another one is of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import chi
from torch import Tensor

from cowgan.checkpoint import Checkpoint, to_p
from cowgan.latent.anatomy_codes import AnatomyCodes
from cowgan.latent.attribute_models import AttributeSamples
from cowgan.latent.components import pca_directions
from cowgan.latent.p_space import PSpace
from cowgan.measure.vessel_attributes import Attribute
from cowgan.synthesis import LatentState, latent, styles

SEEDS = 2000
"""Random volumes with which a volume is compared, and which a map without measurements shows."""

_COMPONENTS = 6
_UNUSUAL, _UNLIKE = 0.9, 0.99
_LEAST_STEP = 0.01
_LEAST_SPREAD = 0.01
"""Standard deviation of the distances of random volumes below which colours would show noise."""

Light = Literal["green", "amber", "red"]

DISTANCE = Attribute("distance", "Unusualness", "SD", 1)
"""Mahalanobis distance of `cowgan.latent.p_space.PSpace`, divided by its root mean square."""

COMPONENTS = tuple(Attribute(f"pca_{i}", f"PCA {i}", "SD", 1) for i in range(1, _COMPONENTS + 1))
"""Coordinates along the directions of `cowgan.latent.components.pca_directions`."""


@dataclass(frozen=True)
class Typicality:
    """How typical a volume is of its model.

    Attributes
    ----------
    distance : float
        Its `DISTANCE`: 1 for random volumes, as root mean square.
    light : str
        Green where nine tenths of random volumes lie, red where only one in a hundred does.
    """

    distance: float
    light: Light

    @property
    def sentence(self) -> str:
        """The light and the distance, in words."""
        name = {"green": "Typical", "amber": "Unusual", "red": "Very unusual"}[self.light]
        return f"{name}: {self.distance:.2f} times as far from the model's mean as random volumes."


class LatentMap:
    """Volumes of seeds with their measurements, and their places in the latent space.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model.
    samples : AttributeSamples, optional
        Measured volumes of the model; without them, the map has the volumes of the first seeds and
        only what follows from their latents.
    attributes : sequence of Attribute
        What was measured, in the order in which to offer it.

    Attributes
    ----------
    seeds : tuple of int
        Of the volumes, which are neither truncated nor edited.
    anatomies : AnatomyCodes or None
        Real anatomies, which follow the volumes in `values` and in all indices.
    quantities : dict of str to Attribute
        By key, what can be an axis or a colour: what was measured, `COMPONENTS` and, unless random
        volumes all have the same, `DISTANCE`.
    measured : bool
        Whether it has measurements.
    values : dict of str to ndarray
        By key, one value per volume and anatomy; NaN where there was nothing to measure.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        samples: AttributeSamples | None = None,
        attributes: Sequence[Attribute] = (),
    ) -> None:
        self._checkpoint = checkpoint
        self._space = PSpace.of(checkpoint)
        directions = pca_directions(checkpoint, 0, checkpoint.config.n_blocks - 1, _COMPONENTS)
        vectors = torch.from_numpy(np.stack([each.vector for each in directions]))
        squares = vectors.square().sum(1)
        # Components along which the latents of a degenerate model do not vary have no coordinate.
        used = squares > 0
        self._components = COMPONENTS[: int(used.sum())]
        self._projection = (vectors[used] / squares[used, None]).T
        distances = self._latent_values(_ws(checkpoint, range(SEEDS)))[DISTANCE.key]
        self._limits = self._limits_of_lights(distances)
        self.seeds = tuple(range(SEEDS)) if samples is None else samples.seeds
        measured = {} if samples is None else samples.values
        known = [each for each in attributes if np.isfinite(measured.get(each.key, np.nan)).any()]
        self.measured = bool(known)
        shown = (DISTANCE,) if distances.std() > _LEAST_SPREAD else ()
        self.quantities = {each.key: each for each in (*known, *self._components, *shown)}
        self.anatomies: AnatomyCodes | None = None
        self._of_seeds: Mapping[str, NDArray[np.float64]] = {
            **{each.key: np.asarray(measured[each.key], dtype=np.float64) for each in known},
            **self._latent_values(_ws(checkpoint, self.seeds)),
        }
        self.values: Mapping[str, NDArray[np.float64]] = self._of_seeds

    def show_anatomies(
        self,
        anatomies: AnatomyCodes | None,
        measured: Mapping[str, NDArray[np.float64]] | None = None,
    ) -> None:
        """Add real anatomies in place of earlier ones; None removes them.

        Parameters
        ----------
        anatomies : AnatomyCodes or None
            Where the encoder sees them.
        measured : dict of str to ndarray, optional
            By key, what was measured of each of them.
        """
        self.anatomies = anatomies
        if anatomies is None:
            self.values = self._of_seeds
            return
        unknown = np.full(len(anatomies.people), np.nan)
        styles_of_people = self._space.w(anatomies.codes.float())
        values = {**(measured or {}), **self._latent_values(styles_of_people)}
        self.values = {
            key: np.concatenate([of_seeds, values.get(key, unknown)])
            for key, of_seeds in self._of_seeds.items()
        }

    def state(self, index: int) -> LatentState:
        """Return the state of a volume or of an anatomy's style."""
        if index < len(self.seeds) or self.anatomies is None:
            return LatentState(self.seeds[index])
        person = index - len(self.seeds)
        w = self._space.w(self.anatomies.codes[person].float())
        return LatentState(
            w=(tuple(w.tolist()),), origin=f"{self.anatomies.people[person]}, encoded"
        )

    def name(self, index: int) -> str:
        """Return the seed of a volume or the name of an anatomy."""
        if index < len(self.seeds) or self.anatomies is None:
            return f"Seed {self.seeds[index]}"
        return self.anatomies.people[index - len(self.seeds)]

    def position(self, state: LatentState) -> dict[str, float]:
        """Return what follows from the latent of a volume.

        Returns
        -------
        dict of str to float
            By key: the coordinate along each of `COMPONENTS`, as the mean of the blocks, and the
            `DISTANCE` of the block that is farthest out, without truncation below 1. Truncation
            leads to the mean of w, which gives the most typical volumes but is no latent of the
            model: in P space it lies farther out than any.

        Raises
        ------
        CowganError
            The state was made for another architecture.
        """
        of_blocks = self._latent_values(styles(self._checkpoint, state))
        position = {each.key: float(of_blocks[each.key].mean()) for each in self._components}
        whole = replace(state, psi=max(state.psi, 1.0))
        distances = self._latent_values(styles(self._checkpoint, whole))[DISTANCE.key]
        return {**position, DISTANCE.key: float(distances.max())}

    def typicality(self, position: Mapping[str, float]) -> Typicality:
        """Return how typical the volume of a `position` is."""
        distance, (unusual, unlike) = position[DISTANCE.key], self._limits
        if distance <= unusual:
            return Typicality(distance, "green")
        return Typicality(distance, "amber" if distance <= unlike else "red")

    def places(self, x: str, y: str) -> NDArray[np.float64]:
        """Return the place of each for two keys, shape (n, 2); NaN where it has none."""
        return np.stack([self.values[x], self.values[y]], axis=1)

    def nearest(
        self, x: str, y: str, place: tuple[float, float], scale: tuple[float, float]
    ) -> int | None:
        """Return the index of what is nearest to a place; None if nothing has a place.

        Parameters
        ----------
        x, y : str
            Keys of the axes.
        place : tuple of float
            Along them.
        scale : tuple of float
            Lengths along the axes that count as equal, such as those of one pixel.
        """
        distances = np.linalg.norm((self.places(x, y) - place) / scale, axis=1)
        if not np.isfinite(distances).any():
            return None
        return int(np.nanargmin(distances))

    def next_along(
        self,
        x: str,
        y: str,
        place: tuple[float, float],
        step: tuple[int, int],
        scale: tuple[float, float],
    ) -> int | None:
        """Return the index of what is nearest on one side of a place; None at the margin.

        Parameters
        ----------
        x, y, place, scale
            As for `nearest`.
        step : tuple of int
            The side: (1, 0), (-1, 0), (0, 1) or (0, -1). Volumes whose direction from the place
            is within 45 degrees of it count.
        """
        offsets = (self.places(x, y) - place) / scale
        ahead = offsets @ np.array(step, dtype=np.float64)
        aside = np.abs(offsets @ np.array(step[::-1], dtype=np.float64))
        with np.errstate(invalid="ignore"):
            candidates = (ahead > _LEAST_STEP) & (aside <= ahead)
        if not candidates.any():
            return None
        distances = np.where(candidates, np.hypot(ahead, aside), np.inf)
        return int(distances.argmin())

    def _limits_of_lights(self, distances: NDArray[np.float64]) -> tuple[float, float]:
        """Return the largest distances that are green and amber, given those of random volumes."""
        # A mapping network brings all z to one length. One that is still near a rotation keeps it,
        # so that its random latents are equally far out and the least edit would be red: latents
        # may be as far out as in a Gaussian of as many dimensions, which lengths of z differ in.
        shares = np.array([_UNUSUAL, _UNLIKE])
        dimensions = len(self._space.sd)
        gaussian = chi.ppf(shares, dimensions) / np.sqrt(dimensions)
        unusual, unlike = np.maximum(np.quantile(distances, shares), gaussian).tolist()
        return unusual, unlike

    def _latent_values(self, w: Tensor) -> dict[str, NDArray[np.float64]]:
        """Return by key what follows from w codes (n, latent_dim), each of shape (n,)."""
        centred = to_p(w) - self._checkpoint.statistics.p_mean
        coordinates = (centred @ self._projection).double().numpy()
        distances = self._space.mahalanobis(w).double().numpy() / np.sqrt(len(self._space.sd))
        return {
            **{each.key: coordinates[:, i] for i, each in enumerate(self._components)},
            DISTANCE.key: distances,
        }


@torch.inference_mode()
def _ws(checkpoint: Checkpoint, seeds: Sequence[int]) -> Tensor:
    """Return the w codes (n, latent_dim) of seeds."""
    z = torch.stack([latent(seed, checkpoint.config.latent_dim) for seed in seeds])
    return checkpoint.mapping(z)
