"""Detection of leakage across the split of a bank.

Images are compared in two steps: coarse pictures of all volumes on one side with all on the other,
and then the nearest few voxel by voxel, at the shift of best agreement.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfftn, rfftn
from scipy.ndimage import gaussian_filter

from cowgan.bank.split import Assignment
from cowgan.data.subjects import without_visit
from cowgan.errors import Cancelled
from cowgan.progress import Progress
from cowgan.volume.averaging import cell_means

SAME_SCAN = 0.7
"""Least likeness of two volumes of the same scan or subject. Measured on forty simulated volumes
with the arteries of as many subjects: copies with noise of a tenth of the range, other contrast,
blur, or a shift of ten voxels reach 0.87 to 1.0, rotated by 3 degrees 0.75, simulated again 0.87
to 0.93; other subjects at most 0.38."""

_COARSE_CELLS = (8, 16, 16)
_FEWEST_CELLS = 8
"""Smaller volumes are not compared."""
_CANDIDATES = 3
_CLEARLY_DIFFERENT = 0.3
_SHOWN = 3

Coarse = NDArray[np.float32]
Read = Callable[[int], NDArray[np.float32]]


@dataclass(frozen=True)
class Leak:
    """Two cases on different sides of a split that should be on one.

    Parameters
    ----------
    training, holdout : str
        Names of the cases.
    likeness : float or None
        Correlation of their voxels at the best shift; None if only their names are similar.
    """

    training: str
    holdout: str
    likeness: float | None = None


def coarse_picture(volume: NDArray[np.float32]) -> Coarse:
    """Return a coarse picture of a volume, for finding similar ones.

    Parameters
    ----------
    volume : ndarray, shape (z, x, y)
        Of any size, which must be the same for all volumes.

    Returns
    -------
    ndarray
        Means of 8 x 16 x 16 cells (fewer for smaller volumes), high-pass filtered.
    """
    starts = [
        np.linspace(0, size, min(most, size), endpoint=False).astype(int)
        for most, size in zip(_COARSE_CELLS, volume.shape, strict=True)
    ]
    means = cell_means(volume, starts)
    return np.asarray(means - gaussian_filter(means, 3.0), np.float32)


def find_same_scans(
    coarse: Sequence[Coarse],
    names: Sequence[str],
    held_out: Sequence[bool],
    read: Read,
    progress: Progress | None = None,
) -> list[Leak]:
    """Return pairs of volumes across the split that are (nearly) the same scan.

    Parameters
    ----------
    coarse : sequence of ndarray
        `coarse_picture` of every volume.
    names : sequence of str
        Of their cases.
    held_out : sequence of bool
        Whether each is held out.
    read : callable
        Returns a volume, shape (z, x, y), by its index.
    progress : Progress, optional
        Only asked for cancellation.

    Returns
    -------
    list of Leak
        At most one per held-out volume, the most similar first.

    Raises
    ------
    Cancelled
        The user cancelled.
    """
    sides = np.asarray(held_out, np.bool_)
    training, holdout = np.flatnonzero(~sides), np.flatnonzero(sides)
    if not (training.size and holdout.size) or min(coarse[0].shape) < _FEWEST_CELLS:
        return []
    pictures = np.stack(list(coarse))
    # The mean is removed, since it makes any two heads similar.
    pictures = pictures - pictures.mean(axis=0) if len(pictures) > _CANDIDATES else pictures
    nearest, near = _nearest(pictures[holdout], pictures[training])
    leaks = []
    for row, index in enumerate(holdout.tolist()):
        if progress is not None and progress.cancelled:
            raise Cancelled
        likely = [
            int(training[column])
            for column, score in zip(nearest[row], near[row], strict=True)
            if score > _CLEARLY_DIFFERENT
        ]
        if not likely:
            continue
        detail = _detail(read(index))
        scores = {other: _likeness(detail, _detail(read(other))) for other in likely}
        best = max(scores, key=lambda other: scores[other])
        if scores[best] >= SAME_SCAN:
            leaks.append(Leak(names[best], names[index], round(scores[best], 3)))
    return sorted(leaks, key=lambda leak: -(leak.likeness or 0))


def find_same_names(assignments: Mapping[str, Assignment]) -> list[Leak]:
    """Return cases across the split whose names suggest two visits of one subject."""
    sides: dict[str, dict[str, list[str]]] = {}
    for name, assigned in assignments.items():
        stem = without_visit(name)
        # The other scan of a subject may have no such word.
        key = name.casefold() if stem is None else stem
        sides.setdefault(key, {}).setdefault(assigned.split, []).append(name)
    return [
        Leak(training, holdout)
        for found in sides.values()
        for training, holdout in product(found.get("training", []), found.get("holdout", []))
    ]


def warnings_of(leaks: Sequence[Leak]) -> list[str]:
    """Return one sentence for each kind of leak; none if there is no leak."""
    same = [leak for leak in leaks if leak.likeness is not None]
    named = [leak for leak in leaks if leak.likeness is None]
    sentences = []
    if same:
        sentences.append(
            f"Leakage: {len(same)} held-out volume{'s show' if len(same) > 1 else ' shows'} "
            f"(nearly) the same scan, or person, as one to train on: {_pairs(same)}."
        )
    if named:
        sentences.append(
            f"Leakage: by their names, {_pairs(named)} seem to be scans of one person on both "
            "sides of the split; name the subjects in a split table."
        )
    return sentences


def _pairs(leaks: Sequence[Leak]) -> str:
    shown = [f"{leak.holdout} and {leak.training}" for leak in leaks[:_SHOWN]]
    return "; ".join(shown) + (f"; and {len(leaks) - _SHOWN} more" if len(leaks) > _SHOWN else "")


def _nearest(
    of: NDArray[np.float32], among: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return the nearest few pictures, and their correlations at the best shift by one cell."""
    best = np.full((len(of), len(among)), -1.0, np.float32)
    flat = _unit(among)
    for shift in product((-1, 0, 1), repeat=3):
        best = np.maximum(best, _unit(np.roll(of, shift, axis=(1, 2, 3))) @ flat.T)
    count = min(_CANDIDATES, len(among))
    nearest = np.argsort(-best, axis=1, kind="stable")[:, :count]
    return nearest, np.take_along_axis(best, nearest, axis=1)


def _unit(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    flat = pictures.reshape(len(pictures), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)


def _detail(volume: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a band-pass filtered volume, which shows arteries and edges."""
    return np.asarray(gaussian_filter(volume, 1.0) - gaussian_filter(volume, 6.0), np.float32)


def _likeness(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return the largest correlation over shifts of up to a quarter of each side."""
    one, other = one - one.mean(), other - other.mean()
    scale = float(np.linalg.norm(one) * np.linalg.norm(other))
    if scale == 0:
        return 0.0
    shape = one.shape
    product_ = irfftn(rfftn(one) * np.conj(rfftn(other)), s=shape)
    near = np.ix_(*[np.r_[0 : n // 4 + 1, n - n // 4 : n] for n in shape])
    return float(product_[near].max()) / scale
