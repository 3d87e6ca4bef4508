"""Projection of a volume into the latent space of a model."""

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, cast, get_args

import torch
from torch import Tensor

from cowgan.checkpoint import Checkpoint
from cowgan.errors import require_choice
from cowgan.latent.encoder_files import stored_encoder
from cowgan.latent.p_space import PSpace
from cowgan.latent.projection_loss import ProjectionLoss
from cowgan.latent.projection_target import ProjectionTarget, projection_target
from cowgan.latent.tuning import Tuning
from cowgan.networks.synthesis_network import SynthesisBlock
from cowgan.progress import Progress, Silent
from cowgan.randomness import stream
from cowgan.synthesis import LatentState, NoiseMap, Synthesizer
from cowgan.volume import Volume

ProjectionStage = Literal["w", "w+", "pivotal"]
STAGES: tuple[ProjectionStage, ...] = get_args(ProjectionStage)

_RATE = 0.1
_TUNING_RATE = 1e-4
_WARM_UP = 5
_COOLING = 0.5
"""Share of a stage's steps, at its end, in which the step length falls to 0."""
_OF_CODE = 0.02
"""Weight of the squared Mahalanobis distance per component, which is about 1 for the model's own
codes."""
_OF_NOISE = 5e-7
"""Weight of the squared score of each voxel of noise, which is 1 on average for the model's own."""
_CANDIDATES = 32
"""Random codes to choose a start from, for models without an encoder."""
_UPDATE_S = 2.0
"""Time between pictures of what has been found; each takes as long as a third of a step."""


@dataclass(frozen=True)
class Effort:
    """Optimisation steps of a projection.

    Attributes
    ----------
    style : int
        Steps of stage W, with the finest block at half its resolution.
    half, full : int
        Steps of stage W+ with that and with all blocks at their resolution.
    tuning : int
        Steps of pivotal tuning.
    """

    style: int = 20
    half: int = 20
    full: int = 80
    tuning: int = 25


@dataclass(frozen=True, eq=False)
class Finding:
    """What was found up to some step.

    Attributes
    ----------
    stage : {"w", "w+", "pivotal"}
        The stage of that step.
    state : LatentState
        One style per block, and the noise of each.
    volume : Volume
        What it looks like, on the grid of `scan`.
    scan : Volume
        The scan on the model's grid.
    losses : tuple of float
        The loss of every step so far. It jumps where the resolution changes.
    tuning : Tuning or None
        Changed weights, with which alone the state looks like this.
    """

    stage: ProjectionStage
    state: LatentState
    volume: Volume
    scan: Volume
    losses: tuple[float, ...]
    tuning: Tuning | None = None


@dataclass(frozen=True, eq=False)
class LatentProjection:
    """The result of a projection.

    Attributes
    ----------
    target : ProjectionTarget
        The scan on the model's grid.
    findings : tuple of Finding
        At the end of each stage; the last is the result.
    complete : bool
        False if the user cancelled.
    """

    target: ProjectionTarget
    findings: tuple[Finding, ...]
    complete: bool

    @property
    def result(self) -> Finding:
        """The last finding."""
        return self.findings[-1]


def project(
    volume: Volume,
    checkpoint: Checkpoint,
    stage: ProjectionStage = "w+",
    device: str = "auto",
    effort: Effort | None = None,
    progress: Progress | None = None,
    on_update: Callable[[Finding], None] = lambda _: None,
    origin: str = "",
) -> LatentProjection:
    """Find the latent state whose volume looks like a scan.

    An encoder, or for models without one the best of some random codes, gives the start. Then the
    code is optimised: one style for all blocks (W), then one for each (W+), both together with the
    noise, and at last, if asked for, the weights of the model (pivotal tuning). The first steps run
    the finest block at half its resolution and without noise, which takes half the time. The
    grey volumes of coarser blocks would be faster, but do not look like averages of the whole one,
    so that matching them leads away from the code.

    Parameters
    ----------
    volume : Volume
        A TOF MRA, see `projection_target`.
    checkpoint : Checkpoint
        The model, which stays as it is.
    stage : {"w", "w+", "pivotal"}
        The last stage.
    device : str
        As for `Synthesizer`.
    effort : Effort, optional
        How many steps.
    progress : Progress, optional
        Reports every step. If it is cancelled, the best state so far is the result.
    on_update : callable, optional
        Receives what has been found, about every two seconds, in the precision of the steps; the
        results have exact volumes.
    origin : str
        What the volume is, such as its file and hash; states keep it as their origin.

    Raises
    ------
    CowganError
        The stage or device does not exist, or the volume cannot be used.

    References
    ----------
    Roich et al., "Pivotal Tuning", ACM TOG 2022; Zhu et al., arXiv 2012.09036 (prior in P space).
    """
    require_choice("stage", stage, STAGES)
    synthesizer = Synthesizer(checkpoint, device)
    target = projection_target(volume, synthesizer)
    search = _Search(
        checkpoint, synthesizer, target, effort or Effort(), progress or Silent(), origin
    )
    findings = []
    for each in STAGES[: STAGES.index(stage) + 1]:
        search.run(each, stage, on_update)
        findings.append(search.finding())
        if search.cancelled:
            break
    return LatentProjection(target, tuple(findings), not search.cancelled)


