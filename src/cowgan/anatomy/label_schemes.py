"""Label schemes of artery maps: the meaning of each value, merging, and mirroring."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cowgan.anatomy.arteries import LABEL_SCHEME, Artery
from cowgan.errors import CowganError, require_choice


@dataclass(frozen=True, eq=False)
class LabelScheme:
    """The meaning of the values of a label map; 0 is background.

    Parameters
    ----------
    name : str
        As in the provenance of label maps.
    labels : mapping of int to str
        Name of each value, ascending. Names of the two of a pair begin with ``"R-"`` and ``"L-"``,
        or with ``"right"`` and ``"left"``.
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
            meant = self._numbered_otherwise(unknown[0])
            raise CowganError(
                f"The label {unknown[0]} is not one of {self.name}, whose labels are 0 "
                f"(background), {_listed(list(self.labels))}{meant}.",
                f"unknown labels {unknown}",
            )

    def _numbered_otherwise(self, value: float) -> str:
        """Return words on what a value means in a scheme of the same names, if there is one."""
        for other in LABEL_SCHEMES.values():
            if value in other.labels and set(other.labels.values()) == set(self.labels.values()):
                return f"; in {other.name} it is {other.labels[int(value)]}"
        return ""

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

TOPCOW_2023 = LabelScheme(
    "TopCoW 2023",
    {13 if a is Artery.THIRD_A2 else int(a): a.abbreviation for a in Artery},
)
"""The same classes as numbered in the challenge of 2023, whose third A2 is 13 rather than 15."""

SEVEN_ARTERIES = LabelScheme(
    "seven arteries", dict(enumerate(("BA", "PCA", "ICA", "MCA", "ACA", "PCom", "ACom"), 1))
)
"""The classes of Aydin et al. 2024: sides are merged, and the third A2 counts as ACA."""

TERRITORIES = LabelScheme(
    "territories", dict(enumerate(("other vessel", "posterior", "anterior", "left", "right"), 1))
)
"""The classes of anatomies from IXI: territories at the back and the front and on either side."""

LABEL_SCHEMES = {
    "topcow2024": TOPCOW_2024,
    "topcow2023": TOPCOW_2023,
    "seven-arteries": SEVEN_ARTERIES,
    "territories": TERRITORIES,
}
"""The schemes by the names that commands and scripts use."""

TOPCOW_2023_TO_2024 = LabelMapping(
    TOPCOW_2023, TOPCOW_2024, {**{value: value for value in range(1, 13)}, 13: 15}
)
"""From the numbers of TopCoW 2023 to those of 2024."""

MERGED_SIDES = LabelMapping(
    TOPCOW_2024,
    SEVEN_ARTERIES,
    {1: 1, 2: 2, 3: 2, 4: 3, 6: 3, 5: 4, 7: 4, 11: 5, 12: 5, 15: 5, 8: 6, 9: 6, 10: 7},
)
"""From the classes of TopCoW to those of Aydin et al. 2024."""

MAIN_TERRITORIES = LabelMapping(TERRITORIES, TERRITORIES, {1: 0, 2: 2, 3: 3, 4: 4, 5: 5})
"""Makes other vessels background: a few voxels in two thirds of the anatomies, and none in the
rest, are too little to learn or to score."""

_OTHER_SIDES = {"R-": "L-", "L-": "R-", "right": "left", "left": "right"}


def label_scheme(name: str) -> LabelScheme:
    """Return the scheme of a name in `LABEL_SCHEMES`.

    Raises
    ------
    CowganError
        There is no scheme of the name.
    """
    require_choice("label scheme", name, LABEL_SCHEMES)
    return LABEL_SCHEMES[name]


def scheme_named(name: object) -> LabelScheme | None:
    """Return the scheme that the provenance of a label map names; None if it is none of them."""
    return next((scheme for scheme in LABEL_SCHEMES.values() if scheme.name == name), None)


def label_name(scheme: LabelScheme, value: int) -> str:
    """Return what a label means, as in ``"R-ICA, right internal carotid artery"``."""
    name = scheme.labels[value]
    full = next((artery.full_name for artery in Artery if artery.abbreviation == name), None)
    return f"{name}, {full}" if full else name


def _other_side(name: str) -> str:
    for side, other in _OTHER_SIDES.items():
        if name.startswith(side):
            return other + name.removeprefix(side)
    return name


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
