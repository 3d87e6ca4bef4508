"""Label schemes of artery maps: the meaning of each value, merging, and mirroring."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cowgan.anatomy.arteries import LABEL_SCHEME, Artery
from cowgan.errors import CowganError


@dataclass(frozen=True, eq=False)
class LabelScheme:
    """The meaning of the values of a label map; 0 is background.

    Parameters
    ----------
    name : str
        As in the provenance of label maps.
    labels : mapping of int to str
        Name of each value, ascending. Names of paired arteries begin with ``"R-"`` or ``"L-"``.
    """

    name: str
    labels: Mapping[int, str]

    def __contains__(self, value: object) -> bool:
        return value == 0 or value in self.labels

    def unknown_in(self, labels: ArrayLike) -> list[float]:
        """Return the values of a label map that are not in the scheme, ascending."""
        return [value for value in np.unique(labels).tolist() if value not in self]

    def require(self, labels: ArrayLike) -> None:
        """Raise `CowganError` unless every value of a label map is in the scheme."""
        unknown = self.unknown_in(labels)
        if unknown:
            raise CowganError(
                f"The label {unknown[0]} is not one of {self.name}, whose labels are 0 "
                f"(background), {_listed(list(self.labels))}.",
                f"unknown labels {unknown}",
            )

    def mirrored(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return a label map reflected at the sagittal plane, with left and right swapped.

        Parameters
        ----------
        labels : ndarray of int, shape (z, x, y)
            Values of this scheme.

        Raises
        ------
        CowganError
            A value is not in the scheme.
        """
        values = {name: value for value, name in self.labels.items()}
        swapped = {
            value: values.get(_other_side(name), value) for value, name in self.labels.items()
        }
        return LabelMapping(self, self, swapped).apply(labels)[:, ::-1]


@dataclass(frozen=True, eq=False)
class LabelMapping:
    """A map from the values of one scheme to those of another, of which several may merge.

    Parameters
    ----------
    source, target : LabelScheme
        The two schemes.
    values : mapping of int to int
        The target value of each source value; 0 stays 0.
    """

    source: LabelScheme
    target: LabelScheme
    values: Mapping[int, int]

    def apply(self, labels: NDArray[Any]) -> NDArray[Any]:
        """Return a label map in the target scheme, of the same type.

        Raises
        ------
        CowganError
            A value is not in the source scheme.
        """
        self.source.require(labels)
        table = np.zeros(max(self.values) + 1, labels.dtype)
        table[list(self.values)] = list(self.values.values())
        return table[labels]


TOPCOW_2024 = LabelScheme(LABEL_SCHEME, {int(a): a.abbreviation for a in Artery})
"""The 13 classes of the TopCoW challenge of 2024."""

SEVEN_ARTERIES = LabelScheme(
    "seven arteries", dict(enumerate(("BA", "PCA", "ICA", "MCA", "ACA", "PCom", "ACom"), 1))
)
"""The classes of Aydin et al. 2024: sides are merged, and the third A2 counts as ACA."""


MERGED_SIDES = LabelMapping(
    TOPCOW_2024,
    SEVEN_ARTERIES,
    {1: 1, 2: 2, 3: 2, 4: 3, 6: 3, 5: 4, 7: 4, 11: 5, 12: 5, 15: 5, 8: 6, 9: 6, 10: 7},
)
"""From the classes of TopCoW to those of Aydin et al. 2024."""


def _other_side(name: str) -> str:
    other = {"R-": "L-", "L-": "R-"}.get(name[:2])
    return name if other is None else other + name[2:]


def _listed(values: list[int]) -> str:
    """Return values as text, runs abbreviated, such as ``"1 to 12 and 15"``."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    texts = [f"{run[0]} to {run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))
