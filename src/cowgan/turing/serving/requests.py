"""Contents of the requests that a page sends, checked against dataclasses."""

import re
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from cowgan.documents import checked, parse_json
from cowgan.errors import CowganError, require_choice
from cowgan.turing.reading.step_data import ScreenData
from cowgan.turing.serving.request_problems import bad_request

MOST_ACTIONS = 50
MOST_CHANGES = 1000
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{16,64}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_LATEST_MS = 1e10
"""Four months: no page stays open for longer."""
_LARGEST = 10**9

T = TypeVar("T")


@dataclass(frozen=True)
class EnterRequest:
    """Exchange a token for a cookie."""

    token: str

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.token):
            raise CowganError("It is no token.")


@dataclass(frozen=True)
class StartRequest:
    """Begin, or go on, in a page."""

    page: str
    at_ms: float
    screen: ScreenData
    take_over: bool

    def __post_init__(self) -> None:
        _require_identifier(self.page)
        _require_time(self.at_ms)
        _require_sizes(*self.screen.size)
        if not 0 < self.screen.device_pixel_ratio <= 100:
            raise CowganError("No screen is like that.")


ActionKind = Literal[
    "understood",
    "consent",
    "proceed",
    "shown",
    "answer",
    "level",
    "mark",
    "undo_mark",
    "toggle_reason",
    "commit",
    "pause",
    "unpause",
    "viewed",
    "focus",
    "stop",
]

ABOUT_A_TRIAL = frozenset(
    {"shown", "answer", "level", "mark", "undo_mark", "toggle_reason", "commit", "viewed"}
)
"""Kinds of actions that name the trial on the page."""


@dataclass(frozen=True)
class PageAction:
    """One thing that the reader did."""

    id: str
    kind: ActionKind
    at_ms: float
    trial: int | None
    data: dict[str, Any]

    def __post_init__(self) -> None:
        _require_identifier(self.id)
        _require_time(self.at_ms)

    @property
    def at_ns(self) -> int:
        """Time by the page's clock, in nanoseconds."""
        return round(self.at_ms * 1e6)


@dataclass(frozen=True)
class ActionsRequest:
    """What the reader did since the last request."""

    page: str
    actions: tuple[PageAction, ...]

    def __post_init__(self) -> None:
        _require_identifier(self.page)
        if len(self.actions) > MOST_ACTIONS:
            raise CowganError(f"A request has at most {MOST_ACTIONS} actions.")


@dataclass(frozen=True)
class NoDetails:
    """An action without details."""


@dataclass(frozen=True)
class ConsentDetails:
    """Whether the reader takes part."""

    given: bool


@dataclass(frozen=True)
class ShownDetails:
    """Size of the image on the screen."""

    canvas_px: tuple[int, int]

    def __post_init__(self) -> None:
        _require_sizes(*self.canvas_px)


@dataclass(frozen=True)
class AnswerDetails:
    """One of `Rules.answers`."""

    answer: str


@dataclass(frozen=True)
class LevelDetails:
    """Confidence or quality."""

    level: int


@dataclass(frozen=True)
class MarkDetails:
    """A place, in one of the volumes of the trial."""

    voxel: tuple[int, int, int]
    volume: int


@dataclass(frozen=True)
class ReasonDetails:
    """A reason of the last mark."""

    reason: str


@dataclass(frozen=True)
class CommitDetails:
    """Share of slices seen; None if a projection showed all."""

    seen: float | None


@dataclass(frozen=True)
class PauseDetails:
    """Why the image is hidden."""

    reason: str

    def __post_init__(self) -> None:
        require_choice("reason", self.reason, ("key", "focus lost", "asleep"))


@dataclass(frozen=True)
class FocusDetails:
    """The reader was in another window while no image was shown."""

    focus: Literal["lost"]


@dataclass(frozen=True)
class ViewedDetails:
    """How the image was viewed; see `docs/turing_server_api.md`."""

    slice_ms: dict[str, int]
    mip_ms: int
    changes: tuple[tuple[int, str, Any], ...]

    def __post_init__(self) -> None:
        if len(self.slice_ms) > MOST_CHANGES or len(self.changes) > MOST_CHANGES:
            raise CowganError("It says too much at once.")
        times = [self.mip_ms, *self.slice_ms.values(), *(change[0] for change in self.changes)]
        _require_sizes(*times)
        if not all(name.isdecimal() and len(name) < 6 for name in self.slice_ms):
            raise CowganError("There is no such slice.")
        for _, name, value in self.changes:
            _require_view(name, value)


def parsed(body: bytes, kind: type[T]) -> T:
    """Return the content of a request.

    Raises
    ------
    RequestProblem
        It is not as described.
    """
    try:
        return parse_json(body, kind, "The request", other_versions=False)
    except (CowganError, ValueError, RecursionError) as error:
        raise bad_request() from error


def details(action: PageAction, kind: type[T]) -> T:
    """Return the details of an action.

    Raises
    ------
    CowganError
        They are not as described.
    """
    return checked(action.data, kind, "The action")


def _require_identifier(text: str) -> None:
    if not _IDENTIFIER.fullmatch(text):
        raise CowganError("It is no identifier.")


def _require_time(milliseconds: float) -> None:
    if not 0 <= milliseconds <= _LATEST_MS:
        raise CowganError("No clock shows such a time.")


def _require_sizes(*numbers: int) -> None:
    if not all(0 <= number <= _LARGEST for number in numbers):
        raise CowganError("A number is out of range.")


def _require_view(name: str, value: Any) -> None:
    """Refuse what no view has: the journal is no place to store things."""
    if name == "mip":
        fits = isinstance(value, bool)
    elif name in ("slice", "low", "high", "zoom"):
        fits = _is_number(value)
    else:
        lengths = {"shift_mm": 2, "direction": 3, "up": 3}
        fits = (
            isinstance(value, list)
            and len(value) == lengths.get(name)
            and all(map(_is_number, value))
        )
    if not fits:
        raise CowganError("There is no such view.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
