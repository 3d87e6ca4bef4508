"""Fitting of an encoder to volumes that its generator makes."""

import torch
from torch import Tensor
from torch.nn import functional

from cowgan.errors import CowganError
from cowgan.latent.encoder import LatentEncoder, standardised
from cowgan.latent.encoder_files import EncoderModel
from cowgan.latent.p_space import PSpace
from cowgan.progress import Progress, Silent, advance
from cowgan.randomness import stream
from cowgan.synthesis import LatentState, Synthesizer, style

SAMPLES = 2000
LEAST_SAMPLES = 10
_SHRINKAGES = 10 ** torch.linspace(-3, 1, 17, dtype=torch.float64)


def fit_encoder(
    synthesizer: Synthesizer, samples: int = SAMPLES, progress: Progress | None = None
) -> EncoderModel:
    """Fit an encoder to volumes that the generator makes, whose codes are known.

    By ridge regression, with the shrinkage of each component that guesses left-out volumes best.
    Components that coarse volumes tell nothing about are guessed as their mean.

    Parameters
    ----------
    synthesizer : Synthesizer
        Of a generator that was read from a file.
    samples : int
        Volumes to make.
    progress : Progress, optional
        Updated after every volume.

    Returns
    -------
    EncoderModel
        Its provenance tells the errors on left-out samples: ``code_error``, the mean squared error
        of a component in units of its variance, and ``p_error``, the share of the variance of p
        that is not explained. Those of the mean code are 1.

    Raises
    ------
    CowganError
        The generator has no file, or there are fewer than 10 samples.
    Cancelled
        The user cancelled.
    """
    checkpoint = synthesizer.checkpoint
    if checkpoint.sha256 is None:
        raise CowganError("An encoder needs a model that has been saved to a file.")
    if samples < LEAST_SAMPLES:
        raise CowganError(f"An encoder needs {LEAST_SAMPLES} samples or more.")
    space = PSpace.of(checkpoint)
    encoder = LatentEncoder(checkpoint.config, len(space.sd))
    volumes, codes = _samples(synthesizer, encoder, space, samples, progress or Silent())
    errors = fit_to_samples(encoder, volumes, codes)
    p_error = (errors * space.sd.square()).sum() / space.sd.square().sum()
    provenance = {
        "samples": samples,
        "code_error": round(errors.mean().item(), 4),
        "p_error": round(p_error.item(), 4),
    }
    return EncoderModel(encoder.eval(), checkpoint.sha256, provenance)


def fit_to_samples(encoder: LatentEncoder, volumes: Tensor, codes: Tensor) -> Tensor:
    """Fit an encoder to given volumes and codes.

    Parameters
    ----------
    encoder : LatentEncoder
        Is changed.
    volumes : Tensor, shape (N, 1, z, x, y)
        Of its input shape.
    codes : Tensor, shape (N, components)
        Whitened coordinates in P space.

    Returns
    -------
    Tensor, shape (components,)
        Mean squared error of each component of volumes that were left out one by one.
    """
    inputs = standardised(volumes, torch.ones_like(volumes))
    encoder.mean.copy_(inputs.mean(0))
    centred = (inputs - encoder.mean).double()
    values, vectors = torch.linalg.eigh(centred @ centred.T)
    values = values.clamp(min=0)
    targets = codes.double()
    turned = vectors.T @ targets
    errors, solutions = [], []
    for shrinkage in _SHRINKAGES * values.mean():
        factors = 1 / (values + shrinkage)
        solution = vectors @ (turned * factors[:, None])
        # Of ridge regression, the error on a sample that was left out is known without leaving it
        # out (Golub, Heath and Wahba, Technometrics 1979).
        left_out = solution / (vectors.square() @ factors)[:, None]
        errors.append(left_out.square().mean(0))
        solutions.append(solution)
    best = torch.stack(errors).argmin(0)
    columns = torch.arange(len(best))
    encoder.weight.copy_((centred.T @ torch.stack(solutions)[best, :, columns].T).T)
    return torch.stack(errors)[best, columns].float()


@torch.no_grad()
def _samples(
    synthesizer: Synthesizer,
    encoder: LatentEncoder,
    space: PSpace,
    count: int,
    progress: Progress,
) -> tuple[Tensor, Tensor]:
    """Render random states; return copies at the encoder's input shape, and codes."""
    states = [LatentState(int(n)) for n in stream("encoder samples", 0).randint(0, 2**62, count)]
    volumes, codes = [], []
    for state, volume in zip(states, synthesizer.render_many(states), strict=True):
        data = torch.from_numpy(volume.data)[None]
        volumes.append(functional.adaptive_avg_pool3d(data, encoder.input_shape))
        codes.append(space.whitened(style(synthesizer.checkpoint, state.seed)))
        advance(progress, len(volumes), count)
    return torch.stack(volumes), torch.stack(codes)
