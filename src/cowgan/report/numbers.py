"""Numbers and names as the report prints them."""

from dataclasses import replace
from math import isclose, log10

from cowgan.estimates import Interval, PValue

NOT_DEFINED = "n/a"
MINUS = "−"
_LARGE = 1000


def decimal(value: float, digits: int = 2) -> str:
    """Return a number with a true minus sign, and none before zero."""
    printed = f"{value:.{digits}f}"
    return printed.lstrip("-") if not float(printed) else printed.replace("-", MINUS)


def decimals_of(value: float, digits: int) -> int:
    """Return how many decimals to print: `digits`, less one for each figure above the first."""
    return max(0, digits - int(log10(max(abs(value), 1.0))))


def number(value: float, digits: int = 2) -> str:
    """Return a number as `decimal` does, but beyond a thousand only that it is.

    As odds over a handful of answers may be, it means no more.
    """
    if abs(value) > _LARGE:
        return f"> {_LARGE}" if value > 0 else f"< {MINUS}{_LARGE}"
    return decimal(value, digits)


def interval(found: Interval | None, digits: int = 2) -> str:
    """Return an estimate with its limits, or alone where the answers leave it no width."""
    if found is None:
        return NOT_DEFINED
    if isclose(found.low, found.high, abs_tol=1e-9):
        return number(found.estimate, digits)
    return f"{number(found.estimate, digits)} ({limits(found, digits)})"


def stacked(found: Interval | None, digits: int = 2) -> str:
    """Return an estimate with its limits below it, for a narrow column."""
    return interval(found, digits).replace(" (", "\n(", 1)


def coefficient(found: Interval | None) -> str:
    """Return a coefficient of agreement, whose limits end where it does, at -1."""
    return interval(None if found is None else replace(found, low=max(found.low, -1.0)))


def limits(found: Interval, digits: int = 2) -> str:
    """Return the limits of an interval."""
    return f"{number(found.low, digits)} to {number(found.high, digits)}"


def p_value(found: PValue | float | None) -> str:
    """Return a p value as journals print it."""
    if found is None:
        return NOT_DEFINED
    p = found if isinstance(found, float) else found.p
    if p < 0.001:
        return "< 0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def p_equation(found: PValue | float | None) -> str:
    """Return a p value for running text."""
    printed = p_value(found)
    return f"p {printed}" if printed.startswith("<") else f"p = {printed}"


def percent(share: float) -> str:
    """Return a share in per cent."""
    return f"{100 * share:.0f} %"


def bayes_factor(value: float) -> str:
    """Return a Bayes factor, whose size may be anything."""
    if value < 0.01:
        return "< 0.01"
    return f"{value:.2f}" if value < 100 else "> 100"


def count(n: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{n} {singular if n == 1 else plural or singular + 's'}"


def listed(names: list[str]) -> str:
    """Return names joined as in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
