"""Segmentation of the arteries in a volume, by one network or an ensemble."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.errors import CowganError
from cowgan.measure.overlap import dice
from cowgan.progress import Progress, Silent, advance
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.label_cleaning import drop_small_pieces
from cowgan.segmentation.labelled_cases import at_spacing
from cowgan.segmentation.segmenter_files import SegmenterModel
from cowgan.synthesis.precision import Precision, choose_device, choose_dtype
from cowgan.volume import Volume
from cowgan.volume.intensity import rescale
from cowgan.volume.resampling import Grid, resample

_WINDOW = (32, 128, 128)
_OVERLAP = 0.25
_VARIANTS = ((1.0, 0), (0.8, 0), (1.25, 0), (1.0, 1))
"""Exponents of intensities, and voxels of shift along x and y, of test-time augmentation."""
_FOREIGN_EXTENT = 1.5


@dataclass(frozen=True, eq=False)
class Segmentation:
    """The arteries found in a volume, on its grid.

    Parameters
    ----------
    labels : ndarray, shape (z, x, y), uint8
        Label map.
    scheme : LabelScheme
        Meaning of the labels.
    probabilities : ndarray, shape (classes, z, x, y), float16, or None
        Of background and of the labels in the order of the network's classes, if asked for.
    uncertainty : ndarray, shape (z, x, y), float32
        Entropy of the probabilities, as a fraction of the largest possible: from 0 to 1.
    agreement : float or None
        Mean Dice of the members of an ensemble with its result, over the arteries in it; None for
        a single network.
    remarks : tuple of str
        Sentences on what makes the result doubtful.
    """

    labels: NDArray[np.uint8]
    scheme: LabelScheme
    probabilities: NDArray[np.float16] | None
    uncertainty: NDArray[np.float32]
    agreement: float | None
    remarks: tuple[str, ...] = ()


class ArterySegmenter(Protocol):
    """Finds arteries, as `Segmenter` does."""

    @property
    def scheme(self) -> LabelScheme:
        """Meaning of the labels."""

    @property
    def classes(self) -> Classes:
        """The labels that are told apart."""

    @property
    def records(self) -> list[dict[str, str]]:
        """Name and hash of each network."""

    @property
    def extent_mm(self) -> Sequence[float]:
        """Size along (z, x, y) of the images that the networks learned from."""

    def __call__(self, volume: Volume, *, keep_probabilities: bool = False) -> Segmentation:
        """Segment a volume; raises `CowganError` if it cannot be segmented."""


class Segmenter:
    """Segments volumes with one network, or with the mean of several.

    Parameters
    ----------
    models : sequence of SegmenterModel
        At least one; all of one label scheme and voxel size.
    device : str
        "auto", "cpu", "cuda", "cuda:1", "mps".
    precision : {"fast", "exact"}
        Number format.
    augmented : bool
        Average over other contrasts and a shift as well, which takes four times as long. There are
        no flips, which would confuse left and right.

    Raises
    ------
    CowganError
        There is no model, the models differ in labels or voxel size, or the device does not exist.
    """

    def __init__(
        self,
        models: Sequence[SegmenterModel],
        device: str = "auto",
        precision: Precision = "fast",
        augmented: bool = False,
    ) -> None:
        if not models:
            raise CowganError("At least one segmentation network is needed.")
        first = models[0]
        if any(
            one.scheme is not first.scheme or one.spacing_mm != first.spacing_mm for one in models
        ):
            raise CowganError("The networks of an ensemble must agree in labels and voxel size.")
        self.models = models
        self.scheme, self.classes = first.scheme, first.classes
        self.spacing_mm = first.spacing_mm
        self._device = choose_device(device)
        self._dtype = choose_dtype(self._device, precision)
        self._networks = [one.network.to(self._device).eval() for one in models]
        self._variants = _VARIANTS if augmented else _VARIANTS[:1]

    @property
    def records(self) -> list[dict[str, str]]:
        """Name and hash of each network, for the provenance of label maps."""
        return [{"name": model.card.name, "sha256": model.sha256} for model in self.models]

    @property
    def extent_mm(self) -> Sequence[float]:
        """Size along (z, x, y) of the images that the networks learned from."""
        usual = extent_of(_WINDOW, self.spacing_mm)
        known = [model.card.provenance.get("extent_mm", usual) for model in self.models]
        return [max(sizes) for sizes in zip(*known, strict=True)]

    def __call__(
        self,
        volume: Volume,
        progress: Progress | None = None,
        keep_probabilities: bool = False,
    ) -> Segmentation:
        """Segment a volume of any voxel size.

        Parameters
        ----------
        volume : Volume
            TOF MRA in any unit.
        progress : Progress, optional
            Updated after every window of the volume.
        keep_probabilities : bool
            Whether the result holds probabilities.

        Raises
        ------
        CowganError
            Nearly all voxels have the same intensity.
        Cancelled
            The user cancelled.
        """
        at_network = at_spacing(volume, self.spacing_mm)
        image = rescale(at_network.data)
        windows = list(_windows(image.shape, self._window(image.shape)))
        total = len(self._networks) * len(self._variants) * len(windows)
        progress, done = progress or Silent(), 0
        advance(progress, done, total)
        members = []
        for network in self._networks:
            probabilities = torch.zeros((self.classes.count, *image.shape))
            for exponent, shift in self._variants:
                moved = _shifted(torch.from_numpy(image) ** exponent, shift)
                found, weight = torch.zeros_like(probabilities), torch.zeros(image.shape)
                for window in windows:
                    part = self._in_window(network, moved[window])
                    own = _taper(part.shape[1:])
                    found[(slice(None), *window)] += own * part
                    weight[window] += own
                    done += 1
                    advance(progress, done, total)
                probabilities += _shifted(found / weight, -shift) / len(self._variants)
            members.append(probabilities)
        mean = torch.stack(members).mean(0) if members[1:] else members[0]
        return self._result(volume, at_network, mean, members, keep_probabilities)

    def _in_window(self, network: torch.nn.Module, image: Tensor) -> Tensor:
        """Return probabilities, shape (classes, z, x, y), of an image of at most a window."""
        # At least two columns remain at the coarsest level, or there is nothing to normalise.
        padding = [
            n
            for size, m in zip(image.shape[::-1], self._multiple[::-1], strict=True)
            for n in (0, max(2 * m, -(-size // m) * m) - size)
        ]
        padded = functional.pad(image, padding)[None, None].to(self._device)
        low = self._dtype != torch.float32
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, self._dtype if low else None, enabled=low),
        ):
            (logits,) = network(padded)
        z, x, y = image.shape
        return torch.softmax(logits[0, :, :z, :x, :y].float(), 0).cpu()

    @property
    def _multiple(self) -> tuple[int, int, int]:
        z, x, y = (
            math.lcm(*sizes)
            for sizes in zip(*(one.network.config.multiple for one in self.models), strict=True)
        )
        return z, x, y

    def _window(self, shape: Sequence[int]) -> tuple[int, int, int]:
        z, x, y = (
            min(size, -(-window // multiple) * multiple)
            for size, window, multiple in zip(shape, _WINDOW, self._multiple, strict=True)
        )
        return z, x, y

    def _result(
        self,
        volume: Volume,
        at_network: Volume,
        mean: Tensor,
        members: Sequence[Tensor],
        keep_probabilities: bool,
    ) -> Segmentation:
        probabilities = mean.numpy()
        agreement = _agreement(mean, members) if members[1:] else None
        if at_network is not volume:
            grid = Grid(volume.shape, volume.affine)
            probabilities = np.stack(
                [resample(Volume(p, at_network.affine), grid, order=1).data for p in probabilities]
            )
        labels = self.classes.labels(probabilities.argmax(0).astype(np.uint8))
        return Segmentation(
            drop_small_pieces(labels, volume.spacing_mm),
            self.scheme,
            probabilities.astype(np.float16) if keep_probabilities else None,
            entropy(probabilities),
            agreement,
            tuple(doubts(volume, self.extent_mm)),
        )


def _windows(
    shape: Sequence[int], window: tuple[int, int, int]
) -> Iterator[tuple[slice, slice, slice]]:
    """Yield windows that cover a shape and overlap by at least a quarter."""
    starts = []
    for total, size in zip(shape, window, strict=True):
        count = 1 + math.ceil((total - size) / max(1, size * (1 - _OVERLAP)))
        starts.append(np.linspace(0, total - size, count).round().astype(int).tolist())
    for corner in product(*starts):
        z, x, y = (slice(a, a + size) for a, size in zip(corner, window, strict=True))
        yield z, x, y


def _taper(shape: Sequence[int]) -> Tensor:
    """Return weights that fall towards the border of a window, where less context is seen."""
    weights = torch.ones(())
    for size in shape:
        edge = torch.minimum(torch.arange(size), torch.arange(size).flip(0)) + 1.0
        weights = weights[..., None] * (edge / edge.max()).clamp(max=1.0)
    return weights


def _shifted(image: Tensor, voxels: int) -> Tensor:
    return torch.roll(image, (voxels, voxels), (-2, -1)) if voxels else image


def entropy(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the entropy of probabilities as a fraction of the largest possible.

    Parameters
    ----------
    probabilities : ndarray, shape (classes, z, x, y)
        Of each class.

    Returns
    -------
    ndarray, shape (z, x, y)
        From 0 to 1.
    """
    found = np.zeros(probabilities.shape[1:], np.float32)
    for one in probabilities:
        found -= one * np.log(np.maximum(one, 1e-12), dtype=np.float32)
    return np.clip(found / np.float32(math.log(len(probabilities))), 0, 1)


