"""How near generated volumes come to those of people that training never saw."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import functional

from cowgan.bank.bank import Bank
from cowgan.features.vessel_occupancy import vessel_maps
from cowgan.features.views import projection
from cowgan.training.bank_side import BankSide
from cowgan.training.metrics import SAMPLES

FEWEST = 20
"""Subjects that must be held out for a comparison to mean anything."""

NEIGHBOURS = 5
_EDGE = 64
_LEAST_SPREAD = 0.1
_TOGETHER = 16


class HeldOut:
    """A metric: kernel distance, recall and coverage against held-out subjects.

    Volumes are described by coarse vessel maps and axial MIPs. Each subject counts once. What
    as many volumes of the training side reach tells how good a generator can be.

    Parameters
    ----------
    held_out, trained_on : Tensor
        Volumes of different subjects, shape (N, 1, z, x, y) and (M, 1, z, x, y).
    """

    names: tuple[str, ...] = (
        "kernel_distance",
        "recall",
        "coverage",
        "kernel_distance_of_reals",
        "recall_of_reals",
        "coverage_of_reals",
    )

    def __init__(self, held_out: Tensor, trained_on: Tensor) -> None:
        rows = _describe(trained_on)
        spread = rows.std(0)
        self._mean, self._scale = rows.mean(0), spread + _LEAST_SPREAD * spread.mean()
        self._held_out = self._standardised(held_out)
        self._real = self._compare(self._standardised(trained_on[:SAMPLES]))

    @classmethod
    def of(cls, bank: Bank, shape: tuple[int, int, int]) -> "HeldOut | None":
        """Return the metric for volumes of a shape, or None if too few people are held out."""
        held_out, trained_on = (
            BankSide(bank, shape, _first_of_each(bank, indices))
            for indices in (bank.holdout, bank.training)
        )
        if min(len(held_out), len(trained_on)) < FEWEST:
            return None
        return cls(_read(held_out, SAMPLES), _read(trained_on, 4 * SAMPLES))

    def __call__(self, volumes: Tensor) -> dict[str, float]:
        """Compare generated volumes, and tell what real ones reach."""
        found = self._compare(self._standardised(volumes.cpu()))
        return dict(zip(self.names, (*found, *self._real), strict=True))

    def _standardised(self, volumes: Tensor) -> Tensor:
        return (_describe(volumes) - self._mean) / self._scale

    def _compare(self, rows: Tensor) -> tuple[float, float, float]:
        return (
            kernel_distance(self._held_out, rows),
            recall(self._held_out, rows),
            coverage(self._held_out, rows),
        )


def kernel_distance(real: Tensor, generated: Tensor) -> float:
    """Return the squared maximum mean discrepancy for a cubic kernel, without bias.

    Binkowski et al., "Demystifying MMD GANs", ICLR 2018.

    Parameters
    ----------
    real, generated : Tensor
        Features, shape (N, K) and (M, K).
    """
    within = sum(_mean_apart(_cubic(rows, rows)) for rows in (real, generated))
    return float(within - 2 * _cubic(real, generated).mean())


def recall(real: Tensor, generated: Tensor) -> float:
    """Return the share of real volumes among the neighbours of generated ones.

    Kynkaanniemi et al., "Improved precision and recall metric", NeurIPS 2019.
    """
    radii = _neighbour_distance(generated)
    return float((torch.cdist(real, generated) <= radii).any(1).float().mean())


def coverage(real: Tensor, generated: Tensor) -> float:
    """Return the share of real volumes with a generated one among their neighbours.

    Naeem et al., "Reliable fidelity and diversity metrics", ICML 2020.
    """
    radii = _neighbour_distance(real)[:, None]
    return float((torch.cdist(real, generated) <= radii).any(1).float().mean())


def _neighbour_distance(rows: Tensor) -> Tensor:
    """Return the distance of each row to its fifth neighbour, or to the last there is."""
    place = min(NEIGHBOURS, len(rows) - 1)
    return torch.cdist(rows, rows).sort(1).values[:, place]


def _cubic(one: Tensor, other: Tensor) -> Tensor:
    return (one @ other.T / one.shape[1] + 1) ** 3


def _mean_apart(kernel: Tensor) -> Tensor:
    """Return the mean of all entries but the diagonal's."""
    n = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))


def _describe(volumes: Tensor) -> Tensor:
    """Return vessel maps and axial MIPs as rows of float64."""
    pictures = projection(volumes, "axial")
    factor = max(1, pictures.shape[-1] // _EDGE)
    parts = (vessel_maps(volumes), functional.avg_pool2d(pictures, factor))
    return torch.cat([part.flatten(1) for part in parts], 1).double()


def _first_of_each(bank: Bank, indices: Iterable[int]) -> list[int]:
    first: dict[str, int] = {}
    for index in indices:
        first.setdefault(bank.cases[int(index)].subject, int(index))
    return list(first.values())


def _read(side: BankSide, most: int) -> Tensor:
    count = min(len(side), most)
    parts = [
        torch.from_numpy(side.read(list(range(i, min(i + _TOGETHER, count)))))
        for i in range(0, count, _TOGETHER)
    ]
    return torch.cat(parts)