@dataclass
class _Best:
    """The parameters of the lowest loss at the highest resolution that was compared."""

    full: bool = False
    loss: float = float("inf")
    parameters: list[Tensor] = field(default_factory=list)


class _Search:
    """The optimisation of one projection."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        synthesizer: Synthesizer,
        target: ProjectionTarget,
        effort: Effort,
        progress: Progress,
        origin: str,
    ) -> None:
        self._origin = origin
        self._checkpoint, self._config = checkpoint, checkpoint.config
        self._device, self._dtype = synthesizer.device, synthesizer.dtype
        self._target, self._effort, self._progress = target, effort, progress
        self._space = PSpace.of(checkpoint).to(self._device)
        self._network = copy.deepcopy(checkpoint.synthesis).to(self._device).requires_grad_(False)
        self._fast = copy.deepcopy(self._network).freeze(self._dtype)
        self._half = copy.deepcopy(self._fast)
        finest = self._config.n_blocks - 1
        half_shape = self._config.block_shape(max(0, finest - 1))
        cast(SynthesisBlock, self._half.blocks[finest]).shape = half_shape
        scan, inside = (
            torch.from_numpy(each).to(self._device, torch.float32)[None, None]
            for each in (target.volume.data, target.inside)
        )
        self._loss = ProjectionLoss(scan, inside)
        self._losses: list[float] = []
        self._stage: ProjectionStage = "w"
        self.cancelled = False
        code, noise = self._start()
        self._code, self._noise = code[None], noise
        self._best = _Best()

    def run(
        self,
        stage: ProjectionStage,
        last_stage: ProjectionStage,
        on_update: Callable[[Finding], None],
    ) -> None:
        """Run one stage from the best of the one before."""
        self._stage = stage
        if stage == "w+":
            self._code = self._code.expand(1, self._config.n_blocks, -1).contiguous()
        parameters = self._parameters()
        schedule = _schedule(stage, self._effort)
        rate = _TUNING_RATE if stage == "pivotal" else _RATE
        adam = torch.optim.Adam(parameters, rate, betas=(0.9, 0.99))
        total = sum(
            len(_schedule(each, self._effort)) for each in STAGES[: STAGES.index(last_stage) + 1]
        )
        untuned_loss = self._exact_loss() if stage == "pivotal" else None
        self._best = _Best()
        updated = time.monotonic()
        for step, full in enumerate(schedule):
            share = _share_of_rate(step, len(schedule))
            adam.param_groups[0]["lr"] = rate * share
            with torch.enable_grad():
                match = self._loss(self._render("full" if full else "half"))
                loss = match + self._prior()
            self._note(full, match.item(), parameters)
            adam.zero_grad()
            loss.backward()
            adam.step()
            self._progress.report(len(self._losses), total, f"{stage}, loss {match.item():.3f}")
            if self._progress.cancelled:
                self.cancelled = True
                break
            if time.monotonic() - updated >= _UPDATE_S:
                on_update(self.finding(exact=False))
                updated = time.monotonic()
        for parameter in parameters:
            parameter.requires_grad_(False)
        _restore(parameters, self._best.parameters)
        # Steps are rounded: what they take for nearer may be farther.
        if untuned_loss is not None and not self._exact_loss() < untuned_loss:
            _restore(parameters, list(self._checkpoint.synthesis.parameters()))

    def finding(self, exact: bool = True) -> Finding:
        """Return what the present parameters are, exactly as their state renders or as in steps."""
        with torch.no_grad():
            image = self._render("exact" if exact else "full").clamp(0, 1)[0, 0]
        history = {"synthetic": True, "projection": {"stage": self._stage}}
        tuning = None
        if self._stage == "pivotal":
            tuning = Tuning.between(self._checkpoint, self._network)
        return Finding(
            self._stage,
            self._state(),
            Volume(image.float().cpu().numpy(), self._target.volume.affine, history),
            self._target.volume,
            tuple(self._losses),
            tuning,
        )

    def _parameters(self) -> list[Tensor]:
        if self._stage == "pivotal":
            self._network.requires_grad_(True)
            return list(self._network.parameters())
        self._code.requires_grad_(True)
        for scores in self._noise:
            scores.requires_grad_(True)
        return [self._code, *self._noise]

    @torch.no_grad()
    def _exact_loss(self) -> float:
        return self._loss(self._render("exact")).item()

    def _note(self, full: bool, loss: float, parameters: list[Tensor]) -> None:
        self._losses.append(loss)
        if full > self._best.full or loss < self._best.loss:
            self._best = _Best(full, loss, [each.detach().clone() for each in parameters])

    def _render(self, how: Literal["half", "full", "exact"]) -> Tensor:
        tuning = self._stage == "pivotal"
        network = self._network
        if how != "exact" and not tuning:
            network = self._half if how == "half" else self._fast
        rounded = how != "exact" and tuning and self._dtype != torch.float32
        ws = self._space.w(self._code).expand(1, self._config.n_blocks, -1)
        noise = [torch.special.ndtr(scores) for scores in self._noise]
        with torch.autocast(self._device.type, self._dtype, enabled=rounded):
            x, image = network.start(1), None
            for block in range(self._config.n_blocks):
                of_block = noise[block] if self._has_noise(block, how) else None
                x, image = network.run_block(block, x, image, ws[:, block], of_block)
        assert image is not None
        return image

    def _has_noise(self, block: int, how: Literal["half", "full", "exact"] = "full") -> bool:
        coarser = block < self._config.n_blocks - 1
        return coarser or (self._stage != "w" and how != "half")

    def _prior(self) -> Tensor:
        return (
            _OF_CODE * self._code.square().mean()
            + _OF_NOISE * torch.stack([scores.square().sum() for scores in self._noise]).sum()
        )

    def _state(self) -> LatentState:
        with torch.no_grad():
            ws = self._space.w(self._code)[0].cpu()
            noise = [torch.special.ndtr(scores)[0].cpu().numpy() for scores in self._noise]
        return LatentState(
            noise_seed=0,
            w=tuple(tuple(round(value, 6) for value in row) for row in ws.tolist()),
            noise_strength=tuple(float(self._has_noise(b)) for b in range(self._config.n_blocks)),
            noise_maps=tuple(NoiseMap(each.shape, each) for each in noise),
            origin=self._origin and f"{self._origin}, stage {self._stage}",
        )

    @torch.no_grad()
    def _start(self) -> tuple[Tensor, list[Tensor]]:
        """Return the first code, shape (1, n), and the scores of each block's noise, none."""
        noise = [
            torch.zeros(1, *self._config.block_shape(block), device=self._device)
            for block in range(self._config.n_blocks)
        ]
        stored = stored_encoder(self._checkpoint)
        if stored is not None:
            encoder = stored.encoder.to(self._device)
            return encoder(*self._loss.target(encoder.input_shape)), noise
        self._noise = noise
        numbers = stream("projection start", 0).standard_normal((_CANDIDATES, len(self._space.sd)))
        losses = []
        candidates = torch.from_numpy(numbers.astype("float32")).to(self._device)
        for candidate in candidates:
            self._code = candidate[None, None]
            losses.append(self._loss(self._render("half")).item())
        best = min(range(_CANDIDATES), key=losses.__getitem__)
        return candidates[best][None], noise


def _restore(parameters: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    for parameter, value in zip(parameters, values, strict=True):
        parameter.data.copy_(value)


def _schedule(stage: ProjectionStage, effort: Effort) -> list[bool]:
    """Return whether all blocks run at their full resolution in each step of a stage."""
    if stage == "w":
        return [False] * effort.style
    if stage == "w+":
        return [False] * effort.half + [True] * effort.full
    return [True] * effort.tuning


def _share_of_rate(step: int, steps: int) -> float:
    """Return the share of the step length: a short rise, and a fall at the end."""
    return min(1, (step + 1) / _WARM_UP, (steps - step) / (steps * _COOLING))