def _agreement(mean: Tensor, members: Sequence[Tensor]) -> float:
    result = mean.argmax(0).numpy()
    votes = [member.argmax(0).numpy() for member in members]
    found = [value for value in np.unique(result) if value]
    return float(
        np.mean([dice(vote == value, result == value) for vote in votes for value in found])
        if found
        else np.mean([not vote.any() for vote in votes])
    )


def is_foreign(volume: Volume, known_mm: Sequence[float]) -> bool:
    """Return whether a scan is much larger than the images that a network learned from.

    Parameters
    ----------
    volume : Volume
        The scan.
    known_mm : sequence of float
        Size along (z, x, y) of these images.
    """
    extent_mm = extent_of(volume.shape, volume.spacing_mm)
    return any(
        own > _FOREIGN_EXTENT * known for own, known in zip(extent_mm, known_mm, strict=True)
    )


def extent_of(shape: Sequence[int], spacing_mm: Sequence[float]) -> list[float]:
    """Return the size in mm of a grid along (z, x, y)."""
    return [n * size for n, size in zip(shape, spacing_mm, strict=True)]


def doubts(volume: Volume, known_mm: Sequence[float]) -> Iterator[str]:
    """Yield what is doubtful about the segmentation of a scan; see `is_foreign`."""
    if is_foreign(volume, known_mm):
        yield (
            "The field of view is much larger than the surroundings of the Circle of Willis; "
            "labels far from it mean nothing."
        )
