"""What each kind of record in a journal holds."""

from dataclasses import dataclass, field
from typing import Any

from cowgan.documents import checked
from cowgan.errors import CowganError
from cowgan.turing.design.trials import LEVELS, Phase

_MOST_REASONS, _LONGEST = 100, 1000


@dataclass(frozen=True)
class Start:
    """The program was started; what else it told is kept and not used."""

    start_code: str | None = None
    key_beside: bool = False
    versions: dict[str, str] = field(default_factory=dict)
    screen: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.screen:
            checked(self.screen, Screen, "The screen", other_versions=True)


@dataclass(frozen=True)
class Screen:
    """What was looked at."""

    size: tuple[int, int]
    device_pixel_ratio: float


@dataclass(frozen=True)
class Plain:
    """A step without details."""


@dataclass(frozen=True)
class Consent:
    """Whether to take part."""

    given: bool


@dataclass(frozen=True)
class Shown:
    """The volume was drawn for the first time."""

    restarted: bool
    exposure_ms: int


@dataclass(frozen=True)
class Answer:
    """One of `Rules.answers`."""

    answer: str


@dataclass(frozen=True)
class Level:
    """Confidence or quality."""

    level: int

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise CowganError(f"The level must be from 1 to 5, not {self.level}.")


@dataclass(frozen=True)
class Mark:
    """A give-away place."""

    voxel: tuple[int, int, int]
    reasons: tuple[str, ...]
    case: str

    def __post_init__(self) -> None:
        if min(self.voxel) < 0:
            raise CowganError(f"There is no voxel {self.voxel}.")
        if len(self.reasons) > _MOST_REASONS or max(map(len, self.reasons), default=0) > _LONGEST:
            raise CowganError("Nobody gives so many reasons, or such long ones.")


@dataclass(frozen=True)
class Commit:
    """The answer as it counts."""

    phase: Phase
    block: int
    cases: tuple[str, ...]
    answer: str | None
    level: int
    answer_ms: int
    active_ms: int
    total_ms: int
    answers_given: int
    levels_given: int
    marks: tuple[Mark, ...]
    seen: float | None
    restarted: bool
    exposure_ms: int
    flags: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.seen is not None and not 0 <= self.seen <= 1:
            raise CowganError(f"No share of the slices is {self.seen}.")


@dataclass(frozen=True)
class Pause:
    """Why the screen was blanked."""

    reason: str


@dataclass(frozen=True)
class Note:
    """A remark."""

    text: str


_KINDS: dict[str, type[Any]] = {
    "start": Start,
    "understood": Plain,
    "consent": Consent,
    "proceed": Plain,
    "shown": Shown,
    "answer": Answer,
    "level": Level,
    "mark": Mark,
    "unmark": Plain,
    "commit": Commit,
    "pause": Pause,
    "unpause": Plain,
    "note": Note,
    "interaction": dict[str, Any],
    "stop": Plain,
    "finish": Plain,
}


def check_step(kind: str, data: Any) -> None:
    """Raise `CowganError` unless a record of this kind can hold this.

    Parameters
    ----------
    kind : str
        Of the record.
    data : Any
        Its details, as JSON.
    """
    if kind not in _KINDS:
        raise CowganError(f"There is no step {kind!r:.40}.")
    checked(data, _KINDS[kind], f"The step {kind!r}", other_versions=kind == "start")
