"""Numbers by which a volume could be recognised without looking at the arteries."""

import zlib

import numpy as np
from numpy.typing import NDArray

_AXES = ("z", "x", "y")
_PERCENTILES = (5, 25, 50, 75, 95)
_BANDS = 4


def grey_levels(voxels: NDArray[np.uint16], n_levels: int) -> dict[str, float]:
    """Describe the histogram.

    Parameters
    ----------
    voxels : ndarray of uint16, shape (z, x, y)
        As readers see it.
    n_levels : int
        Steps from black to white.

    Returns
    -------
    dict of str to float
        Values by name; all from 0 to 1 but skewness, kurtosis and entropy.
    """
    # From counts alone, so that equal histograms give equal numbers to the last bit.
    counts = np.bincount(voxels.ravel(), minlength=n_levels)
    shares = counts / voxels.size
    levels = np.linspace(0, 1, n_levels)
    mean = float(shares @ levels)
    second, third, fourth = (float(shares @ (levels - mean) ** power) for power in (2, 3, 4))
    occurring = shares[counts > 0]
    reached = np.cumsum(counts)
    return {
        **{
            f"percentile {q}": float(levels[np.searchsorted(reached, q / 100 * voxels.size)])
            for q in _PERCENTILES
        },
        "mean": mean,
        "standard deviation": second**0.5,
        "skewness": third / (second**1.5 or 1.0),
        "kurtosis": fourth / (second**2 or 1.0),
        "share of black voxels": float(shares[0]),
        "share of white voxels": float(shares[-1]),
        "share of grey levels that occur": len(occurring) / n_levels,
        "entropy": float(-(occurring * np.log2(occurring)).sum()),
    }


def texture(voxels: NDArray[np.uint16], n_levels: int) -> dict[str, float]:
    """Describe noise, sharpness, borders and compressibility.

    Parameters
    ----------
    voxels, n_levels
        As for `grey_levels`.
    """
    scaled = (voxels / (n_levels - 1)).astype(np.float32)
    values: dict[str, float] = {}
    for axis, name in enumerate(_AXES):
        step = np.diff(scaled, axis=axis)
        values[f"gradient along {name}"] = float(np.abs(step).mean())
        bend = np.diff(step, axis=axis)
        # The median leaves vessels and borders out.
        values[f"noise along {name}"] = float(np.median(np.abs(bend)))
        first, *_, last = np.moveaxis(scaled, axis, 0)
        inside = np.moveaxis(scaled, axis, 0)[1:-1]
        spread = float(inside.std()) or 1.0
        for end, border in (("first", first), ("last", last)):
            values[f"mean of the {end} slice along {name}"] = float(
                (border.mean() - inside.mean()) / spread
            )
            values[f"contrast of the {end} slice along {name}"] = float(border.std() / spread)
    values |= {
        f"spectrum, band {band + 1} of {_BANDS}": power
        for band, power in enumerate(_spectrum(scaled))
    }
    packed = len(zlib.compress(voxels.tobytes(), 1))
    return values | {"compressed size": packed / voxels.nbytes}


def _spectrum(scaled: NDArray[np.float32]) -> list[float]:
    """Return the logarithm of the mean power in bands of equal width up to the finest detail."""
    power = np.abs(np.fft.rfftn(scaled - scaled.mean())) ** 2
    frequencies = np.meshgrid(
        *(np.fft.fftfreq(n) for n in scaled.shape[:2]),
        np.fft.rfftfreq(scaled.shape[2]),
        indexing="ij",
        sparse=True,
    )
    radius = np.sqrt(sum(f**2 for f in frequencies))
    band = np.minimum((radius / 0.5 * _BANDS).astype(int), _BANDS - 1)
    total = np.bincount(band.ravel(), power.ravel(), minlength=_BANDS)
    count = np.bincount(band.ravel(), minlength=_BANDS)
    return [float(value) for value in np.log10(total / count + 1e-12)]
