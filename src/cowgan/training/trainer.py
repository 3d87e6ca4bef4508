"""One training step after the other."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cowgan.errors import CowganError
from cowgan.networks import MappingNetwork, SynthesisNetwork, initialise
from cowgan.randomness import stream
from cowgan.synthesis.precision import choose_device, choose_dtype
from cowgan.training import draws, losses
from cowgan.training.augmentation import augment, flip
from cowgan.training.average import averaging_rate, update_average
from cowgan.training.config import TrainingConfig
from cowgan.training.discriminator import make_discriminator
from cowgan.training.diversity import Likeness, concentration, measure_likeness, repetition

_MOST_BAD_STEPS = 10
_LIKENESS_BATCHES = 16
_STYLE_WEIGHT = 0.15
_STYLES_COMPARED = 256
_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
_DISCRIMINATOR_LOSS = {
    "hinge": losses.hinge_discriminator,
    "logistic": losses.logistic_discriminator,
}
_GENERATOR_LOSS = {"hinge": losses.hinge_generator, "logistic": losses.logistic_generator}
_PENALTY = {"one_centred": losses.one_centred_penalty, "r1": losses.r1_penalty}


class TrainingVolumes(Protocol):
    """What a trainer needs of a bank."""

    def __len__(self) -> int:
        """Return the number of volumes to train on."""

    def read(self, indices: list[int]) -> NDArray[np.float32]:
        """Return volumes, shape (n, 1, z, x, y), 0 to 1."""


@runtime_checkable
class LooksAtViews(Protocol):
    """A discriminator that sees volumes through views it draws."""

    def look(self, generator: torch.Generator) -> None:
        """Choose the views of the next volumes."""


class Generator(nn.Module):
    """Mapping and synthesis network as one, with styles mixed between two latents."""

    def __init__(self, config: TrainingConfig) -> None:
        super().__init__()
        self.mapping = MappingNetwork(config.network)
        self.synthesis = SynthesisNetwork(config.network)

    def styles(self, latents: draws.Latents, device: torch.device) -> Tensor:
        """Return W+, shape (N, n_blocks, latent_dim)."""
        w = self.mapping(latents.z.to(device).flatten(0, 1)).view(latents.z.shape)
        n_blocks = self.synthesis.config.n_blocks
        second = torch.arange(n_blocks) >= latents.crossover[:, None]
        return torch.where(second.to(device)[..., None], w[:, 1:], w[:, :1])

    def forward(self, latents: draws.Latents, device: torch.device) -> Tensor:
        """Return volumes, shape (N, 1, depth, size, size)."""
        volumes: Tensor = self.synthesis(self.styles(latents, device), latents.noise.to(device))
        return volumes


@dataclass
class Counters:
    """The numbers that a run carries from step to step.

    Parameters
    ----------
    step : int
        Steps done.
    path_mean : float
        Running mean of path lengths; 0 until the first one.
    augment : float
        Present chance of each augmentation.
    skipped, bad_in_a_row : int
        Steps left out because a gradient was not finite: all, and the latest without a
        good one between.
    """

    step: int = 0
    path_mean: float = 0.0
    augment: float = 0.0
    skipped: int = 0
    bad_in_a_row: int = 0


class Trainer:
    """Trains a generator against a discriminator.

    Parameters
    ----------
    config : TrainingConfig
        What and how.
    volumes : TrainingVolumes
        What to learn from.
    device : str
        "auto", "cpu", "cuda", "cuda:1".

    Raises
    ------
    CowganError
        The device does not exist, or there is nothing to train on.
    """

    def __init__(
        self, config: TrainingConfig, volumes: TrainingVolumes, device: str = "auto"
    ) -> None:
        if len(volumes) == 0:
            raise CowganError("There is no volume to train on.")
        self.config = config
        self.volumes = volumes
        self.device = choose_device(device)
        self.dtype = (
            choose_dtype(self.device, "fast")
            if config.precision == "auto"
            else _DTYPES[config.precision]
        )
        if self.dtype == torch.float16 and self.device.type != "cuda":
            raise CowganError("Training in fp16 needs a CUDA GPU; use bf16 or fp32.")
        source = torch.Generator().manual_seed(config.seed)
        self.generator = Generator(config)
        initialise(self.generator.mapping, source)
        initialise(self.generator.synthesis, source)
        self.average = Generator(config).requires_grad_(False)
        self.average.load_state_dict(self.generator.state_dict())
        self.discriminator = make_discriminator(config, source)
        for network in (self.generator, self.average, self.discriminator):
            network.to(self.device)
        # A pretrained part of the discriminator stays as it is.
        self._learning = [p for p in self.discriminator.parameters() if p.requires_grad]
        self.generator_adam = self._adam(self.generator, config.generator_rate)
        self.discriminator_adam = self._adam(self.discriminator, config.discriminator_rate)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)
        self.counters = Counters(augment=config.augment)
        self._likeness = self._likeness_of_reals() if config.diversity_weight > 0 else None

    @property
    def images_seen(self) -> int:
        """Real volumes shown so far."""
        return self.counters.step * self.config.images_per_step

    def step(self) -> dict[str, float]:
        """Train both networks once.

        Returns
        -------
        dict of str to float
            Loss terms and other numbers worth a curve.

        Raises
        ------
        CowganError
            Ten steps in a row had gradients that were not finite.
        """
        told: dict[str, float] = {}
        good = self._train_discriminator(told)
        good &= self._train_generator(told)
        self.scaler.update()
        if good:
            self.counters.bad_in_a_row = 0
        else:
            self.counters.skipped += 1
            self.counters.bad_in_a_row += 1
        kept = averaging_rate(
            self.images_seen,
            self.config.images_per_step,
            self.config.average_images,
            self.config.average_ramp,
        )
        update_average(self.average, self.generator, kept)
        self.counters.step += 1
        if self.counters.bad_in_a_row >= _MOST_BAD_STEPS:
            raise CowganError(
                f"Training has become unstable: {_MOST_BAD_STEPS} steps in a row gave numbers "
                "that are not finite; lower the learning rates or use fp32.",
                f"step {self.counters.step}",
            )
        return {**told, "augment": self.counters.augment, "skipped": self.counters.skipped}

    def _train_discriminator(self, told: dict[str, float]) -> bool:
        config, step = self.config, self.counters.step
        self.discriminator_adam.zero_grad(set_to_none=True)
        penalised = config.penalty_weight > 0 and step % config.penalty_every == 0
        judged_real = 0.0
        for samples in self._passes():
            reals = self._augmented(self._reals(samples), "augment reals", samples)
            with torch.no_grad(), self._autocast():
                fakes = self.generator(self._latents("discriminator", samples), self.device)
            fakes = self._augmented(fakes, "augment discriminator", samples)
            self._look(samples)
            real, fake = self._judge(reals), self._judge(fakes)
            pairs = zip(real, fake, strict=True)
            terms = [_DISCRIMINATOR_LOSS[config.loss](one, other) for one, other in pairs]
            self._backward(self._counted(torch.stack(terms).mean(), told, "discriminator"))
            shares = [(one < 0).float().mean() for one in real]
            judged_real += float(torch.stack(shares).mean()) / config.accumulate
            if penalised:
                # In float32: half precision cannot hold gradients of gradients.
                penalty = _PENALTY[config.penalty](losses.slopes(self.discriminator, reals))
                interval = config.penalty_every if config.penalty_scaled else 1
                weighted = config.penalty_weight * interval * penalty
                self._backward(self._counted(weighted, told, "penalty"))
        told["judged_real"] = judged_real
        self._adapt_augmentation(judged_real)
        return self._apply(self.discriminator_adam, self.discriminator)

    def _train_generator(self, told: dict[str, float]) -> bool:
        config, step = self.config, self.counters.step
        self.generator_adam.zero_grad(set_to_none=True)
        self._learn(False)
        for samples in self._passes():
            with self._autocast():
                fakes = self.generator(self._latents("generator", samples), self.device)
            seen = self._augmented(fakes, "augment generator", samples)
            self._look(samples)
            terms = [_GENERATOR_LOSS[config.loss](one) for one in self._judge(seen)]
            loss = self._counted(torch.stack(terms).mean(), told, "generator")
            if self._likeness is not None:
                repeated = self._counted(repetition(fakes, self._likeness), told, "repetition")
                loss = loss + config.diversity_weight * (
                    repeated + _STYLE_WEIGHT * self._style_concentration(samples).log()
                )
            self._backward(loss)
        self._learn(True)
        regular = config.path_weight > 0 and step >= config.path_from
        if regular and step % config.path_every == 0:
            self._regularise_path(told)
        return self._apply(self.generator_adam, self.generator)

    def _regularise_path(self, told: dict[str, float]) -> None:
        config, step = self.config, self.counters.step
        lengths = []
        for samples in self._passes():
            drawn = self._latents("path", samples)
            styles = self.generator.styles(drawn, self.device)
            volumes = self.generator.synthesis(styles, drawn.noise.to(self.device))
            probe = torch.stack(
                [
                    torch.randn(
                        volumes.shape[1:],
                        generator=draws.generator_for(config.seed, step, "probe", sample),
                    )
                    for sample in samples
                ]
            )
            length = losses.path_lengths(volumes, styles, probe.to(self.device))
            lengths.append(float(length.detach().mean()))
            mean = self.counters.path_mean or lengths[-1]
            weighted = config.path_weight * (length - mean).square().mean()
            self._backward(self._counted(weighted, told, "path"))
        found = float(np.mean(lengths))
        if np.isfinite(found):
            before = self.counters.path_mean or found
            self.counters.path_mean = before + (1 - config.path_decay) * (found - before)
        told["path_length"] = found

    def _likeness_of_reals(self) -> Likeness:
        """Measure real volumes in batches like those of a pass, the same in every run."""
        random = stream("likeness of reals", self.config.seed)
        count, batch = len(self.volumes), self.config.batch
        chosen = (random.choice(count, batch, count < batch) for _ in range(_LIKENESS_BATCHES))
        batches = (torch.from_numpy(self.volumes.read(places.tolist())) for places in chosen)
        return measure_likeness(volumes.to(self.device) for volumes in batches)

    def _style_concentration(self, samples: range) -> Tensor:
        """Return how few directions the mapping network uses, see `concentration`."""
        seed, step = self.config.seed, self.counters.step
        source = draws.generator_for(seed, step, "styles", samples.start)
        z = torch.randn(_STYLES_COMPARED, self.config.network.latent_dim, generator=source)
        return concentration(self.generator.mapping(z.to(self.device)))

    def _passes(self) -> Iterable[range]:
        """Return the samples of each pass of a step, counted within the step."""
        batch = self.config.batch
        return [range(i * batch, (i + 1) * batch) for i in range(self.config.accumulate)]

    def _reals(self, samples: range) -> Tensor:
        first = self.images_seen
        numbers = range(first + samples.start, first + samples.stop)
        chosen = draws.real_volumes(len(self.volumes), self.config.seed, numbers)
        volumes = torch.from_numpy(self.volumes.read([place for place, _ in chosen]))
        flipped = draws.flips(self.config.seed, numbers, self.config.flip)
        return flip(volumes.to(self.device), flipped)

    def _latents(self, purpose: str, samples: range) -> draws.Latents:
        config, step = self.config, self.counters.step
        return draws.latents(config.network, config.seed, step, purpose, samples, config.mixing)

    def _augmented(self, volumes: Tensor, purpose: str, samples: range) -> Tensor:
        config, step, chance = self.config, self.counters.step, self.counters.augment
        drawn = draws.augmentation(config.network, config.seed, step, purpose, samples, chance)
        return augment(volumes, drawn)

    def _judge(self, volumes: Tensor) -> list[Tensor]:
        """Return the logits of each head of the discriminator."""
        with self._autocast():
            verdict = self.discriminator(volumes)
        heads = verdict if isinstance(verdict, list) else [verdict]
        return [logits.float() for logits in heads]

    def _look(self, samples: range) -> None:
        """Let a discriminator that looks at random views choose them for this pass."""
        if isinstance(self.discriminator, LooksAtViews):
            seed, step = self.config.seed, self.counters.step
            self.discriminator.look(draws.generator_for(seed, step, "views", samples.start))

    def _learn(self, wanted: bool) -> None:
        """Ask for gradients of the discriminator's own weights, or for none."""
        for parameter in self._learning:
            parameter.requires_grad_(wanted)

    def _autocast(self) -> torch.autocast:
        low = self.dtype != torch.float32
        return torch.autocast(self.device.type, self.dtype if low else None, enabled=low)

    def _counted(self, loss: Tensor, told: dict[str, float], name: str) -> Tensor:
        """Add a term of one pass to what is told of the step; return the term."""
        told[name] = told.get(name, 0.0) + float(loss.detach()) / self.config.accumulate
        return loss

    def _backward(self, loss: Tensor) -> None:
        self.scaler.scale(loss / self.config.accumulate).backward()

    def _apply(self, adam: torch.optim.Adam, network: nn.Module) -> bool:
        """Update weights unless a gradient is not finite; return whether they were."""
        self.scaler.unscale_(adam)
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        norms = torch._foreach_norm(gradients)
        good = bool(torch.isfinite(torch.stack(norms)).all())
        if good:
            self.scaler.step(adam)
        return good

    def _adapt_augmentation(self, judged_real: float) -> None:
        target = self.config.augment_target
        if target > 0:
            change = self.config.images_per_step / self.config.augment_images
            direction = np.sign(judged_real - target)
            self.counters.augment = float(np.clip(self.counters.augment + direction * change, 0, 1))

    def _adam(self, network: nn.Module, rate: float) -> torch.optim.Adam:
        betas = (float(self.config.beta1), float(self.config.beta2))
        learning = [p for p in network.parameters() if p.requires_grad]
        return torch.optim.Adam(learning, rate, betas, eps=1e-8)
