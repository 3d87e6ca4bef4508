"""Simulated acquisition: coil sensitivity, ghosts, finite resolution and noise."""

import numpy as np
from scipy.fft import dctn, idctn

from cowgan.simulate.grid import CircleGrid, Field
from cowgan.simulate.parameters import TofParameters

_GHOST_SHARE_OF_VIEW = 0.23
_PHASE_RESOLUTION = 1.25


def receive_field(
    grid: CircleGrid, parameters: TofParameters, random: np.random.RandomState
) -> Field:
    """Return the relative sensitivity of the coil: smooth, around 1."""
    return np.exp(parameters.coil_bias * grid.noise(random, 45.0))


def ghosts(blood: Field, amount: float) -> Field:
    """Return pulsation ghosts on both sides of the arteries along the phase axis, x."""
    shift = round(_GHOST_SHARE_OF_VIEW * blood.shape[1])
    ghost = np.zeros_like(blood)
    if shift and amount:
        ghost[:, shift:] += amount * blood[:, :-shift]
        ghost[:, :-shift] += amount * blood[:, shift:]
    return ghost


def acquire(
    signal: Field,
    grid: CircleGrid,
    parameters: TofParameters,
    noise_sd: float,
    random: np.random.RandomState,
) -> Field:
    """Return the magnitude image: band-limited signal with Rician noise.

    Cosine transforms replace the Fourier transforms of a scanner, since they do not join opposite
    faces of a cropped volume.

    Parameters
    ----------
    signal : ndarray, shape (z, x, y)
        Signal at unlimited resolution.
    grid : CircleGrid
        Voxel grid.
    parameters : TofParameters
        Acquisition parameters.
    noise_sd : float
        Standard deviation of the noise in each channel of the image.
    random : RandomState
        Source of the noise.
    """
    acquired_mm = (
        parameters.resolution_mm,
        parameters.resolution_mm * _PHASE_RESOLUTION,
        parameters.resolution_mm,
    )
    window = np.ones(1, np.float32)
    power = 1.0
    for axis, (n, size, acquired) in enumerate(
        zip(grid.shape, grid.spacing_mm, acquired_mm, strict=True)
    ):
        one = _window(np.arange(n) / n * acquired / size)
        power *= float(np.mean(one**2))
        window = window * np.expand_dims(one, tuple(range(1, 3 - axis)))
    spectrum = dctn(signal, norm="ortho")
    sd = noise_sd / np.sqrt(power)
    noise = sd * random.standard_normal((2, *signal.shape)).astype(np.float32)
    real = idctn(window * (spectrum + noise[0]), norm="ortho")
    imaginary = idctn(window * noise[1], norm="ortho")
    return np.hypot(real, imaginary)


def _window(frequency: Field) -> Field:
    """Return a Hann-edged window; 1 is the highest acquired frequency."""
    edge = np.clip((frequency - 0.55) / 0.55, 0, 1)
    return (0.5 + 0.5 * np.cos(np.pi * edge)).astype(np.float32)
