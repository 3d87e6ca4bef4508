"""What a new study is to be; touches no widget."""

import math
import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cowgan.checkpoint import BUNDLED
from cowgan.errors import CowganError
from cowgan.progress import Progress
from cowgan.turing.design.protocol import MIN_CASES, Protocol
from cowgan.turing.design.sources import CheckpointSource, FolderSource, StudySource, warn_of_public
from cowgan.turing.study.creation import new_study
from cowgan.turing.study.study import Study

Origin = Literal["bundled", "model", "folder"]
"""Where generated volumes come from."""

_SECONDS_PER_TRIAL = (30, 45)


@dataclass(frozen=True)
class Origins:
    """Where the volumes of both kinds come from.

    Parameters
    ----------
    real : Path
        Folder of real volumes.
    origin : {"bundled", "model", "folder"}
        Of generated ones.
    generated : Path or None
        Model or folder, None for the bundled model.
    psi : float
        Truncation of the model.
    """

    real: Path
    origin: Origin
    generated: Path | None
    psi: float

    def real_source(self) -> StudySource:
        """Return the source of real volumes."""
        return FolderSource(self.real)

    def generated_source(self) -> StudySource:
        """Return the source of generated volumes.

        Raises
        ------
        CowganError
            None is chosen, or the model cannot be read.
        """
        if self.origin == "bundled":
            return CheckpointSource(BUNDLED, self.psi)
        if self.generated is None:
            kind = "model" if self.origin == "model" else "folder of generated volumes"
            raise CowganError(f"Choose a {kind}.")
        if self.origin == "folder":
            return FolderSource(self.generated)
        return CheckpointSource(self.generated, self.psi)


@dataclass(frozen=True)
class Found:
    """How many volumes a source offers.

    Parameters
    ----------
    name : str
        Of the model or folder.
    available : float
        Infinite if they are made as needed.
    sentence : str
        The same in words.
    """

    name: str
    available: float
    sentence: str

    @property
    def enough(self) -> bool:
        """Whether the smallest study can be made."""
        return self.available >= MIN_CASES // 2


def look_at(source: StudySource) -> Found:
    """Count the volumes of a source.

    Raises
    ------
    CowganError
        There is no such folder, or nothing in it.
    """
    facts = source.describe()
    if "model" in facts:
        name = facts["model"]
        return Found(name, source.available, f"{name}: as many volumes as are needed.")
    folder, subjects, files = facts["folder"], facts["subjects"], facts["files"]
    told = f"{_counted(files, 'volume')} of {_counted(subjects, 'subject')}"
    if subjects < MIN_CASES // 2:
        told += f"; a study needs at least {MIN_CASES // 2} of each kind."
    else:
        told += "; one is taken of each." if files > subjects else "."
        if facts["public"]:
            told += f" {warn_of_public(facts['public'])}"
    return Found(folder, subjects, told)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def left_over(protocol: Protocol, real: Found, generated: Found) -> str:
    """Return one sentence on how many volumes a study takes and leaves.

    Raises
    ------
    CowganError
        There are too few.
    """
    needed = protocol.volumes_per_class
    left = {"real": real.available - needed, "generated": generated.available - needed}
    for kind, number in left.items():
        if number < 0:
            raise CowganError(
                f"This takes {needed} {kind} volumes, {-number:.0f} more than there are; lower "
                "the numbers or add volumes."
            )
    spares = [
        f"{number:.0f} more {kind} ones are left"
        for kind, number in left.items()
        if number < math.inf
    ]
    return f"Takes {needed} volumes of each kind; {' and '.join(spares)}."


def overview(
    protocol: Protocol, origins: Origins, found: tuple[Found, Found]
) -> list[tuple[str, str]]:
    """Return what a study is going to be, as names and sentences."""
    n, rules = protocol.volumes_per_class, protocol.rules
    real, generated = found
    trials = protocol.reading_units + protocol.repeats
    what = "single volumes" if rules.design == "rating" else "pairs of volumes"
    extra = [
        f"{number} {purpose}"
        for number, purpose in (
            (protocol.impressions, "volumes for first impressions"),
            (protocol.practice, "volumes to practise with"),
        )
        if number
    ]
    before = f", after {' and '.join(extra)}" if extra else ""
    repeats = f", {protocol.repeats} of them repeats" if protocol.repeats else ""
    low, high = (math.ceil(trials * seconds / 60) for seconds in _SECONDS_PER_TRIAL)
    allowed = [name for name, so in (("projections", rules.mip), ("marks", rules.marks)) if so]
    return [
        ("Real", f"{n} of {real.available:.0f} subjects in {origins.real}, by lot"),
        (
            "Generated",
            f"{n} of {generated.available:.0f} subjects in {origins.generated}, by lot"
            if origins.origin == "folder"
            else f"{n} of {generated.name}, seeds by lot, truncation psi {origins.psi:g}",
        ),
        ("Readers", f"{protocol.readers}; each has {trials} trials of {what}{repeats}{before}"),
        (
            "Time",
            f"about {low} to {high} minutes of each reader, not counting breaks",
        ),
        ("Allowed", " and ".join(allowed) or "neither projections nor marks"),
        ("Margin", f"an AUC within 0.5 ± {protocol.margin_auc:g} is equivalent to chance"),
    ]


def make_study(target: Path, origins: Origins, protocol: Protocol, progress: Progress) -> Study:
    """Make a study, which is frozen at once if it is blinded.

    Raises
    ------
    CowganError, Cancelled
        As for `cowgan.turing.study.creation.new_study`.
    """
    return new_study(target, origins.real_source(), origins.generated_source(), protocol, progress)


class ProtocolSource(typing.Protocol):
    """Puts together what was chosen on all pages."""

    def protocol(self) -> Protocol:
        """Return the choices, or raise `CowganError` if they do not go together."""

    def origins(self) -> Origins | None:
        """Return where the volumes come from, None if that is not chosen yet."""

    def found(self) -> tuple[Found, Found] | None:
        """Return what there is of real and of generated volumes, None if it is not known."""
