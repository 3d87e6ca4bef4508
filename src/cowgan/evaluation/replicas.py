"""Replicas: generated volumes that repeat a training volume.

Vessel masks are compared, so intensities do not matter: with their mirror images, moved by up
to 4 mm, whole and by halves, because a generator may repeat a part. The similarity of different
people, measured the same way, sets the threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfftn, next_fast_len, rfftn
from scipy.ndimage import gaussian_filter
from scipy.stats import mannwhitneyu

from cowgan.data.subjects import first_of_each
from cowgan.errors import CowganError
from cowgan.evaluation.similarity import (
    correlation_rows,
    nearest,
    nearest_of_other_subjects,
    with_mirror_images,
)
from cowgan.features.extractor import Recipe
from cowgan.features.store import extract_features
from cowgan.measure import find_vessels
from cowgan.progress import Progress, Silent, advance
from cowgan.text import dimensions
from cowgan.volume import Volume
from cowgan.volume.averaging import block_means
from cowgan.volume.volume_set import VolumeSet

FALSE_ALARMS = 0.01
"""Share of real volumes of other people that would be flagged."""

MOST_REFERENCES = 300
"""Training subjects that real likeness is measured on."""

_CELL = 2
_MOVED_MM = 4.0
_BLUR_MM = 2.5
_CANDIDATES = 8

Maps = NDArray[np.float32]
Part = tuple[slice, slice, slice]


@dataclass(frozen=True)
class VesselMaps:
    """Vessel masks of a set, averaged over cells of 2 x 2 x 2 voxels.

    Parameters
    ----------
    names, subjects : sequence of str
        Of each volume.
    maps : ndarray, shape (n, z, x, y)
        Share of each cell that is vessel.
    cell_mm : tuple of float
        Size of a cell along (z, x, y).
    """

    names: Sequence[str]
    subjects: Sequence[str]
    maps: Maps
    cell_mm: tuple[float, float, float]

    def __len__(self) -> int:
        return len(self.maps)


class VesselMasks:
    """An extractor: vessel masks, averaged over cells of 2 x 2 x 2 voxels.

    A row begins with the size of a voxel in mm.

    Parameters
    ----------
    shape : tuple of int
        Voxels along (z, x, y).
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.recipe = Recipe("Vessel masks", version=1, settings={"cell": _CELL, "shape": shape})
        self.cells = tuple(size // _CELL for size in shape)
        self.dimensions = len(shape) + prod(self.cells)

    def __call__(self, volume: Volume) -> NDArray[np.float32]:
        """Return one row.

        Raises
        ------
        CowganError
            No vessel is found.
        """
        mask = find_vessels(volume).mask
        if not mask.any():
            raise CowganError("No vessel was found.")
        means = block_means(mask.astype(np.float32), (_CELL,) * 3)
        return np.concatenate([volume.spacing_mm, means.ravel()])[None].astype(np.float32)


def vessel_maps_of(
    volumes: VolumeSet,
    cache: Path | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> VesselMaps:
    """Find the vessels of all volumes.

    Parameters
    ----------
    volumes : VolumeSet
        Of one shape and voxel size.
    cache, jobs, progress : optional
        See `cowgan.features.store.extract_features`.

    Raises
    ------
    CowganError
        A volume cannot be read or shows no vessel, or they differ in shape or voxel size.
    Cancelled
        The user cancelled.
    """
    masks = VesselMasks(volumes.volume(0).data.shape)
    rows = extract_features(volumes, masks, cache, jobs, progress).rows
    spacings_mm, maps = rows[:, :3], rows[:, 3:]
    odd = np.flatnonzero(~np.isclose(spacings_mm, spacings_mm[0], rtol=0.01).all(1))
    if odd.size:
        raise CowganError(
            f"The volume {volumes.names[odd[0]]} has another voxel size than {volumes.names[0]}; "
            "bring all volumes to one grid with cowgan preprocess."
        )
    z, x, y = (_CELL * spacings_mm[0]).tolist()
    shaped = maps.reshape(len(rows), *masks.cells)
    return VesselMaps(volumes.names, volumes.subjects, shaped, (z, x, y))


@dataclass(frozen=True)
class ProjectionMatch:
    """The training volume whose vessels look most alike in axial projection.

    Parameters
    ----------
    nearest : int
        Its place.
    mirrored : bool
        Whether its left and right are swapped.
    correlation : float
        Pearson correlation of both projections.
    p : float
        Share of different people that are at least as alike.
    """

    nearest: int
    mirrored: bool
    correlation: float
    p: float


@dataclass(frozen=True)
class Match:
    """A volume and the training volume that it is most alike.

    Parameters
    ----------
    index, nearest : int
        Places of both in their sets.
    mirrored : bool
        Whether left and right of the training volume are swapped.
    part : str
        Where they are alike: "whole", "left", "right", "front" or "back".
    dice : float
        Of the vessels in that part, after the best shift; 1 if they are the same.
    score : float
        By how many standard deviations this exceeds the likeness of different people.
    p : float
        Share of different people that are at least as alike.
    projection : ProjectionMatch
        A second opinion, by pictures that were not moved.
    """

    index: int
    nearest: int
    mirrored: bool
    part: str
    dice: float
    score: float
    p: float
    projection: ProjectionMatch


@dataclass(frozen=True)
class Replicas:
    """What a search found.

    Parameters
    ----------
    matches : tuple of Match
        One per generated volume, the most suspicious first.
    threshold : float
        Score from which on a match is flagged.
    false_alarms : float
        Share of real volumes of other people that reach the threshold.
    references : int
        Number of training volumes that the threshold rests on.
    """

    matches: tuple[Match, ...]
    threshold: float
    false_alarms: float
    references: int

    @cached_property
    def flagged(self) -> tuple[Match, ...]:
        """The matches that exceed the threshold."""
        return tuple(match for match in self.matches if match.score > self.threshold)


def find_replicas(
    generated: VesselMaps,
    training: VesselMaps,
    false_alarms: float = FALSE_ALARMS,
    progress: Progress | None = None,
) -> Replicas:
    """Look for training volumes that generated ones repeat.

    Parameters
    ----------
    generated, training : VesselMaps
        Of one grid.
    false_alarms : float
        Share of volumes of other people that may be flagged.
    progress : Progress, optional
        Reports each volume.

    Raises
    ------
    CowganError
        The grids differ, or training has too few subjects to tell what is suspicious.
    Cancelled
        The user cancelled.
    """
    progress = progress or Silent()
    if generated.maps.shape[1:] != training.maps.shape[1:] or not np.allclose(
        generated.cell_mm, training.cell_mm, rtol=0.01
    ):
        one, other = (dimensions(of.maps.shape[1:]) for of in (generated, training))
        raise CowganError(
            f"Generated and training volumes differ in shape or voxel size ({one} and {other} "
            "cells of 8 voxels); bring them to one grid with cowgan preprocess."
        )
    references = _references(training, false_alarms)
    search = _Search(training)
    total = len(references) + len(generated)
    real = []
    for done, index in enumerate(references):
        advance(progress, done, total, training.names[index])
        real.append(search.best(training.maps[index], training.subjects[index]))
    found = []
    for done, one in enumerate(generated.maps, len(references)):
        advance(progress, done, total, generated.names[done - len(references)])
        found.append(search.best(one, None))
    progress.report(total, total)
    projections = _nearest_projections(generated, training, references)
    return _judged(found, real, projections, false_alarms)


@dataclass(frozen=True)
class NearestAnatomy:
    """The training volume that one volume is most alike, and what that says.

    Parameters
    ----------
    index : int
        Place of the training volume.
    name : str
        Its name.
    mirrored : bool
        Whether its left and right are swapped.
    part : str
        Where they are alike: "whole", "left", "right", "front" or "back".
    dice : float
        Of the vessels in that part, after the best shift.
    p : float
        Share of different people that are at least as alike.
    false_alarms : float
        Share of volumes of other people that are flagged.
    flagged : bool
        Whether they are more alike than that.
    """

    index: int
    name: str
    mirrored: bool
    part: str
    dice: float
    p: float
    false_alarms: float
    flagged: bool


class AnatomySearch:
    """Looks for the training volume that a single volume repeats, as `find_replicas` does.

    Parameters
    ----------
    training : VesselMaps
        The training volumes.
    false_alarms : float
        Share of volumes of other people that may be flagged.
    progress : Progress, optional
        Reports each training subject whose likeness to the others is measured.

    Raises
    ------
    CowganError
        Training has too few subjects to tell what is suspicious.
    Cancelled
        The user cancelled.
    """

    def __init__(
        self,
        training: VesselMaps,
        false_alarms: float = FALSE_ALARMS,
        progress: Progress | None = None,
    ) -> None:
        progress = progress or Silent()
        self._training, self._false_alarms = training, false_alarms
        self._search = _Search(training)
        references = _references(training, false_alarms)
        real = []
        for done, index in enumerate(references):
            advance(progress, done, len(references), training.names[index])
            real.append(self._search.best(training.maps[index], training.subjects[index]))
        self._usual = _Usual.of(real)

    def nearest(self, volume: Volume) -> NearestAnatomy:
        """Return the training volume that a volume is most alike.

        Raises
        ------
        CowganError
            No vessel is found, or the volume is not on the grid of the training volumes.
        """
        shape = volume.data.shape
        masks = VesselMasks(shape)
        row = masks(volume)[0]
        cell_mm = _CELL * row[:3]
        if masks.cells != self._training.maps.shape[1:] or not np.allclose(
            cell_mm, self._training.cell_mm, rtol=0.01
        ):
            raise CowganError(
                "The training volumes are not on the grid of the model's volumes; bring them to "
                "it with cowgan preprocess."
            )
        best = self._search.best(row[3:].reshape(masks.cells), None)
        part, score, p = self._usual.judge(best)
        found = best[part]
        return NearestAnatomy(
            found.nearest,
            self._training.names[found.nearest],
            found.mirrored,
            part,
            found.dice,
            p,
            self._false_alarms,
            score > self._usual.threshold(self._false_alarms),
        )


def _references(training: VesselMaps, false_alarms: float) -> list[int]:
    """Return one volume of each subject that real likeness is measured on."""
    references = list(first_of_each(training.subjects)[:MOST_REFERENCES])
    fewest = int(np.ceil(1 / false_alarms - 1e-9))
    if len(references) < fewest:
        raise CowganError(
            f"A false alarm rate of {false_alarms:g} takes {fewest} training subjects, but there "
            f"are {len(references)}; allow a higher rate."
        )
    return references


def _nearest_projections(
    generated: VesselMaps, training: VesselMaps, references: Sequence[int]
) -> list[ProjectionMatch]:
    learned = correlation_rows(with_mirror_images(_projections(training)))
    values, places = nearest(correlation_rows(_projections(generated)), learned)
    usual = nearest_of_other_subjects(
        learned[references],
        [training.subjects[index] for index in references],
        learned,
        [*training.subjects, *training.subjects],
    )
    found = []
    for value, place in zip(values.tolist(), places.tolist(), strict=True):
        mirrored, index = divmod(place, len(training))
        p = float((1 + (usual >= value).sum()) / (1 + len(usual)))
        found.append(ProjectionMatch(index, bool(mirrored), value, p))
    return found


def _projections(of: VesselMaps) -> Maps:
    """Return axial projections, shape (n, y, x)."""
    return np.asarray(of.maps.max(1).swapaxes(1, 2))


@dataclass(frozen=True)
class Membership:
    """Whether generated volumes betray whom a model was trained on.

    Parameters
    ----------
    auc : float
        Share of pairs of a training and a held-out subject of which the training subject is
        more alike its nearest generated volume; 0.5 betrays nothing.
    p : float
        Two-sided, of the Mann-Whitney test.
    n_training, n_holdout : int
        Numbers of subjects.
    """

    auc: float
    p: float
    n_training: int
    n_holdout: int


def infer_membership(
    generated: VesselMaps,
    training: VesselMaps,
    holdout: VesselMaps,
    progress: Progress | None = None,
) -> Membership:
    """Tell training from held-out subjects by their nearest generated volumes.

    Raises
    ------
    Cancelled
        The user cancelled.
    """
    progress = progress or Silent()
    search = _Search(generated)
    sides = [first_of_each(of.subjects)[:MOST_REFERENCES] for of in (training, holdout)]
    total = sum(map(len, sides))
    alike: list[list[float]] = [[], []]
    for values, maps, indices in zip(alike, (training, holdout), sides, strict=True):
        for index in indices:
            advance(progress, len(alike[0]) + len(alike[1]), total, maps.names[index])
            values.append(search.best(maps.maps[index], None)["whole"].dice)
    test = mannwhitneyu(*alike)
    auc = float(test.statistic / (len(sides[0]) * len(sides[1])))
    return Membership(auc, float(test.pvalue), *map(len, sides))


@dataclass(frozen=True)
class _Best:
    """The most alike training volume in one part."""

    dice: float
    nearest: int
    mirrored: bool


class _Search:
    """Compares vessel maps with training volumes and their mirror images."""

    def __init__(self, training: VesselMaps) -> None:
        self._training = training
        self._subjects = np.array([*training.subjects, *training.subjects])
        self.parts = _parts(training.maps.shape[1:])
        self._reach = [int(np.ceil(_MOVED_MM / mm)) for mm in training.cell_mm]
        self._padded = [
            next_fast_len(n + reach, real=True)
            for n, reach in zip(training.maps.shape[1:], self._reach, strict=True)
        ]
        coarse = np.stack([self._coarse(one) for one in training.maps])
        both = np.concatenate([coarse, coarse[:, :, ::-1]])
        self._mean = both.mean(0)
        self._rows = {
            name: _unit_rows((both - self._mean)[(slice(None), *self._coarse_part(part))])
            for name, part in self.parts.items()
        }

    def best(self, one: Maps, subject: str | None) -> dict[str, _Best]:
        """Return the most alike volume of another subject in each part."""
        described = self._coarse(one) - self._mean
        found = {}
        for name, part in self.parts.items():
            row = _unit_rows(described[self._coarse_part(part)][None])[0]
            alike = self._rows[name] @ row
            if subject is not None:
                alike[self._subjects == subject] = -np.inf
            candidates = np.argsort(-alike)[:_CANDIDATES]
            spectrum = rfftn(one[part], self._padded)
            energy = float(np.square(one[part]).sum())
            dice = [self._dice(spectrum, energy, int(index), part) for index in candidates]
            place = int(np.argmax(dice))
            mirrored, nearest = divmod(int(candidates[place]), len(self._training))
            found[name] = _Best(dice[place], nearest, bool(mirrored))
        return found

    def _dice(self, spectrum: NDArray[Any], energy: float, index: int, part: Part) -> float:
        mirrored, nearest = divmod(index, len(self._training))
        other = self._training.maps[nearest]
        other = (other[:, ::-1] if mirrored else other)[part]
        shared = irfftn(spectrum * np.conj(rfftn(other, self._padded)), self._padded)
        near = np.ix_(*(np.arange(-reach, reach + 1) for reach in self._reach))
        total = energy + float(np.square(other).sum())
        return float(2 * shared[near].max() / total) if total > 0 else 0.0

    def _coarse(self, one: Maps) -> Maps:
        sigma = [_BLUR_MM / mm for mm in self._training.cell_mm]
        return np.asarray(gaussian_filter(one, sigma)[::2, ::2, ::2])

    def _coarse_part(self, part: Part) -> tuple[slice, ...]:
        shape = self._training.maps.shape[1:]
        bounds = (of.indices(n)[:2] for of, n in zip(part, shape, strict=True))
        return tuple(slice(start // 2, (stop + 1) // 2) for start, stop in bounds)


def _parts(shape: tuple[int, ...]) -> dict[str, Part]:
    """Return the parts that are compared; x runs from right to left, y from back to front."""
    _, nx, ny = shape
    everything = slice(None)
    return {
        "whole": (everything, everything, everything),
        "right": (everything, slice(0, nx // 2), everything),
        "left": (everything, slice(nx // 2, None), everything),
        "back": (everything, everything, slice(0, ny // 2)),
        "front": (everything, everything, slice(ny // 2, None)),
    }


def _unit_rows(maps: Maps) -> Maps:
    rows = maps.reshape(len(maps), -1)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def _judged(
    found: Sequence[dict[str, _Best]],
    real: Sequence[dict[str, _Best]],
    projections: Sequence[ProjectionMatch],
    false_alarms: float,
) -> Replicas:
    """Set the likeness of generated volumes against that of different people."""
    usual = _Usual.of(real)
    matches = []
    for index, (best, projection) in enumerate(zip(found, projections, strict=True)):
        part, score, p = usual.judge(best)
        alike = best[part]
        matches.append(
            Match(index, alike.nearest, alike.mirrored, part, alike.dice, score, p, projection)
        )
    threshold = usual.threshold(false_alarms)
    reached = float((usual.scores > threshold).mean())
    ordered = tuple(sorted(matches, key=lambda match: -match.score))
    return Replicas(ordered, threshold, reached, len(real))


@dataclass(frozen=True, eq=False)
class _Usual:
    """The likeness of different people in each part, and the most of it of each person."""

    parts: tuple[str, ...]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, real: Sequence[dict[str, _Best]]) -> "_Usual":
        parts = tuple(real[0])
        usual = np.array([[best[name].dice for name in parts] for best in real])
        mean, spread = usual.mean(0), np.maximum(usual.std(0, ddof=1), 1e-6)
        return cls(parts, mean, spread, ((usual - mean) / spread).max(1))

    def judge(self, best: dict[str, _Best]) -> tuple[str, float, float]:
        """Return the most suspicious part, its score, and the share of people at least as alike."""
        dice = np.array([best[name].dice for name in self.parts])
        scores = (dice - self.mean) / self.spread
        most = int(scores.argmax())
        p = float((1 + (self.scores >= scores[most]).sum()) / (1 + len(self.scores)))
        return self.parts[most], float(scores[most]), p

    def threshold(self, false_alarms: float) -> float:
        """Return the score that such a share of people exceeds."""
        return float(np.quantile(self.scores, 1 - false_alarms, method="higher"))
