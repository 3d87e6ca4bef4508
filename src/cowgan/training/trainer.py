"""One training step after the other."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cowgan.errors import CowganError
from cowgan.features.views import Features
from cowgan.networks import MappingNetwork, NetworkConfig, SynthesisNetwork, initialise
from cowgan.networks.initialisation import (
    ROTATION_MEAN,
    initialise_as_rotation,
    initialise_for_rotation,
)
from cowgan.networks.synthesis import SynthesisBlock
from cowgan.randomness import stream
from cowgan.synthesis.precision import choose_device, choose_dtype
from cowgan.training import losses, sampling
from cowgan.training.augmentation import augment, flip
from cowgan.training.brightness import Brightness, brightness_error, measure_brightness
from cowgan.training.components import AnatomicalComponents
from cowgan.training.config import COARSE, Start, TrainingConfig
from cowgan.training.distributed import ALONE, Processes
from cowgan.training.ema import averaging_rate, update_average
from cowgan.training.gradients import GradientSum
from cowgan.training.reconstruction import feature_error, reconstruction_error
from cowgan.training.stylegan2_discriminator import make_discriminator

_MOST_BAD_STEPS = 10
_REFERENCE_VOLUMES = 256
_STYLE_DEVIATION = 0.3
_COARSE_RATE = 0.125
"""Rate of what a linear start fits, as a share of that of finer blocks. What is in balance
already, steps of full length would shake."""

_ONE_BY_ONE_FROM = 64
"""Columns from which a CPU trains faster by scaling each volume's weights, which are few, than
the activations of a batch."""

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
class JudgesFeatures(Protocol):
    """A discriminator that judges fixed features of views that it draws."""

    def renew(self) -> None:
        """Follow the weights with what is estimated from them, once a step."""

    def look(self, generator: torch.Generator) -> None:
        """Choose the views of the next volumes."""

    def features(self, volumes: Tensor) -> Features:
        """Return what is judged, by view."""

    def judge(self, features: Features) -> list[Tensor]:
        """Return the logits of each head."""


class Generator(nn.Module):
    """Mapping and synthesis network as one, with styles mixed between two latents.

    After a linear start the mapping network stays a rotation, and synthesis is trained on w
    without its mean: a large mean shared by all inputs would make every layer of styles
    ill-conditioned. `published_synthesis` has it back.

    Parameters
    ----------
    network : NetworkConfig
        Architecture.
    start : {"published", "linear"}
        How training began, see `TrainingConfig`.

    Attributes
    ----------
    one_by_one : bool
        Whether the volumes of a batch are synthesised one after the other.
    """

    def __init__(self, network: NetworkConfig, start: Start) -> None:
        super().__init__()
        self.mapping = MappingNetwork(network)
        self.synthesis = SynthesisNetwork(network)
        self.one_by_one = False
        self._mean_w = ROTATION_MEAN if start == "linear" else 0.0

    def styles(self, latents: sampling.Latents, device: torch.device) -> Tensor:
        """Return W+, shape (N, n_blocks, latent_dim)."""
        w = self.mapping(latents.z.to(device).flatten(0, 1)).view(latents.z.shape) - self._mean_w
        n_blocks = self.synthesis.config.n_blocks
        second = torch.arange(n_blocks) >= latents.crossover[:, None]
        return torch.where(second.to(device)[..., None], w[:, 1:], w[:, :1])

    def forward(self, latents: sampling.Latents, device: torch.device) -> Tensor:
        """Return volumes, shape (N, 1, depth, size, size)."""
        ws, noise = self.styles(latents, device), latents.noise.to(device)
        at_once = 1 if self.one_by_one else len(ws)
        parts = zip(ws.split(at_once), noise.split(at_once), strict=True)
        return torch.cat([self.synthesis(*part) for part in parts])

    def coarse_blocks(self) -> list[SynthesisBlock]:
        """Return the blocks that a linear start fits."""
        blocks = [block for block in self.synthesis.blocks if isinstance(block, SynthesisBlock)]
        return [block for block in blocks if block.shape[1] <= COARSE]

    def finer_parameters(self) -> list[nn.Parameter]:
        """Return the weights of the blocks that a linear start does not fit."""
        coarse = self.coarse_blocks()
        finer = (block for block in self.synthesis.blocks if block not in coarse)
        return [parameter for block in finer for parameter in block.parameters()]

    @torch.no_grad()
    def latent_axes(self) -> Tensor:
        """Return what each latent of unit variance adds to w, as rows (latent_dim, latent_dim)."""
        size = self.synthesis.config.latent_dim
        unit = torch.eye(size, device=self.synthesis.initial_block.device)
        axes: Tensor = (self.mapping(unit) - self._mean_w) / size**0.5
        return axes

    @torch.no_grad()
    def published_synthesis(self) -> SynthesisNetwork:
        """Return the synthesis network that takes w as it is."""
        return self._with_mean(deepcopy(self.synthesis), -self._mean_w)

    @torch.no_grad()
    def from_published(self) -> None:
        """Adapt a synthesis network, just loaded, that takes w as it is."""
        self._with_mean(self.synthesis, self._mean_w)

    def _with_mean(self, synthesis: SynthesisNetwork, mean: float) -> SynthesisNetwork:
        for name, layer in synthesis.named_modules():
            if isinstance(layer, nn.Linear) and "to_style" in name:
                layer.bias.add_(mean * layer.weight.sum(1))
        return synthesis


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
    processes : Processes
        Those that share the passes of each step.

    Raises
    ------
    CowganError
        The device does not exist, there is nothing to train on, or the passes cannot be
        shared evenly.
    """

    def __init__(
        self,
        config: TrainingConfig,
        volumes: TrainingVolumes,
        device: str = "auto",
        processes: Processes = ALONE,
    ) -> None:
        if len(volumes) == 0:
            raise CowganError("There is no volume to train on.")
        if config.accumulate % processes.count:
            raise CowganError(
                f"The passes of a step cannot be shared evenly by {processes.count} processes; set "
                f"accumulate to a multiple of {processes.count}, not {config.accumulate}."
            )
        self.config = config
        self.volumes = volumes
        self.processes = processes
        self.device = choose_device(device)
        self.dtype = (
            choose_dtype(self.device, "fast")
            if config.precision == "auto"
            else _DTYPES[config.precision]
        )
        if self.dtype == torch.float16 and self.device.type != "cuda":
            raise CowganError("Training in fp16 needs a CUDA GPU; use bf16 or fp32.")
        source = torch.Generator().manual_seed(config.seed)
        self.generator = Generator(config.network, config.start)
        initialise(self.generator.mapping, source)
        initialise(self.generator.synthesis, source)
        self.components: AnatomicalComponents | None = None
        if config.start == "linear":
            self.components = AnatomicalComponents.for_latents(config.network.latent_dim)
            initialise_as_rotation(self.generator.mapping, source)
            initialise_for_rotation(self.generator.synthesis, _STYLE_DEVIATION, source)
            # Latents stay what they are: components of an anatomy, in unit variance.
            self.generator.mapping.requires_grad_(False)
        self.average = Generator(config.network, config.start).requires_grad_(False)
        self.average.load_state_dict(self.generator.state_dict())
        self.discriminator = make_discriminator(config, source)
        on_cpu = self.device.type == "cpu"
        self.generator.one_by_one = on_cpu and config.network.image_size >= _ONE_BY_ONE_FROM
        if not on_cpu:  # There they were made.
            for network in (self.generator, self.average, self.discriminator, self.components):
                if network is not None:
                    network.to(self.device)
        # A pretrained part of the discriminator stays as it is.
        self._learning = [p for p in self.discriminator.parameters() if p.requires_grad]
        self.generator_adam = self._adam(*self._generator_groups())
        self.discriminator_adam = self._adam(
            {"params": self._learning, "lr": config.discriminator_rate}
        )
        self._generator_sum = GradientSum(p for p in self.generator.parameters() if p.requires_grad)
        self._discriminator_sum = GradientSum(self._learning)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)
        self.counters = Counters(augment=config.augment)

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
        first: dict[str, float] = {}
        second: dict[str, float] = {}
        if isinstance(self.discriminator, JudgesFeatures):
            good = self._train_together(self.discriminator, first)
        else:
            good = self._train_discriminator(first)
            good &= self._train_generator(second)
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
        counted = {"augment": self.counters.augment, "skipped": self.counters.skipped}
        return {**first, **second, **counted}

    def _train_together(self, discriminator: JudgesFeatures, told: dict[str, float]) -> bool:
        """Train both networks on the same volumes, each against the other as it was.

        Making volumes and their features costs far more than judging them.
        """
        discriminator.renew()
        if self.counters.step == 0:
            # The first pictures set the scale of features, in every process the same.
            first_pass = range(self.config.batch)
            self._look_at_reals(discriminator, first_pass, self._reals(first_pass))
        for samples in self._passes():
            reals = self._reals(samples)
            real = self._look_at_reals(discriminator, samples, reals)
            drawn = self._drawn(samples, reals)
            fakes = self._fakes(drawn)
            # Alike for both, so that a volume and its pair are seen alike.
            seen = self._augmented(fakes, "augment", samples)
            with self._autocast():
                fake = discriminator.features(seen)
                fixed = {view: [one.detach() for one in maps] for view, maps in fake.items()}
                verdicts = discriminator.judge(real), discriminator.judge(fixed)
            self._blame_discriminator(*verdicts, told)
            self._learn(False)
            with self._autocast():
                verdict = discriminator.judge(fake)
            loss = self._pair_loss(fakes, reals, told)
            if self._pairs:
                unlike = feature_error(fake, real, self._pairs)
                loss = loss + self.config.feature_weight * self._counted(unlike, told, "features")
            self._blame_generator(verdict, fakes, drawn, loss, told)
            self._learn(True)
            self._discriminator_sum.collect()
            self._generator_sum.collect()
        self._regularise_path(told)
        self._settle(told)
        good = self._apply_to_discriminator(told)
        return self._apply(self.generator_adam, self._generator_sum) and good

    def _train_discriminator(self, told: dict[str, float]) -> bool:
        config, step = self.config, self.counters.step
        penalised = config.penalty_weight > 0 and step % config.penalty_every == 0
        for samples in self._passes():
            reals = self._augmented(self._reals(samples), "augment reals", samples)
            with torch.no_grad():
                fakes = self._fakes(self._latents("discriminator", samples))
            fakes = self._augmented(fakes, "augment discriminator", samples)
            self._blame_discriminator(self._judge(reals), self._judge(fakes), told)
            if penalised:
                # In float32: half precision cannot hold gradients of gradients.
                penalty = _PENALTY[config.penalty](losses.slopes(self.discriminator, reals))
                interval = config.penalty_every if config.penalty_scaled else 1
                weighted = config.penalty_weight * interval * penalty
                self._backward(self._counted(weighted, told, "penalty"))
            self._discriminator_sum.collect()
        self._settle(told)
        return self._apply_to_discriminator(told)

    def _train_generator(self, told: dict[str, float]) -> bool:
        self._learn(False)
        for samples in self._passes():
            reals = self._reals(samples) if self._pairs else None
            drawn = self._drawn(samples, reals)
            fakes = self._fakes(drawn)
            seen = self._augmented(fakes, "augment generator", samples)
            loss = self._pair_loss(fakes, reals, told)
            self._blame_generator(self._judge(seen), fakes, drawn, loss, told)
            self._generator_sum.collect()
        self._learn(True)
        self._regularise_path(told)
        self._settle(told)
        return self._apply(self.generator_adam, self._generator_sum)

    def _look_at_reals(
        self, discriminator: JudgesFeatures, samples: range, reals: Tensor
    ) -> Features:
        """Return the features of one pass's real volumes, in views that are new."""
        reals = self._augmented(reals, "augment", samples)
        seed, step = self.config.seed, self.counters.step
        discriminator.look(sampling.generator_for(seed, step, "views", samples.start))
        with self._autocast():
            return discriminator.features(reals)

    def _blame_discriminator(
        self, real: list[Tensor], fake: list[Tensor], told: dict[str, float]
    ) -> None:
        """Add the gradients of one pass's loss, given the logits of each head."""
        loss = _DISCRIMINATOR_LOSS[self.config.loss]
        terms = [loss(one.float(), other.float()) for one, other in zip(real, fake, strict=True)]
        self._backward(self._counted(torch.stack(terms).mean(), told, "discriminator"))
        shares = [(one < 0).float().mean() for one in real]
        self._counted(torch.stack(shares).mean(), told, "judged_real")

    def _blame_generator(
        self,
        verdict: list[Tensor],
        fakes: Tensor,
        drawn: sampling.Latents,
        further: Tensor,
        told: dict[str, float],
    ) -> None:
        terms = [_GENERATOR_LOSS[self.config.loss](one.float()) for one in verdict]
        loss = self._counted(torch.stack(terms).mean(), told, "generator")
        if self.components is not None and self.config.anchor_weight:
            error = self.anchor_error(self.components, fakes, drawn)
            loss = loss + self.config.anchor_weight * self._counted(error, told, "anchor")
        if self.config.brightness_weight:
            wrong = self._counted(brightness_error(fakes, self._brightness), told, "brightness")
            loss = loss + self.config.brightness_weight * wrong
        self._backward(loss + further)

    def anchor_error(
        self, components: AnatomicalComponents, fakes: Tensor, drawn: sampling.Latents
    ) -> Tensor:
        """Return how far volumes of one latent are from the anatomy that it stands for."""
        single = (drawn.crossover == self.config.network.n_blocks).float().to(self.device)
        length = self.config.network.latent_dim**0.5
        z = length * functional.normalize(drawn.z[:, 0].to(self.device), dim=1)
        errors = components.map_errors(fakes, z[:, : components.count])
        return (errors * single).sum() / single.sum().clamp(min=1)

    @property
    def _pairs(self) -> int:
        """How many volumes of each pass must repeat real ones."""
        return min(self.config.paired, self.config.batch)

    def _drawn(self, samples: range, reals: Tensor | None) -> sampling.Latents:
        """Return the latents of one pass, of which the first ones stand for real volumes."""
        drawn = self._latents("generator", samples)
        if self._pairs and self.components is not None and reals is not None:
            with torch.no_grad():
                described = self.components(reals[: self._pairs])
            drawn.z[: self._pairs, 0, : self.components.count] = described.cpu()
            drawn.crossover[: self._pairs] = self.config.network.n_blocks
        return drawn

    def _pair_loss(self, fakes: Tensor, reals: Tensor | None, told: dict[str, float]) -> Tensor:
        """Return the loss for real volumes that do not come back from their components."""
        if not self._pairs or reals is None:
            return fakes.new_zeros(())
        n = self._pairs
        error = reconstruction_error(fakes[:n].float(), reals[:n], self._variance)
        return self.config.paired_weight * self._counted(error, told, "paired")

    def _regularise_path(self, told: dict[str, float]) -> None:
        config, step = self.config, self.counters.step
        if config.path_weight == 0 or step < config.path_from or step % config.path_every:
            return
        for samples in self._passes():
            drawn = self._latents("path", samples)
            styles = self.generator.styles(drawn, self.device)
            volumes = self.generator.synthesis(styles, drawn.noise.to(self.device))
            probe = torch.stack(
                [
                    torch.randn(
                        volumes.shape[1:],
                        generator=sampling.generator_for(config.seed, step, "probe", sample),
                    )
                    for sample in samples
                ]
            )
            length = losses.path_lengths(volumes, styles, probe.to(self.device))
            found = self._counted(length.detach().mean(), told, "path_length")
            mean = self.counters.path_mean or float(found)
            weighted = config.path_weight * (length - mean).square().mean()
            self._backward(self._counted(weighted, told, "path"))
            self._generator_sum.collect()

    def _settle(self, told: dict[str, float]) -> None:
        """Complete what is told of some passes by those of other processes, and follow it."""
        told.update(self.processes.total(told))
        if "judged_real" in told:
            self._adapt_augmentation(told["judged_real"])
        found = told.get("path_length", np.nan)
        if np.isfinite(found):
            before = self.counters.path_mean or found
            change = (1 - self.config.path_decay) * (found - before)
            self.counters.path_mean = before + change

    @cached_property
    def _references(self) -> tuple[Brightness, float]:
        """How bright real volumes are, and their variance: the same in every run."""
        random = stream("real volumes for reference", self.config.seed)
        count = len(self.volumes)
        chosen = random.choice(count, min(count, _REFERENCE_VOLUMES), replace=False)
        volumes = torch.from_numpy(self.volumes.read(chosen.tolist()))
        return measure_brightness(volumes.to(self.device)), float(volumes.var())

    @property
    def _brightness(self) -> Brightness:
        return self._references[0]

    @property
    def _variance(self) -> float:
        return self._references[1]

    def _passes(self) -> Sequence[range]:
        """Return the samples of each pass of this process, counted within the step."""
        batch = self.config.batch
        passes = [range(i * batch, (i + 1) * batch) for i in range(self.config.accumulate)]
        return self.processes.share(passes)

    def _reals(self, samples: range) -> Tensor:
        first = self.images_seen
        numbers = range(first + samples.start, first + samples.stop)
        chosen = sampling.real_volumes(len(self.volumes), self.config.seed, numbers)
        volumes = torch.from_numpy(self.volumes.read([place for place, _ in chosen]))
        flipped = sampling.flips(self.config.seed, numbers, self.config.flip)
        return flip(volumes.to(self.device), flipped)

    def _latents(self, purpose: str, samples: range) -> sampling.Latents:
        config, step = self.config, self.counters.step
        return sampling.latents(config.network, config.seed, step, purpose, samples, config.mixing)

    def _augmented(self, volumes: Tensor, purpose: str, samples: range) -> Tensor:
        config, step, chance = self.config, self.counters.step, self.counters.augment
        drawn = sampling.augmentation(config.network, config.seed, step, purpose, samples, chance)
        return augment(volumes, drawn)

    def _fakes(self, drawn: sampling.Latents) -> Tensor:
        with self._autocast():
            volumes: Tensor = self.generator(drawn, self.device)
        return volumes

    def _judge(self, volumes: Tensor) -> list[Tensor]:
        """Return the logits of the discriminator's only head."""
        with self._autocast():
            return [self.discriminator(volumes)]

    def _learn(self, wanted: bool) -> None:
        """Ask for gradients of the discriminator's own weights, or for none."""
        for parameter in self._learning:
            parameter.requires_grad_(wanted)

    def _autocast(self) -> torch.autocast:
        low = self.dtype != torch.float32
        return torch.autocast(self.device.type, self.dtype if low else None, enabled=low)

    def _counted(self, loss: Tensor, told: dict[str, float], name: str) -> Tensor:
        """Add a term of one pass to what is told of the step's mean; return the term."""
        told[name] = told.get(name, 0.0) + float(loss.detach()) / self.config.accumulate
        return loss

    def _backward(self, loss: Tensor) -> None:
        self.scaler.scale(loss / self.config.accumulate).backward()

    def _apply(self, adam: torch.optim.Adam, gradients: GradientSum) -> bool:
        """Update weights unless a gradient is not finite; return whether they were."""
        gradients.hand_over(self.processes)
        self.scaler.unscale_(adam)
        learning = (p for group in adam.param_groups for p in group["params"])
        norms = torch._foreach_norm([p.grad for p in learning if p.grad is not None])
        good = bool(torch.isfinite(torch.stack(norms)).all())
        if good:
            self.scaler.step(adam)
        adam.zero_grad(set_to_none=True)
        return good

    def _apply_to_discriminator(self, told: dict[str, float]) -> bool:
        """Update the discriminator, unless it is too far ahead of the generator already."""
        if told["discriminator"] < self.config.discriminator_limit:
            self._discriminator_sum.clear()
            return True
        return self._apply(self.discriminator_adam, self._discriminator_sum)

    def _adapt_augmentation(self, judged_real: float) -> None:
        target = self.config.augment_target
        if target > 0:
            change = self.config.images_per_step / self.config.augment_images
            direction = np.sign(judged_real - target)
            self.counters.augment = float(np.clip(self.counters.augment + direction * change, 0, 1))

    def _generator_groups(self) -> list[dict[str, Any]]:
        """Return what of the generator learns, and how fast."""
        rate, generator = self.config.generator_rate, self.generator
        if self.config.start == "published":
            return [{"params": list(generator.parameters()), "lr": rate}]
        finer = generator.finer_parameters()
        others = {id(p) for p in (*generator.mapping.parameters(), *finer)}
        coarse = [p for p in generator.parameters() if id(p) not in others]
        return [{"params": coarse, "lr": _COARSE_RATE * rate}, {"params": finer, "lr": rate}]

    def _adam(self, *groups: dict[str, Any]) -> torch.optim.Adam:
        betas = (float(self.config.beta1), float(self.config.beta2))
        return torch.optim.Adam([one for one in groups if one["params"]], betas=betas, eps=1e-8)
