"""Fitting of an encoder to volumes that its generator makes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cowgan.errors import CowganError
from cowgan.latent.encoder import LatentEncoder, noise_block
from cowgan.latent.encoder_files import EncoderModel
from cowgan.latent.p_space import PSpace
from cowgan.progress import Progress, Silent, advance
from cowgan.randomness import stream
from cowgan.synthesis import LatentState, Synthesizer, style
from cowgan.synthesis.noise import block_noise

SAMPLES = 1500
STEPS = 1200
_BATCH = 8
_RATE = 1e-3
_LARGEST_GRADIENT = 1.0
_PARTIAL = 0.25
"""Share of samples of which a slab counts as not imaged."""


@dataclass(frozen=True, eq=False)
class _Samples:
    volumes: Tensor
    codes: Tensor
    noises: Tensor


def fit_encoder(
    synthesizer: Synthesizer,
    samples: int = SAMPLES,
    steps: int = STEPS,
    seed: int = 0,
    progress: Progress | None = None,
) -> EncoderModel:
    """Fit an encoder to volumes that the generator makes, whose codes and noise are known.

    The intensities of the volumes are varied, and of some only a part counts as imaged.

    Parameters
    ----------
    synthesizer : Synthesizer
        Of a generator that was read from a file.
    samples : int
        Volumes to make.
    steps : int
        Optimisation steps, of 8 volumes each.
    seed : int
        Seed of weights and variation.
    progress : Progress, optional
        Updated after every volume and step.

    Raises
    ------
    CowganError
        The generator has no file.
    Cancelled
        The user cancelled.
    """
    checkpoint = synthesizer.checkpoint
    if checkpoint.sha256 is None:
        raise CowganError("An encoder needs a model that has been saved to a file.")
    progress = progress or Silent()
    space = PSpace.of(checkpoint)
    torch.manual_seed(seed)
    encoder = LatentEncoder(checkpoint.config, len(space.sd))
    made = _make(synthesizer, space, encoder.input_shape, samples, steps, progress)
    device, fast = synthesizer.device, synthesizer.dtype != torch.float32
    encoder.to(device).train()
    adam = torch.optim.AdamW(encoder.parameters(), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, _RATE, total_steps=steps)
    for step, batch in enumerate(_batches(samples, steps, seed)):
        numbers = stream(f"encoder variation {seed}", step)
        volumes, inside = _varied(made.volumes[batch].float() / 255, numbers)
        with torch.autocast(device.type, synthesizer.dtype, enabled=fast):
            code, noise = encoder(volumes.to(device), inside.to(device))
        loss = functional.mse_loss(code.float().cpu(), made.codes[batch])
        loss = loss + functional.mse_loss(noise.float().cpu(), made.noises[batch].float())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), _LARGEST_GRADIENT)
        adam.step()
        schedule.step()
        advance(progress, samples + step + 1, samples + steps, f"loss {loss.item():.3f}")
    provenance = {"samples": samples, "steps": steps, "seed": seed}
    return EncoderModel(encoder.cpu().requires_grad_(False).eval(), checkpoint.sha256, provenance)


@torch.no_grad()
def _make(
    synthesizer: Synthesizer,
    space: PSpace,
    shape: tuple[int, int, int],
    samples: int,
    steps: int,
    progress: Progress,
) -> _Samples:
    """Render volumes, and return their coarse copies in 8 bits with codes and noise scores."""
    checkpoint, last = synthesizer.checkpoint, noise_block(synthesizer.checkpoint.config)
    states = [LatentState(int(n)) for n in stream("encoder samples", 0).randint(0, 2**62, samples)]
    volumes, codes, noises = [], [], []
    # The finest block hardly changes a coarse copy, and takes more time than all others.
    stop = max(last + 1, checkpoint.config.n_blocks - 2)
    for state, volume in zip(states, synthesizer.render_many(states, stop), strict=True):
        coarse = functional.adaptive_avg_pool3d(torch.from_numpy(volume.data)[None], shape)
        volumes.append((coarse * 255).round().to(torch.uint8))
        codes.append(space.whitened(style(checkpoint, state.seed)))
        noise = block_noise(state, last, checkpoint.config)
        assert noise is not None
        noises.append(torch.special.ndtri(noise.clamp(1e-4, 1 - 1e-4)).half()[None])
        advance(progress, len(volumes), samples + steps)
    return _Samples(torch.stack(volumes), torch.stack(codes), torch.stack(noises))


def _batches(samples: int, steps: int, seed: int) -> Iterator[Tensor]:
    """Yield the indices of each step's samples, all samples in turn."""
    numbers = stream(f"encoder order {seed}", 0)
    order = np.concatenate(
        [numbers.permutation(samples) for _ in range(-(-steps * _BATCH // samples))]
    )
    for step in range(steps):
        yield torch.from_numpy(order[step * _BATCH : (step + 1) * _BATCH])


def _varied(volumes: Tensor, numbers: np.random.RandomState) -> tuple[Tensor, Tensor]:
    """Vary contrast, brightness and grain, and leave out a slab of some volumes."""
    n, shape = len(volumes), volumes.shape[2:]

    def each(low: float, high: float) -> Tensor:
        return torch.from_numpy(numbers.uniform(low, high, (n, 1, 1, 1, 1)).astype("float32"))

    volumes = volumes.clamp(1e-4, 1) ** torch.exp(each(-0.3, 0.3)) * each(0.85, 1.15)
    volumes = volumes + each(-0.04, 0.04)
    grain = torch.from_numpy(numbers.standard_normal(volumes.shape).astype("float32"))
    volumes = (volumes + grain * each(0, 0.03)).clamp(0, 1)
    inside = torch.ones_like(volumes)
    for index in np.flatnonzero(numbers.uniform(size=n) < _PARTIAL):
        axis = numbers.randint(3)
        cut = int(shape[axis] * numbers.uniform(0, 0.4))
        first = 0 if numbers.randint(2) else shape[axis] - cut
        inside[index].narrow(axis + 1, first, cut).zero_()
    return volumes * inside, inside
