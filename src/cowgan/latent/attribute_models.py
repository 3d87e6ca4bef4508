"""Attributes of volumes as linear functions of their latents."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import rankdata

from cowgan.checkpoint import Checkpoint
from cowgan.errors import CowganError
from cowgan.latent.p_space import PSpace
from cowgan.measure.vessel_attributes import Attribute
from cowgan.synthesis import style

Numbers = NDArray[np.float64]
Fold = NDArray[np.bool_]

LEAST_SAMPLES = 100
_EVERY_HELD_OUT = 5
_FOLDS = 5
_LEAST_OF_EACH = 20
"""Volumes with, and without, what a presence tells."""
_LEAST_R2, _LEAST_AUC = 0.05, 0.6
_PENALTIES = tuple(10.0**power for power in np.arange(-2, 4.1, 0.5))


@dataclass(frozen=True, eq=False)
class AttributeSamples:
    """Measured volumes of seeds.

    Attributes
    ----------
    seeds : tuple of int
        Of the volumes.
    values : dict of str to ndarray
        By key of the attribute, one value per seed; NaN where there was nothing to measure.
    """

    seeds: tuple[int, ...]
    values: Mapping[str, Numbers]


@dataclass(frozen=True, eq=False)
class LinearModel:
    """An attribute as a linear function of whitened latents.

    Attributes
    ----------
    attribute : Attribute
        What it predicts.
    weights : ndarray, shape (n,)
        Of whitened coordinates; of the log-odds for a presence.
    score : float
        On latents that were held out: R² of a number, AUC of a presence.
    n_train, n_test : int
        Volumes that it was fitted to, and held out.
    """

    attribute: Attribute
    weights: Numbers
    score: float
    n_train: int
    n_test: int

    @property
    def useful(self) -> bool:
        """Whether it predicts the attribute at all."""
        return self.score >= (_LEAST_AUC if self.attribute.presence else _LEAST_R2)


def fit_models(
    checkpoint: Checkpoint, samples: AttributeSamples, attributes: Sequence[Attribute]
) -> list[LinearModel]:
    """Fit a linear model of each attribute that varies to whitened latents in P space.

    Numbers are fitted by ridge regression, presence by logistic regression in which both classes
    weigh the same; the penalty is chosen by five-fold cross-validation. Every
    fifth volume is held out and gives the score.

    Parameters
    ----------
    checkpoint : Checkpoint
        Model that made the volumes.
    samples : AttributeSamples
        Measured volumes.
    attributes : sequence of Attribute
        What to fit; those that are not in the samples or hardly vary are left out.

    Raises
    ------
    CowganError
        There are fewer than 100 samples.
    """
    n = len(samples.seeds)
    if n < LEAST_SAMPLES:
        raise CowganError(
            f"Attributes need {LEAST_SAMPLES} measured volumes at least, and there are {n}."
        )
    space = PSpace.of(checkpoint)
    w = torch.stack([style(checkpoint, seed) for seed in samples.seeds])
    whitened, sd = space.whitened(w).double().numpy(), space.sd.double().numpy()
    held_out = np.arange(n) % _EVERY_HELD_OUT == 0
    models = []
    for attribute in attributes:
        values = np.asarray(samples.values.get(attribute.key, ()), dtype=np.float64)
        known = np.isfinite(values)
        if not len(values) or not _varies(values[known], attribute):
            continue
        train, test = known & ~held_out, known & held_out
        fitted = _logistic if attribute.presence else _ridge
        # Penalising weights of p rather than of whitened coordinates predicts better: what hardly
        # varies in p hardly shows in volumes.
        weights = fitted(whitened[train] * sd, values[train]) * sd
        score = (_auc if attribute.presence else _r2)(whitened[test] @ weights, values[test])
        models.append(LinearModel(attribute, weights, score, int(train.sum()), int(test.sum())))
    return models


def _varies(values: Numbers, attribute: Attribute) -> bool:
    if attribute.presence:
        there = int((values > 0.5).sum())
        return min(there, len(values) - there) >= _LEAST_OF_EACH
    return len(values) >= LEAST_SAMPLES and float(values.std()) > 0


def _ridge(x: Numbers, y: Numbers) -> Numbers:
    """Return the weights of a ridge regression, with its penalty by cross-validation."""

    def error(penalty: float, inside: Fold, outside: Fold) -> float:
        weights, offset = _ridge_weights(x[inside], y[inside], penalty)
        return float(((y[outside] - x[outside] @ weights - offset) ** 2).sum())

    return _ridge_weights(x, y, _best_penalty(error, len(y)))[0]


def _ridge_weights(x: Numbers, y: Numbers, penalty: float) -> tuple[Numbers, float]:
    centre, level = x.mean(0), float(y.mean())
    centred = x - centre
    gram = centred.T @ centred + penalty * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, centred.T @ (y - level))
    return weights, level - float(centre @ weights)


def _logistic(x: Numbers, y: Numbers) -> Numbers:
    """Return the weights of a logistic regression whose classes weigh the same."""
    sign, balance = np.where(y > 0.5, 1.0, -1.0), _balance(y)

    def error(penalty: float, inside: Fold, outside: Fold) -> float:
        weights, offset = _logistic_weights(x[inside], y[inside], penalty)
        margin = sign[outside] * (x[outside] @ weights + offset)
        return float((balance[outside] * np.logaddexp(0, -margin)).sum())

    return _logistic_weights(x, y, _best_penalty(error, len(y)))[0]


def _logistic_weights(x: Numbers, y: Numbers, penalty: float) -> tuple[Numbers, float]:
    sign, balance = np.where(y > 0.5, 1.0, -1.0), _balance(y)

    def loss(parameters: Numbers) -> tuple[float, Numbers]:
        weights = parameters[:-1]
        margin = sign * (x @ weights + parameters[-1])
        slope = -sign * balance * expit(-margin)
        value = (balance * np.logaddexp(0, -margin)).sum() + penalty / 2 * (weights**2).sum()
        return float(value), np.append(x.T @ slope + penalty * weights, slope.sum())

    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    return np.asarray(found[:-1]), float(found[-1])


def _best_penalty(error: Callable[[float, Fold, Fold], float], count: int) -> float:
    """Return the penalty of least error in five-fold cross-validation."""
    fold = np.arange(count) % _FOLDS
    return min(
        _PENALTIES,
        key=lambda penalty: sum(error(penalty, fold != f, fold == f) for f in range(_FOLDS)),
    )


def _balance(y: Numbers) -> Numbers:
    share = (y > 0.5).mean().clip(1e-6, 1 - 1e-6)
    return np.where(y > 0.5, 0.5 / share, 0.5 / (1 - share))


def _r2(predicted: Numbers, values: Numbers) -> float:
    """Return the R² of predictions up to their mean."""
    residual = (values - values.mean()) - (predicted - predicted.mean())
    return float(1 - residual.var() / values.var())


def _auc(predicted: Numbers, values: Numbers) -> float:
    """Return the area under the ROC curve, 0.5 if only one class is there."""
    there = values > 0.5
    n, m = int(there.sum()), int((~there).sum())
    if not n or not m:
        return 0.5
    return float((rankdata(predicted)[there].sum() - n * (n + 1) / 2) / (n * m))
