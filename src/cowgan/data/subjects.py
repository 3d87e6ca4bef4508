"""Subjects and visits derived from case names."""

import re
from collections.abc import Sequence

_BIDS = re.compile(r"(?:^|[/_])(sub-[0-9A-Za-z]+)")
_IXI = re.compile(r"(?:^|[/_])(IXI\d+)(?=[^/]*$)")

_VISIT = re.compile(
    r"(?:^|[ ._-]+)(?:"
    r"(?P<word>baseline|bl|follow[ ._-]?up|fup?|pre|post|preop|postop|retest)[ ._-]?\d{0,2}"
    r"|(?:ses|session|visit|time[ ._-]?point|tp|exam|scan|run|acq|month|week|day|year)[ ._-]?\d+"
    r"|[vt]\d"
    r"|(?:19|20)\d{2}[._-]?\d{2}[._-]?\d{2}"
    r")(?=$|[ ._-])",
    re.IGNORECASE,
)
"""Words that denote one of several scans of a subject."""


def subject_of(case: str) -> str:
    """Return the subject of a case, by its name.

    Parameters
    ----------
    case : str
        Case name, or path of the file without suffix: ``"sub-012/anat/sub-012_angio"``.

    Returns
    -------
    str
        ``"sub-012"`` where a BIDS entity is found, ``"IXI002"`` for an IXI file name
        (``"IXI002-Guys-0828-MRA"``), otherwise the whole case name.
    """
    if found := _BIDS.search(case):
        return found[1]
    # The last one, since a folder may bear the name of the data set.
    return ixi[-1] if (ixi := _IXI.findall(case)) else case


def without_visit(case: str) -> str | None:
    """Return a case name without the words that denote a visit.

    Returns
    -------
    str or None
        In lower case: ``"p01"`` for ``"P01_baseline"``, ``"P01-FU2"`` and
        ``"P01_20240131"``. None if the name has no such word, or only such words.
    """
    found = list(_VISIT.finditer(case))
    left = _VISIT.sub("", case).strip(" ._-").casefold()
    # Without a digit, the rest of "patient_scan2" identifies no patient.
    identifies = any(one["word"] for one in found) or any(map(str.isdigit, left))
    return left if found and left and identifies else None


def first_of_each(subjects: Sequence[str]) -> list[int]:
    """Return the place of the first case of each subject, in order."""
    first: dict[str, int] = {}
    for place, subject in enumerate(subjects):
        first.setdefault(subject, place)
    return list(first.values())
