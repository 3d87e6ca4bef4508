"""How measurements are distributed over real anatomies."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from cowgan.checkpoint import BUNDLED
from cowgan.documents import read_json
from cowgan.files import write_json

REFERENCE = BUNDLED.with_name("anatomies.json")
"""The bundled distribution."""

_STEP = 5
"""Percentiles between two stored quantiles."""


@dataclass(frozen=True)
class ReferenceAnatomies:
    """Quantiles of measurements over many anatomies; nothing of single ones.

    Attributes
    ----------
    source : str
        What was measured, in words.
    anatomies : int
        Number of anatomies, one volume each.
    quantiles : dict of str to tuple of float
        By key of the attribute, its percentiles 0, 5, ... 100 where it can be measured.
    means : dict of str to float
        By key of the attribute; for a presence, the share of anatomies with it.
    """

    source: str
    anatomies: int
    quantiles: Mapping[str, tuple[float, ...]]
    means: Mapping[str, float]

    @classmethod
    def of(cls, source: str, measured: Sequence[Mapping[str, float]]) -> "ReferenceAnatomies":
        """Summarise the measured values of anatomies."""
        columns = {key: np.array([one[key] for one in measured]) for key in measured[0]}
        known = {key: column[np.isfinite(column)] for key, column in columns.items()}
        percentiles = np.arange(0, 101, _STEP)
        return cls(
            source,
            len(measured),
            {
                key: tuple(float(f"{q:.4g}") for q in np.percentile(values, percentiles))
                for key, values in known.items()
                if len(values)
            },
            {key: float(values.mean()) for key, values in known.items() if len(values)},
        )

    def percentile(self, key: str, value: float) -> float | None:
        """Return the share of anatomies below a value, in percent; None if it is not known.

        Half of those with the same value count as below.
        """
        quantiles = self.quantiles.get(key)
        if quantiles is None or not np.isfinite(value):
            return None
        at = np.arange(0, 101, _STEP)
        if value < quantiles[0] or value > quantiles[-1]:
            return 0.0 if value < quantiles[0] else 100.0
        equal = at[np.array(quantiles) == value]
        if len(equal):
            return float(equal.mean())
        return float(np.interp(value, quantiles, at))

    def write(self, path: Path) -> None:
        """Write it to a JSON file, atomically."""
        write_json(path, asdict(self))


@cache
def reference_anatomies() -> ReferenceAnatomies:
    """Return the bundled distribution.

    Raises
    ------
    CowganError
        Its file is missing or damaged.
    """
    return read_json(REFERENCE, ReferenceAnatomies)
