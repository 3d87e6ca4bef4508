"""Directions of the latent space that change what is measured of a volume."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy.stats import spearmanr

from cowgan.checkpoint import Checkpoint
from cowgan.errors import CowganError
from cowgan.latent.attribute_models import AttributeSamples, LinearModel, Numbers, fit_models
from cowgan.latent.components import block_thirds
from cowgan.latent.p_space import PSpace
from cowgan.measure.vessel_attributes import Attribute
from cowgan.progress import Progress, Silent, advance
from cowgan.synthesis import Direction, Edit, LatentState, Synthesizer
from cowgan.volume import Volume

VolumeMeasure = Callable[[Volume], Mapping[str, float]]
"""Measures a volume; values are by key of attributes, NaN where there is nothing to measure."""

WALK_SIGMAS = (-2.0, -1.0, 1.0, 2.0)
_WALKS, _WALKS_FOR_BLOCKS = 6, 3
_FAR = 2.0
_SHARE_OF_EFFECT = 0.8
"""The fewest blocks that keep this share of the largest effect are chosen."""
_LEAST_MONOTONICITY = 0.5
_LEAST_Z = 2.0


@dataclass(frozen=True)
class AttributeDirection:
    """A direction that changes an attribute.

    Attributes
    ----------
    attribute : str
        Key of the attribute.
    direction : Direction
        Upwards: towards larger values, or from absent to present.
    score : float
        R² or AUC of the fit, see `LinearModel`.
    n_train, n_test : int
        Volumes behind the fit and the score.
    monotonicity : float
        Mean Spearman correlation of position and measured value along walks from held-out latents;
        for a presence, that of the position and the share of volumes with it.
    effects : dict of str to float
        Mean measured change per sigma of every attribute, by key: the row of the leakage matrix.
    sds : dict of str to float
        Standard deviation of every attribute over the volumes of random latents, by key.
    lowest, highest : float
        Its 1st and 99th percentile there.
    """

    attribute: str
    direction: Direction
    score: float
    n_train: int
    n_test: int
    monotonicity: float
    effects: Mapping[str, float] = field(compare=False)
    sds: Mapping[str, float] = field(compare=False)
    lowest: float
    highest: float

    @property
    def per_sigma(self) -> float:
        """Mean measured change of its attribute per sigma."""
        return self.effects[self.attribute]

    def leakage(self, key: str) -> float:
        """Return the change of an attribute per sigma, in its standard deviations."""
        sd = self.sds[key]
        return self.effects[key] / sd if sd > 0 else 0.0


def pattern_direction(
    checkpoint: Checkpoint,
    model: LinearModel,
    first_block: int,
    last_block: int,
    apart_from: Sequence[LinearModel] = (),
) -> Direction:
    """Return the direction in which latents vary with an attribute.

    It is the pattern of a linear model, its weights times the covariance of the latents (Haufe et
    al., NeuroImage 87:96, 2014). In P space one step of it therefore leads where the model's own
    latents lie; weights alone would also use directions that latents hardly take.

    Parameters
    ----------
    checkpoint : Checkpoint
        The generator.
    model : LinearModel
        See `cowgan.latent.attribute_models.fit_models`.
    first_block, last_block : int
        Blocks it acts on, 0-based and inclusive.
    apart_from : sequence of LinearModel
        Attributes whose predictions must not change along it.

    Raises
    ------
    CowganError
        The attribute cannot be told from the others.
    """
    step = model.weights / np.linalg.norm(model.weights)
    if apart_from:
        others = np.stack([other.weights for other in apart_from], axis=1)
        step = step - others @ np.linalg.lstsq(others, step, rcond=None)[0]
        length = np.linalg.norm(step)
        if length < 1e-3:
            raise CowganError(
                f"{model.attribute.title} cannot be changed without the attributes that it is to "
                "be kept apart from."
            )
        step = step / length
    vector = PSpace.of(checkpoint).p_step(torch.from_numpy(step.astype(np.float32)))
    return Direction(
        model.attribute.title, "attribute", "p", vector.numpy(), first_block, last_block
    )


def fit(
    synthesizer: Synthesizer,
    samples: AttributeSamples,
    attributes: Sequence[Attribute],
    measure: VolumeMeasure,
    apart_from: Mapping[str, Sequence[str]] | None = None,
    progress: Progress | None = None,
) -> list[AttributeDirection]:
    """Fit attributes and measure what their directions change.

    Every direction is walked, up to two sigma either way, from latents that its fit has not seen;
    the fewest blocks with the effect are chosen. Directions that do not change their own attribute
    beyond chance, or not monotonically, are left out.

    Parameters
    ----------
    synthesizer : Synthesizer
        Renders volumes; its cache is not touched.
    samples, attributes
        As for `fit_models`.
    measure : callable
        Measures a volume, as the samples were measured.
    apart_from : dict of str to sequence of str, optional
        By key of an attribute, those that are not to change with it; see `pattern_direction`.
    progress : Progress, optional
        Reports each walk.

    Returns
    -------
    list of AttributeDirection
        In the order of `attributes`.

    Raises
    ------
    Cancelled
        The user cancelled.
    CowganError
        There are too few samples, or attributes that cannot be told apart.
    """
    progress, checkpoint = progress or Silent(), synthesizer.checkpoint
    models = {model.attribute.key: model for model in fit_models(checkpoint, samples, attributes)}
    useful = [model for model in models.values() if model.useful]
    # After the last seed, so that no fit has seen them.
    first_seed = max(samples.seeds) + 1
    walker = _Walker(synthesizer, measure, range(first_seed, first_seed + _WALKS))
    known = {key: values[np.isfinite(values)] for key, values in samples.values.items()}
    sds = {key: float(values.std()) if len(values) else 0.0 for key, values in known.items()}
    found = []
    for done, model in enumerate(useful):
        advance(progress, done, len(useful), model.attribute.title)
        key = model.attribute.key
        others = [models[k] for k in (apart_from or {}).get(key, ()) if k in models]
        direction = _with_blocks(checkpoint, model, others, walker, progress)
        effects, z, monotonicity = walker.walk(direction, key, model.attribute.presence, progress)
        if z < _LEAST_Z or monotonicity < _LEAST_MONOTONICITY:
            continue
        lowest, highest = np.percentile(known[key], (1, 99))
        found.append(
            AttributeDirection(
                attribute=key,
                direction=direction,
                score=model.score,
                n_train=model.n_train,
                n_test=model.n_test,
                monotonicity=monotonicity,
                effects=effects,
                sds=sds,
                lowest=float(lowest),
                highest=float(highest),
            )
        )
    advance(progress, len(useful), len(useful))
    return found


class _Walker:
    """Measures volumes along directions."""

    def __init__(
        self, synthesizer: Synthesizer, measure: VolumeMeasure, seeds: Sequence[int]
    ) -> None:
        self._synthesizer = synthesizer
        self._measure = measure
        self._seeds = seeds
        self._known: dict[LatentState, Mapping[str, float]] = {}

    def effect(
        self, direction: Direction, key: str, seeds: int, sigmas: float, progress: Progress
    ) -> float:
        """Return the mean change of one attribute per sigma, from the first few seeds."""
        changes = []
        for seed in self._seeds[:seeds]:
            low, high = (self._at(seed, direction, s, progress)[key] for s in (-sigmas, sigmas))
            changes.append((high - low) / (2 * sigmas))
        return float(np.nanmean(changes)) if np.isfinite(changes).any() else 0.0

    def walk(
        self, direction: Direction, key: str, presence: bool, progress: Progress
    ) -> tuple[dict[str, float], float, float]:
        """Return the mean slopes of all attributes, and of one its z and its monotonicity."""
        positions = np.array(sorted((*WALK_SIGMAS, 0.0)))
        walks = [
            [self._at(seed, direction, sigmas, progress) for sigmas in positions]
            for seed in self._seeds
        ]
        slopes = {
            name: np.array([_slope(positions, [at[name] for at in walk]) for walk in walks])
            for name in walks[0][0]
        }
        effects = {
            name: float(np.nanmean(each)) if np.isfinite(each).any() else 0.0
            for name, each in slopes.items()
        }
        own = slopes[key][np.isfinite(slopes[key])]
        error = own.std(ddof=1) / np.sqrt(len(own)) if len(own) > 1 else np.inf
        z = effects[key] / max(error, 1e-12)
        courses = np.array([[at[key] for at in walk] for walk in walks])
        if presence:
            # Most walks stay on one side; the share of volumes with it tells the trend.
            courses = courses.mean(0, keepdims=True)
        ranks = [_spearman(positions, course) for course in courses]
        return effects, float(z), float(np.mean(ranks))

    def _at(
        self, seed: int, direction: Direction, sigmas: float, progress: Progress
    ) -> Mapping[str, float]:
        edit = Edit(direction, sigmas, direction.first_block, direction.last_block)
        state = LatentState(seed, edits=(edit,) if sigmas else ())
        if state not in self._known:
            if progress.cancelled:
                advance(progress, 0, 1)
            self._known[state] = self._measure(next(self._synthesizer.render_many([state])))
        return self._known[state]


def _with_blocks(
    checkpoint: Checkpoint,
    model: LinearModel,
    others: Sequence[LinearModel],
    walker: _Walker,
    progress: Progress,
) -> Direction:
    """Return a direction with the fewest blocks that keep most of its effect."""
    n_blocks = checkpoint.config.n_blocks
    thirds = list(block_thirds(n_blocks).values())
    ranges = dict.fromkeys([*thirds, (0, thirds[min(1, len(thirds) - 1)][1]), (0, n_blocks - 1)])
    whole = pattern_direction(checkpoint, model, 0, n_blocks - 1, others)
    effects = {
        blocks: walker.effect(
            replace(whole, first_block=blocks[0], last_block=blocks[1]),
            model.attribute.key,
            _WALKS_FOR_BLOCKS,
            _FAR,
            progress,
        )
        for blocks in ranges
    }
    most = max(effects.values())
    enough = [b for b, effect in effects.items() if effect >= _SHARE_OF_EFFECT * most]
    first, last = min(enough or [(0, n_blocks - 1)], key=lambda b: (b[1] - b[0], -effects[b]))
    return replace(whole, first_block=first, last_block=last)


def _slope(positions: Numbers, values: Sequence[float]) -> float:
    """Return the slope through the values that are known; NaN with fewer than two."""
    known = np.isfinite(values)
    if known.sum() < 2:
        return float("nan")
    return float(np.polyfit(positions[known], np.array(values)[known], 1)[0])


def _spearman(positions: Numbers, values: Sequence[float]) -> float:
    """Return Spearman's correlation; 0 where nothing changes or too little is known."""
    known = np.isfinite(values)
    if known.sum() < 3 or np.ptp(np.array(values)[known]) == 0:
        return 0.0
    return float(spearmanr(positions[known], np.array(values)[known]).statistic)
