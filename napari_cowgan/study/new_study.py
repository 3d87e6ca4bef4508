"""Choices for a new study, and creating it; touches no widget."""

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
"""Origin of generated volumes."""

_SECONDS_PER_TRIAL = (30, 45)


@dataclass(frozen=True)
class Origins:
    """Origins of the real and the generated volumes.

    Parameters
    ----------
    real : Path
        Folder of real volumes.
    origin : {"bundled", "model", "folder"}
        Origin of generated volumes.
    generated : Path or None
        Model or folder; None for the bundled model.
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
            No model or folder is chosen, or the model cannot be read.
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
class Availability:
    """Number of volumes that a source offers.

    Parameters
    ----------
    name : str
        Name of the model or folder.
    available : float
        Number of volumes; infinite for a model.
    sentence : str
        Description for the user.
    """

    name: str
    available: float
    sentence: str

    @property
    def enough(self) -> bool:
        """Whether there are enough for the smallest study."""
        return self.available >= MIN_CASES // 2


def count_volumes(source: StudySource) -> Availability:
    """Count the volumes of a source.

    Raises
    ------
    CowganError
        The folder does not exist, or holds no volumes.
    """
    facts = source.describe()
    if "model" in facts:
        name = facts["model"]
        return Availability(name, source.available, f"{name}: as many volumes as needed.")
    folder, subjects, files = facts["folder"], facts["subjects"], facts["files"]
    sentence = f"{_counted(files, 'volume')} of {_counted(subjects, 'subject')}"
    if subjects < MIN_CASES // 2:
        sentence += f"; a study needs at least {MIN_CASES // 2} of each kind."
    else:
        sentence += "; one of each is used." if files > subjects else "."
        if facts["public"]:
            sentence += f" {warn_of_public(facts['public'])}"
    return Availability(folder, subjects, sentence)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def volume_usage(protocol: Protocol, real: Availability, generated: Availability) -> str:
    """Return one sentence on how many volumes a study uses and leaves.

    Raises
    ------
    CowganError
        There are too few volumes.
    """
    needed = protocol.volumes_per_class
    left = {"real": real.available - needed, "generated": generated.available - needed}
    for kind, number in left.items():
        if number < 0:
            raise CowganError(
                f"The study needs {needed} {kind} volumes, {-number:.0f} more than there are; "
                "lower the numbers or add volumes."
            )
    spares = [
        f"{number:.0f} {kind} ones remain" for kind, number in left.items() if number < math.inf
    ]
    return f"Uses {needed} volumes of each kind; {' and '.join(spares)}."


def overview(
    protocol: Protocol, origins: Origins, available: tuple[Availability, Availability]
) -> list[tuple[str, str]]:
    """Return a summary of a planned study, as names and sentences."""
    n, rules = protocol.volumes_per_class, protocol.rules
    real, generated = available
    trials = protocol.reading_units + protocol.repeats
    what = "single volumes" if rules.design == "rating" else "pairs of volumes"
    extra = [
        f"{number} {purpose}"
        for number, purpose in (
            (protocol.impressions, "volumes for first impressions"),
            (protocol.practice, "practice volumes"),
        )
        if number
    ]
    before = f", after {' and '.join(extra)}" if extra else ""
    repeats = f", {protocol.repeats} of them repeats" if protocol.repeats else ""
    low, high = (math.ceil(trials * seconds / 60) for seconds in _SECONDS_PER_TRIAL)
    allowed = [name for name, so in (("projections", rules.mip), ("marks", rules.marks)) if so]
    return [
        ("Real", f"{n} of {real.available:.0f} subjects in {origins.real}, at random"),
        (
            "Generated",
            f"{n} of {generated.available:.0f} subjects in {origins.generated}, at random"
            if origins.origin == "folder"
            else f"{n} of {generated.name}, random seeds, truncation psi {origins.psi:g}",
        ),
        ("Readers", f"{protocol.readers}; each has {trials} trials of {what}{repeats}{before}"),
        (
            "Time",
            f"about {low} to {high} minutes for each reader, without breaks",
        ),
        ("Allowed", " and ".join(allowed) or "neither projections nor marks"),
        ("Margin", f"an AUC within 0.5 ± {protocol.margin_auc:g} is equivalent to chance"),
    ]


def make_study(target: Path, origins: Origins, protocol: Protocol, progress: Progress) -> Study:
    """Create a study, which is frozen at once if its audit finds no leaks.

    Raises
    ------
    CowganError, Cancelled
        As for `cowgan.turing.study.creation.new_study`.
    """
    return new_study(target, origins.real_source(), origins.generated_source(), protocol, progress)


class ProtocolSource(typing.Protocol):
    """Combines the choices of all pages of the wizard."""

    def protocol(self) -> Protocol:
        """Return the protocol, or raise `CowganError` if choices contradict each other."""

    def origins(self) -> Origins | None:
        """Return the origins of the volumes; None if they are not chosen yet."""

    def availability(self) -> tuple[Availability, Availability] | None:
        """Return the available real and generated volumes; None if unknown."""
