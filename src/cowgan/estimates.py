"""Estimates with intervals and p values, the results of every statistic."""

from dataclasses import dataclass

from cowgan.errors import CowganError


class Undefined(CowganError):
    """The answers do not determine the quantity; the sentence says why."""


@dataclass(frozen=True)
class Interval:
    """An estimate and its confidence interval.

    Parameters
    ----------
    estimate, low, high : float
        The value and its limits.
    level : float
        Confidence, such as 0.95.
    n : int
        Number of trials or cases that went in.
    method : str
        How the limits were found.
    """

    estimate: float
    low: float
    high: float
    level: float
    n: int
    method: str


@dataclass(frozen=True)
class PValue:
    """The outcome of a test.

    Parameters
    ----------
    p : float
        From 0 to 1.
    n : int
        Number of trials or cases that went in.
    method : str
        Test and null hypothesis.
    """

    p: float
    n: int
    method: str


def check_level(level: float) -> None:
    """Raise `CowganError` unless `level` can be the confidence of an interval."""
    if not 0 < level < 1:
        raise CowganError(f"The confidence level must lie between 0 and 1, not at {level}.")


def check_margin(margin: float) -> None:
    """Raise `CowganError` unless `margin` can be one around 0.5."""
    if not 0 < margin < 0.5:
        raise CowganError(f"The margin of equivalence must lie between 0 and 0.5, not at {margin}.")
