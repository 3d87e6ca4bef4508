"""Anatomical variants of the circle and their frequencies."""

from collections.abc import Iterable, Mapping

import numpy as np

from cowgan.errors import CowganError

COMPLETE = "complete"
"""Name of the circle without variants."""

FREQUENCIES: Mapping[str, float] = {
    "absent R-PCom": 0.14,
    "absent L-PCom": 0.14,
    "hypoplastic R-PCom": 0.20,
    "hypoplastic L-PCom": 0.20,
    "fetal R-PCA": 0.11,
    "fetal L-PCA": 0.11,
    "absent R-A1": 0.02,
    "absent L-A1": 0.02,
    "absent ACom": 0.07,
    "double ACom": 0.08,
    "third A2": 0.05,
}
"""Probability of each variant in `draw_variants`.

Within the range of TOF and anatomical series, which vary with the method and the definition of
hypoplasia: Krabbe-Hartkamp et al., Radiology 1998;207:103-111 (TOF, 150
adults); van Raamt et al., Cerebrovasc Dis 2006;22:217-224 (fetal variants). Mutually
exclusive variants are drawn together, so that each keeps its probability; "absent ACom" is dropped
if an absent A1 or a third A2 is drawn, which need that artery.
"""

_EXCLUSIVE = (
    ("absent R-PCom", "hypoplastic R-PCom", "fetal R-PCA"),
    ("absent L-PCom", "hypoplastic L-PCom", "fetal L-PCA"),
    ("absent R-A1", "absent L-A1"),
    ("absent ACom", "double ACom"),
    ("third A2",),
)
_NEED_ACOM = ("absent R-A1", "absent L-A1", "third A2")


def draw_variants(random: np.random.RandomState) -> tuple[str, ...]:
    """Return the variants of one circle, drawn with `FREQUENCIES`."""
    drawn = []
    for group in _EXCLUSIVE:
        edges = np.cumsum([FREQUENCIES[name] for name in group])
        at = int(np.searchsorted(edges, random.uniform(), side="right"))
        if at < len(group):
            drawn.append(group[at])
    if "absent ACom" in drawn and any(name in drawn for name in _NEED_ACOM):
        drawn.remove("absent ACom")
    return tuple(drawn)


def check_variants(wanted: str | Iterable[str]) -> tuple[str, ...]:
    """Return the requested variants.

    Parameters
    ----------
    wanted : str or iterable of str
        Names from `FREQUENCIES`; a text may list several, separated by commas. "complete"
        or an empty text means none.

    Raises
    ------
    CowganError
        A name is unknown, or two of them exclude each other.
    """
    names = wanted.split(",") if isinstance(wanted, str) else list(wanted)
    chosen = [name.strip() for name in names if name.strip() not in ("", COMPLETE)]
    for name in chosen:
        if name not in FREQUENCIES:
            known = ", ".join([COMPLETE, *FREQUENCIES])
            raise CowganError(f"There is no variant {name!r}; choose among {known}.")
    groups = [*_EXCLUSIVE, *(("absent ACom", name) for name in _NEED_ACOM)]
    for group in groups:
        both = [name for name in group if name in chosen]
        if len(both) > 1:
            raise CowganError(f"The variants {both[0]!r} and {both[1]!r} exclude each other.")
    return tuple(name for name in FREQUENCIES if name in chosen)
