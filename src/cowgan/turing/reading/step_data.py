"""Contents of the journal records, one class per kind of step."""

from dataclasses import dataclass, field
from typing import Any

from cowgan.documents import checked
from cowgan.errors import CowganError
from cowgan.turing.design.trials import LEVELS, Phase

_MOST_REASONS, _LONGEST = 100, 1000


@dataclass(frozen=True)
class NoData:
    """A step without details."""


@dataclass(frozen=True)
class ScreenData:
    """The screen used for reading."""

    size: tuple[int, int]
    device_pixel_ratio: float


@dataclass(frozen=True)
class StartData:
    """Start of the program; further fields are allowed and ignored."""

    start_code: str | None = None
    key_beside: bool = False
    versions: dict[str, str] = field(default_factory=dict)
    screen: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.screen:
            checked(self.screen, ScreenData, "The screen", other_versions=True)


@dataclass(frozen=True)
class ConsentData:
    """Whether the reader takes part."""

    given: bool


@dataclass(frozen=True)
class ShownData:
    """Earlier exposure of a volume that is drawn for the first time."""

    restarted: bool
    exposure_ms: int


@dataclass(frozen=True)
class AnswerData:
    """One of `Rules.answers`."""

    answer: str


@dataclass(frozen=True)
class LevelData:
    """Confidence or quality."""

    level: int

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise CowganError(f"The level must be from 1 to 5, not {self.level}.")


@dataclass(frozen=True)
class MarkData:
    """A marked artefact."""

    voxel: tuple[int, int, int]
    reasons: tuple[str, ...]
    case: str

    def __post_init__(self) -> None:
        if min(self.voxel) < 0:
            raise CowganError(f"There is no voxel {self.voxel}.")
        if len(self.reasons) > _MOST_REASONS or max(map(len, self.reasons), default=0) > _LONGEST:
            raise CowganError("A mark has too many reasons, or a reason is too long.")


@dataclass(frozen=True)
class CommitData:
    """The final answer of a trial."""

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
    marks: tuple[MarkData, ...]
    seen: float | None
    restarted: bool
    exposure_ms: int
    flags: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.seen is not None and not 0 <= self.seen <= 1:
            raise CowganError(f"The share of slices seen must be from 0 to 1, not {self.seen}.")


@dataclass(frozen=True)
class PauseData:
    """Why the screen was blanked."""

    reason: str


@dataclass(frozen=True)
class NoteData:
    """A remark of the reader."""

    text: str
