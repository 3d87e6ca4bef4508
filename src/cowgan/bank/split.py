"""The split of a bank into training and held-out subjects."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from cowgan.data.case_names import case_name
from cowgan.data.subjects import subject_of
from cowgan.errors import CowganError
from cowgan.files import sha256_of
from cowgan.tables import read_table

Side = Literal["training", "holdout"]


@dataclass(frozen=True)
class Assignment:
    """The subject and side of a case."""

    subject: str
    split: Side


@dataclass(frozen=True)
class SplitRule:
    """The rule by which subjects are split.

    Parameters
    ----------
    holdout : float
        Share of held-out subjects, from 0 to below 1. At least one subject is held out if
        there are two and the share is not 0.
    seed : int
        Seed of the choice.
    table : Path, optional
        A CSV file with the columns ``case``, ``subject`` and, if wanted, ``split``
        (``training`` or ``holdout``); see `read_split_table`.
    """

    holdout: float = 0.1
    seed: int = 0
    table: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.holdout < 1:
            raise CowganError(
                f"The share of subjects held out must be from 0 to below 1, not {self.holdout:g}."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as it is recorded in ``bank.json``."""
        table = self.table and {"file": Path(self.table).name, "sha256": sha256_of(self.table)}
        return {"holdout": self.holdout, "seed": self.seed, "table": table}

    def assign(self, cases: Iterable[str]) -> dict[str, Assignment]:
        """Return the subject and side of every case; see `split_by_subject`."""
        table = None if self.table is None else read_split_table(self.table)
        return split_by_subject(cases, self.holdout, self.seed, table)


def split_by_subject(
    cases: Iterable[str],
    holdout: float = 0.1,
    seed: int = 0,
    table: Mapping[str, tuple[str, Side | None]] | None = None,
) -> dict[str, Assignment]:
    """Split by subject, so that all scans of a subject are on one side.

    Subjects are ordered by a hash of seed and name, and the first ones are held out. The result
    does not depend on file order, and a new subject moves at most one other subject.

    Parameters
    ----------
    cases : iterable of str
        Case names; repeated names (copies) count once.
    holdout : float
        Share of the subjects, from 0 to below 1.
    seed : int
        Part of the hash.
    table : mapping, optional
        From `read_split_table`; it must name every case. Subjects with a stated side count
        towards the share.

    Raises
    ------
    CowganError
        The table does not name a case.
    """
    subjects: dict[str, str] = {}
    stated: dict[str, Side] = {}
    for case in cases:
        if table is None:
            subjects[case] = subject_of(case)
            continue
        if case not in table:
            raise CowganError(f"The split table does not name the case {case}.")
        subject, side = table[case]
        subjects[case] = subject
        if side is not None:
            stated[subject] = side
    everyone = set(subjects.values())
    held_out = {subject for subject, side in stated.items() if side == "holdout"}
    free = sorted(everyone - set(stated), key=lambda subject: _rank(subject, seed))
    wanted = _count(len(everyone), holdout) - len(held_out)
    held_out.update(free[: max(0, wanted)])
    return {
        case: Assignment(subject, "holdout" if subject in held_out else "training")
        for case, subject in subjects.items()
    }


def read_split_table(path: Path) -> dict[str, tuple[str, Side | None]]:
    """Read a CSV file with the subjects of cases.

    Parameters
    ----------
    path : Path
        A header line and one line per case: ``case,subject`` or ``case,subject,split``;
        other columns are ignored. A case is given by its name in the bank, or by its relative
        path without suffix. An empty subject is derived from the case name; an empty split is
        decided by the share of held-out subjects.

    Returns
    -------
    dict
        Subject, and side or None, of every case.

    Raises
    ------
    CowganError
        The file is unreadable, lacks a column, names a case twice in different ways, or
        puts a subject on both sides.
    """
    path = Path(path)
    columns, rows = read_table(path)
    if not {"case", "subject"} <= set(columns):
        raise CowganError(f"The split table {path.name} needs the columns case and subject.")
    table: dict[str, tuple[str, Side | None]] = {}
    sides: dict[str, Side | None] = {}
    for row in rows:
        case = case_name(row["case"].strip())
        subject = row["subject"].strip() or subject_of(case)
        side = _side(row.get("split"), case, path)
        if table.setdefault(case, (subject, side)) != (subject, side):
            raise CowganError(f"{path.name} names the case {case} twice, and not alike.")
        if sides.setdefault(subject, side) != side:
            raise CowganError(
                f"{path.name} must put all scans of the subject {subject} in one split."
            )
    return table


def _side(text: str | None, case: str, path: Path) -> Side | None:
    side = (text or "").strip()
    if side not in ("", *get_args(Side)):
        raise CowganError(
            f"{path.name} puts the case {case} in the split {side!r}; "
            "it must be training, holdout or empty."
        )
    return cast(Side, side) if side else None


def _rank(subject: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}/{subject}".encode()).digest()


def _count(n_subjects: int, holdout: float) -> int:
    if holdout == 0 or n_subjects < 2:
        return 0
    return min(max(1, round(holdout * n_subjects)), n_subjects - 1)
