"""Voxels that hold no intensity: numbers that are none, and what lies outside the field of view."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST_SHARE, _FEWEST = 0.001, 100
"""Of all voxels: fewer than this are no padding."""

_SAMPLE = 1_000_000


def without_padding(
    data: NDArray[np.float32], stated: float | None = None
) -> tuple[NDArray[np.float32], dict[str, Any], list[str]]:
    """Give voxels without an intensity that of background.

    NaN and infinite voxels are such, and so is one value below 0 that many voxels share, such
    as -32768, if it lies farther below the others than they differ among themselves; with it
    all that interpolation put between. They become 0, or the least of the others if that is
    below 0.

    Parameters
    ----------
    data : ndarray, float32
        Changed in place.
    stated : float, optional
        The value that the file itself states for such voxels.

    Returns
    -------
    data : ndarray
        The same array.
    details : dict
        Numbers for the provenance.
    remarks : list of str
        Sentences for the person.
    """
    details: dict[str, Any] = {}
    remarks: list[str] = []
    # The least of all is no number if one is none.
    least, most = float(data.min()), float(data.max())
    empty: NDArray[np.bool_] | None = None
    if not (np.isfinite(least) and np.isfinite(most)):
        empty = ~np.isfinite(data)
        unknown = int(np.count_nonzero(empty))
        if unknown < data.size:
            least = float(np.min(data, where=~empty, initial=np.inf))
        details["nonfinite_replaced"] = unknown
        remarks.append(f"{_voxels(unknown, data.size)} NaN or infinite; they count as background.")
    value = least if stated is None else stated
    fence = _fence(data, value, empty, stated is not None)
    if fence is not None:
        padded = data <= fence if stated is None else data == np.float32(stated)
        count = int(np.count_nonzero(padded))
        empty = padded if empty is None else empty | padded
        details |= {"padding_replaced": count, "padding_value": value}
        reason = "far below all others" if stated is None else "as the file says"
        remarks.append(
            f"{_voxels(count, data.size)} padding ({value:g}, {reason}); they count as background."
        )
    if empty is not None:
        kept = np.min(data, where=~empty, initial=np.inf)
        fill = min(0.0, float(kept)) if np.isfinite(kept) else 0.0
        data[empty] = fill
        details["replaced_by"] = fill
    return data, details, remarks


def _fence(
    data: NDArray[np.float32], value: float, empty: NDArray[np.bool_] | None, is_stated: bool
) -> float | None:
    """Return what padding does not exceed; None if there is no padding."""
    if is_stated:
        return value if np.any(data == np.float32(value)) else None
    if not value < 0:
        return None
    sample = data.ravel()[:: max(1, data.size // _SAMPLE)]
    if empty is not None:
        sample = sample[np.isfinite(sample)]
    others = sample[sample > value]
    if len(sample) - len(others) < _LEAST_SHARE * len(sample) or not len(others):
        return None
    if np.count_nonzero(data == np.float32(value)) < _FEWEST:
        return None
    low, high = (float(p) for p in np.percentile(others, (5, 99)))
    fence = low - max(high - low, 1e-6 * abs(low))
    return fence if value < fence else None


def _voxels(count: int, total: int) -> str:
    share = 100 * count / total
    told = f"{share:.1f} %" if share >= 0.1 else "less than 0.1 %"
    return f"{count:,} voxel{'' if count == 1 else 's'} ({told}) {'is' if count == 1 else 'are'}"
