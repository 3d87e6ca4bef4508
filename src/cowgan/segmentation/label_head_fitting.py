"""Fitting of a label head to a few annotated volumes."""

from collections.abc import Sequence
from functools import lru_cache, partial

import torch
from torch import Tensor

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.errors import CowganError
from cowgan.progress import Progress, Silent, advance
from cowgan.randomness import stream
from cowgan.segmentation.annotated_volumes import AnnotatedVolume
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.fitting import learning_rate
from cowgan.segmentation.label_head import LabelHead, Shape, Window
from cowgan.segmentation.label_head_files import LabelHeadModel
from cowgan.segmentation.labelled_cases import LabelledCases
from cowgan.segmentation.patches import Corner, PatchSampler, crop
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.segmentation.segmentation_loss import SegmentationLoss
from cowgan.synthesis import LatentState, Synthesizer

STEPS = 600
_PATCH = (32, 64, 64)
_RATE = 1e-2
_WARM_UP = 20
_KEPT_VOLUMES = 32
"""Features of so many volumes are kept; a volume of the published size has 15 MB of them."""


def fit_label_head(
    volumes: Sequence[AnnotatedVolume],
    scheme: LabelScheme,
    synthesizer: Synthesizer,
    steps: int = STEPS,
    seed: int = 0,
    progress: Progress | None = None,
) -> LabelHeadModel:
    """Fit a label head to annotated volumes.

    The same volumes and seed give the same head on the same device.

    Parameters
    ----------
    volumes : sequence of AnnotatedVolume
        At least one.
    scheme : LabelScheme
        Meaning of their labels.
    synthesizer : Synthesizer
        Of a generator that was read from a file.
    steps : int
        Optimisation steps.
    seed : int
        Seed of weights and patches.
    progress : Progress, optional
        Updated after every step.

    Raises
    ------
    CowganError
        There is no volume, the generator has no file, or MONAI is not installed.
    Cancelled
        The user cancelled.
    """
    sha256 = synthesizer.checkpoint.sha256
    if not volumes:
        raise CowganError("There is no annotated volume to learn from.")
    if sha256 is None:
        raise CowganError("A label head needs a model that has been saved to a file.")
    progress = progress or Silent()
    advance(progress, 0, steps)
    classes = Classes.of(scheme)
    settings = SegmentationConfig(steps=steps, rate=_RATE, warm_up=_WARM_UP)
    loss_of = SegmentationLoss(settings)
    features_of = lru_cache(_KEPT_VOLUMES)(partial(_features, synthesizer))
    torch.manual_seed(seed)
    config, device = synthesizer.checkpoint.config, synthesizer.device
    head = LabelHead(config, classes.count).to(device)
    head.standardise(features_of(one.state) for one in volumes[:_KEPT_VOLUMES])
    adam = torch.optim.AdamW(head.parameters(), weight_decay=settings.weight_decay)
    z, x, y = (min(own, most) for own, most in zip(config.volume_shape, _PATCH, strict=True))
    cases = LabelledCases([one.case for one in volumes], scheme, synthesizer.checkpoint.spacing_mm)
    patches = PatchSampler(cases, (z, x, y), settings.rare_share)
    states = {one.case.name: one.state for one in volumes}
    for step in range(steps):
        case, corner = patches.draw(stream(f"label head {seed}", step))
        truth = torch.from_numpy(classes.of_labels(crop(case.labels, corner, patches.shape)))
        logits = head(features_of(states[case.name]), _window(corner, patches.shape))
        loss = loss_of([logits], truth[None, None].long().to(device))
        for group in adam.param_groups:
            group["lr"] = learning_rate(settings, step)
        adam.zero_grad()
        loss.backward()
        adam.step()
        advance(progress, step + 1, steps)
    provenance = {"volumes": list(states), "steps": steps, "seed": seed}
    return LabelHeadModel(head.cpu().requires_grad_(False).eval(), scheme, sha256, provenance)


def _features(synthesizer: Synthesizer, state: LatentState) -> tuple[Tensor, ...]:
    """Return features through which gradients can be computed."""
    _, features = synthesizer.render_with_features(state)
    return tuple(one.clone() for one in features)


def _window(corner: Corner, shape: Shape) -> Window:
    z, x, y = (slice(first, first + n) for first, n in zip(corner, shape, strict=True))
    return z, x, y
