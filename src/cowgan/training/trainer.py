"""The GAN training step."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cowgan.errors import CowganError
from cowgan.features.views import Features
from cowgan.networks import initialise
from cowgan.networks.initialisation import initialise_as_rotation, initialise_for_rotation
from cowgan.randomness import stream
from cowgan.synthesis.precision import choose_device, choose_dtype
from cowgan.training import losses
from cowgan.training.anatomical_components import AnatomicalComponents
from cowgan.training.brightness import measure_brightness
from cowgan.training.config import TrainingConfig
from cowgan.training.discriminators import FeatureDiscriminator, make_discriminator
from cowgan.training.distributed import SINGLE_PROCESS, ProcessGroup
from cowgan.training.ema import ema_decay, update_ema
from cowgan.training.generator import Generator
from cowgan.training.gradients import GradientSum
from cowgan.training.sampling import Latents
from cowgan.training.step_inputs import StepInputs, TrainingVolumes
from cowgan.training.step_losses import RealStatistics, StepLosses

_MAX_BAD_STEPS = 10
_REFERENCE_VOLUMES = 256
_STYLE_DEVIATION = 0.3
_COARSE_RATE = 0.125
"""Learning rate of what a linear start fits, as a fraction of that of finer blocks. It is near
its optimum already, and full steps would lead away from it."""

_ONE_BY_ONE_FROM = 64
"""Columns from which a CPU trains faster by scaling each volume's weights, which are few, than
the activations of a batch."""

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass
class Counters:
    """The numbers that a run carries from step to step.

    Parameters
    ----------
    step : int
        Completed steps.
    path_mean : float
        Running mean of path lengths; 0 until the first one.
    augment : float
        Current probability of each augmentation.
    skipped, bad_in_a_row : int
        Steps without an update because a gradient was not finite: all of them, and those since
        the last good step.
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
        Settings of the run.
    volumes : TrainingVolumes
        Real volumes.
    device : str
        "auto", "cpu", "cuda", "cuda:1".
    processes : ProcessGroup
        The processes that share the passes of each step.

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
        processes: ProcessGroup = SINGLE_PROCESS,
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
        self._init_networks()
        self._init_optimisers()
        self.counters = Counters(augment=config.augment)

    def _init_networks(self) -> None:
        config = self.config
        source = torch.Generator().manual_seed(config.seed)
        self.generator = Generator(config.network, config.start)
        initialise(self.generator.mapping, source)
        initialise(self.generator.synthesis, source)
        self.components: AnatomicalComponents | None = None
        if config.start == "linear":
            self.components = AnatomicalComponents.for_latents(config.network.latent_dim)
            initialise_as_rotation(self.generator.mapping, source)
            initialise_for_rotation(self.generator.synthesis, _STYLE_DEVIATION, source)
            # Latents stay components of an anatomy, in unit variance.
            self.generator.mapping.requires_grad_(False)
        self.ema = Generator(config.network, config.start).requires_grad_(False)
        self.ema.load_state_dict(self.generator.state_dict())
        self.discriminator = make_discriminator(config, source)
        on_cpu = self.device.type == "cpu"
        self.generator.one_by_one = on_cpu and config.network.image_size >= _ONE_BY_ONE_FROM
        if not on_cpu:  # They were made on the CPU.
            for network in (self.generator, self.ema, self.discriminator, self.components):
                if network is not None:
                    network.to(self.device)

    def _init_optimisers(self) -> None:
        config, generator = self.config, self.generator
        groups: list[dict[str, Any]] = [
            {"params": list(generator.parameters()), "lr": config.generator_rate}
        ]
        if config.start == "linear":
            coarse_rate = _COARSE_RATE * config.generator_rate
            groups = generator.parameter_groups(config.generator_rate, coarse_rate)
        # A pretrained part of the discriminator is frozen.
        self._trainable = [p for p in self.discriminator.parameters() if p.requires_grad]
        self.generator_adam = self._adam(*groups)
        self.discriminator_adam = self._adam(
            {"params": self._trainable, "lr": config.discriminator_rate}
        )
        self._generator_sum = GradientSum(p for p in generator.parameters() if p.requires_grad)
        self._discriminator_sum = GradientSum(self._trainable)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)

    def _adam(self, *groups: dict[str, Any]) -> torch.optim.Adam:
        betas = (float(self.config.beta1), float(self.config.beta2))
        return torch.optim.Adam([one for one in groups if one["params"]], betas=betas, eps=1e-8)

    @property
    def images_seen(self) -> int:
        """Number of real volumes shown so far."""
        return self.counters.step * self.config.images_per_step

    def step(self) -> dict[str, float]:
        """Train both networks once.

        Returns
        -------
        dict of str to float
            Losses and further numbers for the log.

        Raises
        ------
        CowganError
            Ten steps in a row had gradients that were not finite.
        """
        if isinstance(self.discriminator, FeatureDiscriminator):
            good, metrics = self._train_together(self.discriminator)
        else:
            good, metrics = self._train_discriminator()
            generator_good, generator_metrics = self._train_generator()
            good, metrics = good and generator_good, metrics | generator_metrics
        self.scaler.update()
        if good:
            self.counters.bad_in_a_row = 0
        else:
            self.counters.skipped += 1
            self.counters.bad_in_a_row += 1
        kept = ema_decay(
            self.images_seen,
            self.config.images_per_step,
            self.config.average_images,
            self.config.average_ramp,
        )
        update_ema(self.ema, self.generator, kept)
        self.counters.step += 1
        if self.counters.bad_in_a_row >= _MAX_BAD_STEPS:
            raise CowganError(
                f"Training has become unstable: {_MAX_BAD_STEPS} steps in a row gave numbers "
                "that are not finite; lower the learning rates or use fp32.",
                f"step {self.counters.step}",
            )
        counted = {"augment": self.counters.augment, "skipped": self.counters.skipped}
        return {**metrics, **counted}

    def _train_together(self, discriminator: FeatureDiscriminator) -> tuple[bool, dict[str, float]]:
        """Train both networks on the same volumes, each against the other's old weights.

        Making volumes and their features costs far more than judging them.
        """
        inputs, step_losses = self._inputs(), StepLosses(self.config)
        discriminator.renew()
        if self.counters.step == 0:
            # The first pictures set the scale of features, in every process the same.
            first_pass = range(self.config.batch)
            self._look_at_reals(discriminator, inputs, first_pass, inputs.reals(first_pass))
        for samples in self.processes.share(inputs.passes()):
            reals = inputs.reals(samples)
            real = self._look_at_reals(discriminator, inputs, samples, reals)
            latents = inputs.paired_latents(samples, reals, self.components)
            fakes = self._fakes(latents)
            # As reals are, so that a volume and its pair are augmented alike.
            augmented = inputs.augmented(fakes, "augment", samples)
            with self._autocast():
                fake = discriminator.features(augmented)
                fixed = {view: [one.detach() for one in maps] for view, maps in fake.items()}
                judged = discriminator.judge(real), discriminator.judge(fixed)
            self._backward(step_losses.discriminator_loss(*judged))
            self._set_trainable(False)
            with self._autocast():
                logits = discriminator.judge(fake)
            pair_loss = self._pair_loss(step_losses, inputs, fakes, reals)
            if inputs.n_pairs:
                pair_loss = pair_loss + step_losses.feature_loss(fake, real, inputs.n_pairs)
            self._backward(self._generator_loss(step_losses, logits, fakes, latents) + pair_loss)
            self._set_trainable(True)
            self._discriminator_sum.collect()
            self._generator_sum.collect()
        self._regularise_path(inputs, step_losses)
        metrics = self._finish(step_losses)
        good = self._update_discriminator(metrics)
        return self._update(self.generator_adam, self._generator_sum) and good, metrics

    def _train_discriminator(self) -> tuple[bool, dict[str, float]]:
        config, inputs, step_losses = self.config, self._inputs(), StepLosses(self.config)
        penalised = config.penalty_weight > 0 and self.counters.step % config.penalty_every == 0
        for samples in self.processes.share(inputs.passes()):
            reals = inputs.augmented(inputs.reals(samples), "augment reals", samples)
            with torch.no_grad():
                fakes = self._fakes(inputs.latents("discriminator", samples))
            fakes = inputs.augmented(fakes, "augment discriminator", samples)
            self._backward(step_losses.discriminator_loss(self._judge(reals), self._judge(fakes)))
            if penalised:
                # In float32: half precision cannot hold gradients of gradients.
                self._backward(step_losses.slope_penalty(self.discriminator, reals))
            self._discriminator_sum.collect()
        metrics = self._finish(step_losses)
        return self._update_discriminator(metrics), metrics

    def _train_generator(self) -> tuple[bool, dict[str, float]]:
        inputs, step_losses = self._inputs(), StepLosses(self.config)
        self._set_trainable(False)
        for samples in self.processes.share(inputs.passes()):
            reals = inputs.reals(samples) if inputs.n_pairs else None
            latents = inputs.paired_latents(samples, reals, self.components)
            fakes = self._fakes(latents)
            augmented = inputs.augmented(fakes, "augment generator", samples)
            pair_loss = self._pair_loss(step_losses, inputs, fakes, reals)
            logits = self._judge(augmented)
            self._backward(self._generator_loss(step_losses, logits, fakes, latents) + pair_loss)
            self._generator_sum.collect()
        self._set_trainable(True)
        self._regularise_path(inputs, step_losses)
        metrics = self._finish(step_losses)
        return self._update(self.generator_adam, self._generator_sum), metrics

    def _inputs(self) -> StepInputs:
        counters = self.counters
        return StepInputs(self.config, self.volumes, self.device, counters.step, counters.augment)

    def _look_at_reals(
        self, discriminator: FeatureDiscriminator, inputs: StepInputs, samples: range, reals: Tensor
    ) -> Features:
        """Return the features of one pass's real volumes, in new random views."""
        reals = inputs.augmented(reals, "augment", samples)
        discriminator.look(inputs.generator("views", samples.start))
        with self._autocast():
            return discriminator.features(reals)

    def _fakes(self, latents: Latents) -> Tensor:
        with self._autocast():
            volumes: Tensor = self.generator(latents, self.device)
        return volumes

    def _judge(self, volumes: Tensor) -> list[Tensor]:
        """Return the logits of a discriminator with a single head."""
        with self._autocast():
            return [self.discriminator(volumes)]

    def _generator_loss(
        self, step_losses: StepLosses, logits: list[Tensor], fakes: Tensor, latents: Latents
    ) -> Tensor:
        brightness = self._real_statistics.brightness if self.config.brightness_weight else None
        return step_losses.generator_loss(logits, fakes, latents, self.components, brightness)

    def _pair_loss(
        self, step_losses: StepLosses, inputs: StepInputs, fakes: Tensor, reals: Tensor | None
    ) -> Tensor:
        if not inputs.n_pairs or reals is None:
            return fakes.new_zeros(())
        n, variance = inputs.n_pairs, self._real_statistics.variance
        return step_losses.pair_loss(fakes[:n], reals[:n], variance)

    def _regularise_path(self, inputs: StepInputs, step_losses: StepLosses) -> None:
        config, step = self.config, self.counters.step
        if config.path_weight == 0 or step < config.path_from or step % config.path_every:
            return
        for samples in self.processes.share(inputs.passes()):
            latents = inputs.latents("path", samples)
            styles = self.generator.styles(latents, self.device)
            volumes = self.generator.synthesis(styles, latents.noise.to(self.device))
            lengths = losses.path_lengths(volumes, styles, inputs.probe(volumes, samples))
            self._backward(step_losses.path_loss(lengths, self.counters.path_mean))
            self._generator_sum.collect()

    @cached_property
    def _real_statistics(self) -> RealStatistics:
        """Brightness and variance of real volumes, the same in every process and after resuming."""
        random = stream("real volumes for reference", self.config.seed)
        count = len(self.volumes)
        chosen = random.choice(count, min(count, _REFERENCE_VOLUMES), replace=False)
        volumes = torch.from_numpy(self.volumes.read(chosen.tolist()))
        return RealStatistics(measure_brightness(volumes.to(self.device)), float(volumes.var()))

    def _finish(self, step_losses: StepLosses) -> dict[str, float]:
        """Return the metrics of all processes, after updating the counters by them."""
        metrics = self.processes.sum_metrics(step_losses.metrics)
        if "judged_real" in metrics:
            self._adapt_augmentation(metrics["judged_real"])
        found = metrics.get("path_length", np.nan)
        if np.isfinite(found):
            before = self.counters.path_mean or found
            change = (1 - self.config.path_decay) * (found - before)
            self.counters.path_mean = before + change
        return metrics

    def _adapt_augmentation(self, judged_real: float) -> None:
        target = self.config.augment_target
        if target > 0:
            change = self.config.images_per_step / self.config.augment_images
            direction = np.sign(judged_real - target)
            self.counters.augment = float(np.clip(self.counters.augment + direction * change, 0, 1))

    def _set_trainable(self, trainable: bool) -> None:
        """Switch gradients of the discriminator's weights on or off."""
        for parameter in self._trainable:
            parameter.requires_grad_(trainable)

    def _autocast(self) -> torch.autocast:
        low = self.dtype != torch.float32
        return torch.autocast(self.device.type, self.dtype if low else None, enabled=low)

    def _backward(self, loss: Tensor) -> None:
        self.scaler.scale(loss / self.config.accumulate).backward()

    def _update(self, adam: torch.optim.Adam, gradients: GradientSum) -> bool:
        """Update weights unless a gradient is not finite; return whether it was done."""
        gradients.reduce(self.processes)
        self.scaler.unscale_(adam)
        parameters = (p for group in adam.param_groups for p in group["params"])
        norms = torch._foreach_norm([p.grad for p in parameters if p.grad is not None])
        good = bool(torch.isfinite(torch.stack(norms)).all())
        if good:
            self.scaler.step(adam)
        adam.zero_grad(set_to_none=True)
        return good

    def _update_discriminator(self, metrics: dict[str, float]) -> bool:
        """Update the discriminator, unless it is too far ahead of the generator."""
        if metrics["discriminator"] < self.config.discriminator_limit:
            self._discriminator_sum.clear()
            return True
        return self._update(self.discriminator_adam, self._discriminator_sum)
