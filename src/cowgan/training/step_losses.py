"""The weighted losses of a training step, and their means for the log."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from cowgan.features.views import Features
from cowgan.training import losses
from cowgan.training.brightness import Brightness, brightness_error
from cowgan.training.config import TrainingConfig
from cowgan.training.reconstruction import feature_error, reconstruction_error

_DISCRIMINATOR_LOSS = {
    "hinge": losses.hinge_discriminator,
    "logistic": losses.logistic_discriminator,
}
_GENERATOR_LOSS = {"hinge": losses.hinge_generator, "logistic": losses.logistic_generator}
_PENALTY = {"one_centred": losses.one_centred_penalty, "r1": losses.r1_penalty}


class StepLosses:
    """The weighted losses of one step.

    Parameters
    ----------
    config : TrainingConfig
        Weights and kinds of the losses.

    Attributes
    ----------
    metrics : dict of str to float
        Mean over the step's passes of each unweighted term and further numbers, by the names of
        the log's columns. Weighted are only "penalty" and "path".
    """

    def __init__(self, config: TrainingConfig) -> None:
        self._config = config
        self.metrics: dict[str, float] = {}

    def discriminator_loss(self, real: list[Tensor], fake: list[Tensor]) -> Tensor:
        """Return the discriminator's loss, given the logits of each head."""
        loss = _DISCRIMINATOR_LOSS[self._config.loss]
        terms = [loss(one.float(), other.float()) for one, other in zip(real, fake, strict=True)]
        judged_real = [(one < 0).float().mean() for one in real]
        self._record(torch.stack(judged_real).mean(), "judged_real")
        return self._record(torch.stack(terms).mean(), "discriminator")

    def slope_penalty(self, discriminator: nn.Module, reals: Tensor) -> Tensor:
        """Return the penalty on the discriminator's slope at real volumes, in float32."""
        config = self._config
        penalty = _PENALTY[config.penalty](losses.slopes(discriminator, reals))
        interval = config.penalty_every if config.penalty_scaled else 1
        return self._record(config.penalty_weight * interval * penalty, "penalty")

    def generator_loss(
        self,
        logits: list[Tensor],
        fakes: Tensor,
        anchor_error: Tensor | None,
        trait_errors: Mapping[str, Tensor],
        brightness: Brightness | None,
    ) -> Tensor:
        """Return the generator's loss but for its pairs.

        Parameters
        ----------
        logits : list of Tensor
            Of each head.
        fakes : Tensor
            Generated volumes, shape (N, 1, z, x, y).
        anchor_error : Tensor, optional
            Error of their anatomies, after a linear start.
        trait_errors : dict of str to Tensor
            Errors of the moments of their traits, by the names of `TrainingConfig.trait_weights`.
        brightness : Brightness, optional
            Of real volumes; needed if brightness has a weight.
        """
        config = self._config
        terms = [_GENERATOR_LOSS[config.loss](one.float()) for one in logits]
        loss = self._record(torch.stack(terms).mean(), "generator")
        if anchor_error is not None:
            loss = loss + config.anchor_weight * self._record(anchor_error, "anchor")
        for name, error in trait_errors.items():
            loss = loss + config.trait_weights[name] * self._record(error, name)
        if brightness is not None and config.brightness_weight:
            error = self._record(brightness_error(fakes, brightness), "brightness")
            loss = loss + config.brightness_weight * error
        return loss

    def pair_loss(self, fakes: Tensor, reals: Tensor, variance: float) -> Tensor:
        """Return the loss of generated volumes that do not reproduce their real ones."""
        error = reconstruction_error(fakes.float(), reals, variance)
        return self._config.paired_weight * self._record(error, "paired")

    def feature_loss(self, fake: Features, real: Features, n_pairs: int) -> Tensor:
        """Return the loss of the pairs' features, the first `n_pairs` volumes of both."""
        error = feature_error(fake, real, n_pairs)
        return self._config.feature_weight * self._record(error, "features")

    def path_loss(self, lengths: Tensor, mean: float) -> Tensor:
        """Return the loss of path lengths away from their running mean, 0 if there is none yet."""
        found = self._record(lengths.detach().mean(), "path_length")
        error = (lengths - (mean or float(found))).square().mean()
        return self._record(self._config.path_weight * error, "path")

    def _record(self, term: Tensor, name: str) -> Tensor:
        """Add a pass's term to the step's mean; return the term."""
        share = float(term.detach()) / self._config.accumulate
        self.metrics[name] = self.metrics.get(name, 0.0) + share
        return term
