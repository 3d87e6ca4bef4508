"""Replacement of voxels without an intensity: NaN, infinity and padding."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAST_SHARE, _FEWEST = 0.001, 100
"""Least share and number of voxels that count as padding."""

_SAMPLE = 1_000_000


def without_padding(
    data: NDArray[np.float32], stated: float | None = None
) -> tuple[NDArray[np.float32], dict[str, Any], list[str]]:
    """Replace voxels without an intensity by background.

    These are NaN and infinite voxels, and padding: a negative value shared by many voxels, such
    as -32768, that lies farther below the others than their own range, together with values
    interpolated towards it. They become 0, or the least other intensity if that is negative.

    Parameters
    ----------
    data : ndarray, float32
        Changed in place.
    stated : float, optional
        Padding value from the header.

    Returns
    -------
    data : ndarray
        The same array.
    details : dict
        Entries for the provenance.
    remarks : list of str
        Sentences for the user.
    """
    details: dict[str, Any] = {}
    remarks: list[str] = []
    # min() and max() are NaN if any voxel is.
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
    """Return the upper limit of padding values; None if there is no padding."""
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
    percent = f"{share:.1f} %" if share >= 0.1 else "less than 0.1 %"
    return f"{count:,} voxel{'' if count == 1 else 's'} ({percent}) {'is' if count == 1 else 'are'}"
