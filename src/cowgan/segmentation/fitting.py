"""The training step of a segmentation network."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cowgan.errors import CowganError
from cowgan.measure.overlap import skeleton_mask
from cowgan.randomness import stream
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.labelled_cases import LabelledCases
from cowgan.segmentation.patch_augmentation import augment
from cowgan.segmentation.patches import PatchSampler, crop
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.segmentation.segmentation_loss import SegmentationLoss
from cowgan.segmentation.unet import SegmentationNetwork
from cowgan.synthesis.precision import choose_device
from cowgan.training.distributed import SINGLE_PROCESS, ProcessGroup
from cowgan.training.mixed_precision import MixedPrecision
from cowgan.training.optimiser import Optimiser

_BETAS = (0.9, 0.999)
_FINAL_RATE = 0.01
_MAX_BAD_STEPS = 10


class Fitting:
    """Trains a segmentation network on labelled cases.

    All that a step draws follows from the seed and the step's number, so that a run can be resumed
    exactly and does not depend on the number of processes.

    Parameters
    ----------
    config : SegmentationConfig
        Settings of the run.
    cases : LabelledCases
        What to train on.
    device : str
        "auto", "cpu", "cuda", "cuda:1".
    processes : ProcessGroup
        The processes that share the passes of each step.

    Attributes
    ----------
    network : SegmentationNetwork
        The network.
    classes : Classes
        What its classes mean.
    step_count, skipped : int
        Completed steps, and those without an update because a gradient was not finite.

    Raises
    ------
    CowganError
        There is nothing to train on, the patch does not fit the network, the passes cannot be
        shared evenly, or the device does not exist.
    """

    def __init__(
        self,
        config: SegmentationConfig,
        cases: LabelledCases,
        device: str = "auto",
        processes: ProcessGroup = SINGLE_PROCESS,
    ) -> None:
        if not len(cases):
            raise CowganError("There is no case to train on.")
        multiple = config.network.multiple
        if any(n % m for n, m in zip(config.patch, multiple, strict=True)) or (
            config.patch_xy == multiple[1]
        ):
            raise CowganError(
                f"For this network, patch_z must be a multiple of {multiple[0]} and patch_xy one "
                f"of {multiple[1]}, and at least twice that."
            )
        if config.accumulate % processes.count:
            raise CowganError(
                f"The passes of a step cannot be shared evenly by {processes.count} processes; set "
                f"accumulate to a multiple of {processes.count}, not {config.accumulate}."
            )
        self.config, self.cases, self.processes = config, cases, processes
        self.device = choose_device(device)
        self.precision = MixedPrecision(self.device, config.precision)
        self.classes = Classes.of(cases.scheme)
        torch.manual_seed(config.seed)
        self.network = SegmentationNetwork(config.network, self.classes.count)
        if self.device.type != "cpu":  # It was made on the CPU.
            self.network.to(self.device)
        self.optimiser = Optimiser(
            [{"params": list(self.network.parameters()), "weight_decay": config.weight_decay}],
            _BETAS,
            self.precision,
            processes,
        )
        self.step_count = self.skipped = 0
        self._bad_in_a_row = 0
        self._loss = SegmentationLoss(config)
        self._patches = PatchSampler(cases, config.patch, config.rare_share)

    def step(self) -> dict[str, float]:
        """Train the network once; return the loss and the learning rate.

        Raises
        ------
        CowganError
            Ten steps in a row had gradients that were not finite.
        """
        config = self.config
        self.network.train()
        rate = learning_rate(config, self.step_count)
        for group in self.optimiser.adam.param_groups:
            group["lr"] = rate
        total = 0.0
        for number in self.processes.share(range(config.accumulate)):
            images, truth, skeleton = self._inputs(number)
            with self.precision.autocast():
                levels = self.network(images)
            loss = self._loss(levels, truth, skeleton) / config.accumulate
            self.precision.backward(loss)
            self.optimiser.collect()
            total += float(loss.detach())
        metrics = self.processes.sum_metrics({"loss": total})
        good = self.optimiser.update()
        self.precision.scaler.update()
        self._count(good)
        return {**metrics, "rate": rate, "skipped": self.skipped}

    def _count(self, good: bool) -> None:
        self.step_count += 1
        self.skipped += not good
        self._bad_in_a_row = 0 if good else self._bad_in_a_row + 1
        if self._bad_in_a_row >= _MAX_BAD_STEPS:
            raise CowganError(
                f"Training has become unstable: {_MAX_BAD_STEPS} steps in a row gave numbers "
                "that are not finite; lower the learning rate or use fp32.",
                f"step {self.step_count}",
            )

    def _inputs(self, number: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return images, classes and, if needed, skeletons of a pass."""
        config = self.config
        first = self.step_count * config.images_per_step + number * config.batch
        drawn = [self._patch(index) for index in range(first, first + config.batch)]
        images = self._stacked([image for image, _ in drawn])
        truth = self._stacked([self.classes.of_labels(labels) for _, labels in drawn]).long()
        if not config.skeleton_weight:
            return images, truth, None
        return images, truth, self._stacked([self._skeletons(labels) for _, labels in drawn])

    def _patch(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Return the patch of an index, which counts from the start of the run."""
        random = stream(f"segmentation {self.config.seed}", index)
        case, corner = self._patches.draw(random)
        image = crop(case.image, corner, self.config.patch).astype(np.float32)
        labels = crop(case.labels, corner, self.config.patch)
        return augment(image, labels, self.cases.scheme, self.config, random)

    def _stacked(self, arrays: Sequence[NDArray[np.generic]]) -> Tensor:
        return torch.from_numpy(np.stack(arrays)[:, None]).to(self.device)

    def _skeletons(self, labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        found = np.zeros(labels.shape, np.bool_)
        for value in self.classes.values:
            found |= skeleton_mask(labels == value)
        return found


def learning_rate(config: SegmentationConfig, step: int) -> float:
    """Return the learning rate of a step: a linear rise, then half a cosine to a hundredth."""
    if step < config.warm_up:
        return config.rate * (step + 1) / config.warm_up
    passed = (step - config.warm_up) / max(1, config.steps - config.warm_up)
    share = 0.5 * (1 + math.cos(math.pi * min(1.0, passed)))
    return config.rate * (_FINAL_RATE + (1 - _FINAL_RATE) * share)
