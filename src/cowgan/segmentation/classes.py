"""The classes of a segmentation network: consecutive numbers for the labels of a scheme."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import MAIN_TERRITORIES, TERRITORIES, LabelScheme

_NOT_LEARNED = {
    TERRITORIES.name: frozenset(
        value for value, target in MAIN_TERRITORIES.values.items() if target == 0
    )
}
"""Labels that are too rare to learn, by scheme; for a network they are background."""


@dataclass(frozen=True)
class Classes:
    """The labels that a network tells apart; class 0 is background.

    Parameters
    ----------
    values : tuple of int
        Labels of classes 1, 2, ...
    """

    values: tuple[int, ...]

    @classmethod
    def of(cls, scheme: LabelScheme) -> "Classes":
        """Return the classes of a scheme, without labels that are too rare to learn."""
        rare = _NOT_LEARNED.get(scheme.name, frozenset())
        return cls(tuple(value for value in scheme.labels if value not in rare))

    @property
    def count(self) -> int:
        """Number of classes, background included."""
        return len(self.values) + 1

    def of_labels(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the classes of labels; labels without a class are background."""
        table = np.zeros(256, np.uint8)
        table[list(self.values)] = range(1, self.count)
        return table[labels]

    def learned(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return labels without those that have no class."""
        return self.labels(self.of_labels(labels))

    def labels(self, classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the labels of classes."""
        return np.array([0, *self.values], np.uint8)[classes]
