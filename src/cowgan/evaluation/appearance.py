"""Grid, intensities and fine detail: what must agree before anatomy is compared."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError
from cowgan.features.extractor import Recipe
from cowgan.features.store import FeatureBank
from cowgan.report.numbers import count, decimal
from cowgan.text import dimensions
from cowgan.volume import Volume
from cowgan.volume.intensity import rescale

BINS, FREQUENCIES = 32, 16
"""Number of grey levels of the histogram, and of frequency bands of the spectrum."""

_PERCENTILES = (0, 1, 50, 99, 99.9, 100)
_GRID = slice(0, 6)
_LEVELS = slice(6, 6 + len(_PERCENTILES))
_HISTOGRAM = slice(_LEVELS.stop, _LEVELS.stop + BINS)
_SPECTRUM = slice(_HISTOGRAM.stop, _HISTOGRAM.stop + FREQUENCIES)
_NOT_FINITE = _SPECTRUM.stop

_SAME_RANGE = 1.25
_SAME_DETAIL_DB = 3.0
_FINEST = FREQUENCIES // 4


class Appearance:
    """An extractor: grid, intensities and spectrum of a volume.

    Grid and percentiles of the intensities as they are; histogram (share of voxels) and power
    spectrum (log10, in axial slices, up to the Nyquist frequency) after `rescale`; and how many
    voxels of its file were not finite.
    """

    dimensions = _NOT_FINITE + 1
    recipe = Recipe("Appearance", version=1, settings={"bins": BINS, "frequencies": FREQUENCIES})

    def __call__(self, volume: Volume) -> NDArray[np.float32]:
        """Return one row."""
        scaled = rescale(volume.data)
        sources = volume.provenance.get("sources", [])
        histogram = np.histogram(scaled, BINS, (0, 1))[0] / scaled.size
        row = [
            *volume.data.shape,
            *volume.spacing_mm,
            *np.percentile(volume.data, _PERCENTILES),
            *histogram,
            *_spectrum(scaled),
            sum(source.get("nonfinite_replaced", 0) for source in sources),
        ]
        return np.array([row], np.float32)


def grid_of(bank: FeatureBank) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """Return number and size of the voxels, along (z, x, y).

    Raises
    ------
    CowganError
        The volumes of the set differ.
    """
    grids = bank.rows[:, _GRID]
    odd = np.flatnonzero(~np.isclose(grids, grids[0], rtol=0.01).all(1))
    if odd.size:
        raise CowganError(
            f"The volume {bank.names[odd[0]]} has another shape or voxel size than "
            f"{bank.names[0]}; bring all volumes to one grid with cowgan preprocess."
        )
    nz, nx, ny, *size_mm = grids[0].tolist()
    return (int(nz), int(nx), int(ny)), (size_mm[0], size_mm[1], size_mm[2])


def require_one_grid(banks: Sequence[FeatureBank]) -> None:
    """Raise `CowganError` unless all volumes of all sets are of one grid."""
    first, *rest = ((bank.title, *grid_of(bank)) for bank in banks)
    for title, shape, spacing_mm in rest:
        if shape != first[1] or not np.allclose(spacing_mm, first[2], rtol=0.01):
            one, other = (
                f"{dimensions(of)} voxels of {dimensions(mm, '.2f')} mm"
                for of, mm in ((first[1], first[2]), (shape, spacing_mm))
            )
            raise CowganError(
                f"{first[0]} has {one} and {title} {other}; bring all volumes to one grid with "
                "cowgan preprocess."
            )


def require_finite(banks: Sequence[FeatureBank]) -> None:
    """Raise `CowganError` if a file held voxels that are NaN or infinite."""
    for bank in banks:
        odd = np.flatnonzero(bank.rows[:, _NOT_FINITE])
        if odd.size:
            raise CowganError(
                f"{count(odd.size, 'volume')} of {bank.title} have voxels that are NaN or "
                f"infinite, such as {bank.names[odd[0]]}; repair or remove them."
            )


def histogram_of(bank: FeatureBank) -> NDArray[np.float32]:
    """Return the histogram of each volume, shape (n, `BINS`): shares of voxels."""
    return bank.rows[:, _HISTOGRAM]


def spectrum_of(bank: FeatureBank) -> NDArray[np.float32]:
    """Return the power spectrum of each volume, shape (n, `FREQUENCIES`), as log10."""
    return bank.rows[:, _SPECTRUM]


def differences_in_appearance(real: FeatureBank, generated: FeatureBank) -> list[str]:
    """Return sentences on differences that are no matter of anatomy."""
    found = []
    of_real, of_generated = (
        float(np.median(np.ptp(bank.rows[:, _LEVELS][:, [1, 4]], axis=1)))
        for bank in (real, generated)
    )
    if not 1 / _SAME_RANGE < of_generated / of_real < _SAME_RANGE:
        found.append(
            "Intensities differ in range: from the 1st to the 99.9th percentile, generated volumes "
            f"span {of_generated:.3g} and real ones {of_real:.3g}. Features are of rescaled "
            "volumes and do not see it."
        )
    fine = [float(spectrum_of(bank)[:, -_FINEST:].mean()) for bank in (real, generated)]
    decibel = 10 * (fine[1] - fine[0])
    if abs(decibel) > _SAME_DETAIL_DB:
        more, what = ("more", "noisier or sharper") if decibel > 0 else ("less", "smoother")
        found.append(
            f"Generated volumes have {decimal(abs(decibel), 1)} dB {more} power in the finest "
            f"details than real ones: they are {what}."
        )
    return found


def _spectrum(data: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean power of axial slices in rings of frequency, as log10."""
    slices = data - data.mean((1, 2), keepdims=True)
    power = np.square(np.abs(np.fft.fft2(slices, norm="ortho"))).mean(0)
    frequency = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, power.shape), indexing="ij"))
    ring = np.minimum((frequency / 0.5 * FREQUENCIES).astype(int), FREQUENCIES)
    total = np.bincount(ring.ravel(), power.ravel(), FREQUENCIES + 1)[:FREQUENCIES]
    count = np.bincount(ring.ravel(), minlength=FREQUENCIES + 1)[:FREQUENCIES]
    # Small slices have no frequency in some rings.
    return np.log10(total / np.maximum(count, 1) + 1e-12)
