"""The GAN training step."""

from functools import cached_property

import torch
from torch import Tensor, nn

from cowgan.errors import CowganError
from cowgan.features.views import Features
from cowgan.synthesis.precision import choose_device
from cowgan.training import losses
from cowgan.training.config import TrainingConfig
from cowgan.training.counters import Counters
from cowgan.training.discriminators import FeatureDiscriminator
from cowgan.training.distributed import SINGLE_PROCESS, ProcessGroup
from cowgan.training.ema import ema_decay, update_ema
from cowgan.training.initial_networks import make_networks
from cowgan.training.mixed_precision import MixedPrecision
from cowgan.training.moments import RealMoments
from cowgan.training.optimiser import Optimiser
from cowgan.training.real_statistics import RealStatistics, measure_real_statistics
from cowgan.training.sampling import Latents
from cowgan.training.step_inputs import StepInputs, TrainingVolumes, batches
from cowgan.training.step_losses import StepLosses

_MAX_BAD_STEPS = 10


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
        self.precision = MixedPrecision(self.device, config.precision)
        networks = make_networks(config, self.device)
        self.generator, self.ema = networks.generator, networks.ema
        self.discriminator, self.components = networks.discriminator, networks.components
        self.anchor, self.moments = networks.anchor, networks.moments
        self.generator_optimiser = self._optimiser(self.generator, config.generator_rate)
        self.discriminator_optimiser = self._optimiser(
            self.discriminator, config.discriminator_rate
        )
        self.counters = Counters(augment=config.augment)

    def _optimiser(self, network: nn.Module, rate: float) -> Optimiser:
        # A mapping network may be frozen, and the pretrained part of a discriminator.
        trainable = [p for p in network.parameters() if p.requires_grad]
        betas = (float(self.config.beta1), float(self.config.beta2))
        groups = [{"params": trainable, "lr": rate}]
        return Optimiser(groups, betas, self.precision, self.processes)

    @property
    def parts(self) -> dict[str, nn.Module]:
        """The networks and running means that are its state, by name."""
        parts: dict[str, nn.Module | None] = {
            "generator": self.generator,
            "average": self.ema,
            "discriminator": self.discriminator,
            "components": self.components,
            "anchor": self.anchor,
            **self.moments,
        }
        return {name: part for name, part in parts.items() if part is not None}

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
        self.precision.scaler.update()
        kept = ema_decay(
            self.images_seen,
            self.config.images_per_step,
            self.config.average_images,
            self.config.average_ramp,
        )
        update_ema(self.ema, self.generator, kept)
        for noted in (self.anchor, *self.moments.values()):
            if noted is not None:
                noted.means.update(self.processes)
        self.counters.count_step(good)
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
            with self.precision.autocast():
                fake = discriminator.features(augmented)
                fixed = {view: [one.detach() for one in maps] for view, maps in fake.items()}
                judged = discriminator.judge(real), discriminator.judge(fixed)
            self._backward(step_losses.discriminator_loss(*judged))
            self.discriminator_optimiser.set_trainable(False)
            with self.precision.autocast():
                logits = discriminator.judge(fake)
            pair_loss = self._pair_loss(step_losses, inputs, fakes, reals)
            if inputs.n_pairs:
                pair_loss = pair_loss + step_losses.feature_loss(fake, real, inputs.n_pairs)
            self._backward(self._generator_loss(step_losses, logits, fakes, latents) + pair_loss)
            self.discriminator_optimiser.set_trainable(True)
            self.discriminator_optimiser.collect()
            self.generator_optimiser.collect()
        self._regularise_path(inputs, step_losses)
        metrics = self._finish(step_losses)
        good = self._update_discriminator(metrics)
        return self.generator_optimiser.update() and good, metrics

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
            self.discriminator_optimiser.collect()
        metrics = self._finish(step_losses)
        return self._update_discriminator(metrics), metrics

    def _train_generator(self) -> tuple[bool, dict[str, float]]:
        inputs, step_losses = self._inputs(), StepLosses(self.config)
        self.discriminator_optimiser.set_trainable(False)
        for samples in self.processes.share(inputs.passes()):
            reals = inputs.reals(samples) if inputs.n_pairs else None
            latents = inputs.paired_latents(samples, reals, self.components)
            fakes = self._fakes(latents)
            augmented = inputs.augmented(fakes, "augment generator", samples)
            pair_loss = self._pair_loss(step_losses, inputs, fakes, reals)
            logits = self._judge(augmented)
            self._backward(self._generator_loss(step_losses, logits, fakes, latents) + pair_loss)
            self.generator_optimiser.collect()
        self.discriminator_optimiser.set_trainable(True)
        self._regularise_path(inputs, step_losses)
        metrics = self._finish(step_losses)
        return self.generator_optimiser.update(), metrics

    def _inputs(self) -> StepInputs:
        counters = self.counters
        return StepInputs(self.config, self.volumes, self.device, counters.step, counters.augment)

    def _look_at_reals(
        self, discriminator: FeatureDiscriminator, inputs: StepInputs, samples: range, reals: Tensor
    ) -> Features:
        """Return the features of one pass's real volumes, in new random views."""
        reals = inputs.augmented(reals, "augment", samples)
        discriminator.look(inputs.generator("views", samples.start))
        with self.precision.autocast():
            return discriminator.features(reals)

    def _fakes(self, latents: Latents) -> Tensor:
        with self.precision.autocast():
            volumes: Tensor = self.generator(latents, self.device)
        return volumes

    def _judge(self, volumes: Tensor) -> list[Tensor]:
        """Return the logits of a discriminator with a single head."""
        with self.precision.autocast():
            return [self.discriminator(volumes)]

    def _generator_loss(
        self, step_losses: StepLosses, logits: list[Tensor], fakes: Tensor, latents: Latents
    ) -> Tensor:
        anchor_error, brightness = None, None
        if self.config.brightness_weight:
            brightness = self._real_statistics.brightness
        real = self._real_moments
        with self.precision.autocast():
            trait_errors = {name: of(fakes, real[name]) for name, of in self.moments.items()}
        if self.components is not None and self.anchor is not None:
            unmixed = latents.crossover == self.config.network.n_blocks
            anchor_error = self.anchor(self.components, fakes, latents.z[:, 0], unmixed)
        return step_losses.generator_loss(logits, fakes, anchor_error, trait_errors, brightness)

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
            self.generator_optimiser.collect()

    @cached_property
    def _real_statistics(self) -> RealStatistics:
        return measure_real_statistics(self.volumes, self.config.seed, self.device)

    @cached_property
    def _real_moments(self) -> dict[str, RealMoments]:
        with self.precision.autocast():
            return {
                name: of.measure(batches(self.volumes, of.traits.max_measured), self.config.flip)
                for name, of in self.moments.items()
            }

    def _finish(self, step_losses: StepLosses) -> dict[str, float]:
        """Return the metrics of all processes, after adapting the counters to them."""
        metrics = self.processes.sum_metrics(step_losses.metrics)
        self.counters.adapt_to(metrics, self.config)
        return metrics

    def _backward(self, loss: Tensor) -> None:
        self.precision.backward(loss / self.config.accumulate)

    def _update_discriminator(self, metrics: dict[str, float]) -> bool:
        """Update the discriminator, unless it is too far ahead of the generator."""
        if metrics["discriminator"] < self.config.discriminator_limit:
            self.discriminator_optimiser.discard()
            return True
        return self.discriminator_optimiser.update()
