"""Results per volume, over all readers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

from cowgan.turing.analysis.presented_trials import Mark, PresentedTrial
from cowgan.turing.design.truth_key import Key, Truth


@dataclass(frozen=True)
class CaseResult:
    """One volume, or in 2AFC one pair.

    Parameters
    ----------
    case : str
        Name within the study; of a pair both, joined by ``+``, the real one first.
    truth : {"real", "generated", "pair"}
        What it is.
    origin : str
        File or seed, of a pair both.
    n : int
        Readers whose first answer counts.
    right : int
        How many of them were right.
    mean_rating : float
        From -5, certainly right, to 5, certainly wrong: how far readers were led astray.
    median_s : float or None
        Seconds until the answer.
    marks : tuple of Mark
        Of all showings.
    """

    case: str
    truth: str
    origin: str
    n: int
    right: int
    mean_rating: float
    median_s: float | None
    marks: tuple[Mark, ...]

    @property
    def share_right(self) -> float:
        """Share of right answers."""
        return self.right / self.n


@dataclass(frozen=True)
class Reasons:
    """Frequency of a reason for a mark.

    Parameters
    ----------
    reason : str
        As the reader chose it.
    generated, real : int
        Marks on volumes that are so.
    """

    reason: str
    generated: int
    real: int


def case_results(trials: Sequence[PresentedTrial], key: Key) -> tuple[CaseResult, ...]:
    """Return every case with a counted answer in the reading, the most misleading first."""
    shown: dict[str, list[PresentedTrial]] = {}
    for trial in trials:
        if trial.phase == "reading" and trial.counts:
            shown.setdefault(trial.case, []).append(trial)
    cases = {case.name: case for case in key.cases}
    results = []
    for name, presented in shown.items():
        first = [trial for trial in presented if trial.presentation == 1]
        if not first:
            continue
        volumes = [cases[part] for part in name.split("+")]
        results.append(
            CaseResult(
                name,
                volumes[0].truth if len(volumes) == 1 else "pair",
                " and ".join(_origin(volume.origin) for volume in volumes),
                len(first),
                sum(trial.correct is True for trial in first),
                mean(_led_astray(trial) for trial in first),
                median(seconds) if (seconds := _seconds(first)) else None,
                tuple(mark for trial in presented for mark in trial.marks),
            )
        )
    return tuple(sorted(results, key=lambda case: (case.share_right, -case.mean_rating, case.case)))


def reasons(marks: Sequence[Mark]) -> tuple[Reasons, ...]:
    """Return how often each reason was given, the most frequent first."""
    given: dict[Truth, Counter[str]] = {
        truth: Counter(reason for mark in marks if mark.truth == truth for reason in mark.reasons)
        for truth in ("generated", "real")
    }
    names = sorted({*given["generated"], *given["real"]})
    found = [Reasons(name, given["generated"][name], given["real"][name]) for name in names]
    return tuple(sorted(found, key=lambda one: -(one.generated + one.real)))


def _led_astray(trial: PresentedTrial) -> int:
    assert trial.level is not None
    return -trial.level if trial.correct else trial.level


def _seconds(trials: Sequence[PresentedTrial]) -> list[float]:
    return [trial.answer_s for trial in trials if trial.answer_s is not None]


def _origin(origin: Mapping[str, object]) -> str:
    return str(origin["file"]) if "file" in origin else f"seed {origin['seed']}"
