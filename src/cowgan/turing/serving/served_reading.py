"""One reader's reading, as the server holds it: the session, its journal, and the page it is in.

The page is the program that reads. Each page that is opened is a start in the journal, and its
clock is that of the records; a server that is started again just goes on.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cowgan._version import __version__
from cowgan.errors import CowganError
from cowgan.locking import AlreadyHeld
from cowgan.turing.design.trials import Trial
from cowgan.turing.reading.journal import Journal
from cowgan.turing.reading.package import JOURNAL_FILE, Package
from cowgan.turing.reading.receipt import Receipt, receipt_of
from cowgan.turing.reading.records import LARGEST_BYTES, Record, read_journal
from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import State
from cowgan.turing.reading.steps import ACTION, NotNow
from cowgan.turing.serving import request_problems as problems
from cowgan.turing.serving.page_actions import carry_out
from cowgan.turing.serving.page_state import constants, page_state
from cowgan.turing.serving.requests import ABOUT_A_TRIAL, ActionsRequest, PageAction, StartRequest
from cowgan.turing.serving.volume_names import VolumeNames

_log = logging.getLogger(__name__)

SILENT_S = 30.0
"""A page that was not heard for so long keeps no other from starting."""
_PATIENCE_S = 20.0
_LARGEST_JOURNAL = LARGEST_BYTES // 2
"""Far beyond what reading makes; one that fills it on purpose stays readable."""


class ServedReading:
    """The reading of one package. Its methods may be called from any thread.

    Parameters
    ----------
    folder : Path
        The package.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._opened: Package | None = None
        self._journal: Journal | None = None
        self._session: Session | None = None
        self._page: str | None = None
        self._done: set[str] = set()
        self._names = VolumeNames()
        self._returned = False
        self._heard_s = 0.0
        self._now_ns = 0

    def constants(self) -> dict[str, Any]:
        """Return what never changes during the reading."""
        with self._held():
            return constants(self._package.manifest)

    def start(self, request: StartRequest, browser: str) -> dict[str, Any]:
        """Begin, or go on, in a page, and return the state.

        Parameters
        ----------
        request : StartRequest
            What the page says of itself.
        browser : str
            Name and version of the browser.

        Raises
        ------
        RequestProblem
            Another page is open; or the reading cannot go on, or its journal not be written.
        """
        with self._held():
            self._go_on()
            if self._session is not None and self._page == request.page:
                self._settle()
                return self._state(self._session)
            if self._is_open and not request.take_over:
                raise problems.elsewhere()
            self._end()
            journal = self._open_journal()
            self._returned = bool(journal.records)
            self._now_ns = round(request.at_ms * 1e6)
            context = {
                "page": request.page,
                "browser": browser,
                "versions": {"napari-cowgan": __version__},
                "screen": {
                    "size": list(request.screen.size),
                    "device_pixel_ratio": request.screen.device_pixel_ratio,
                },
            }
            self._begin(journal, context)
            self._page = request.page
            self._names = VolumeNames()
            self._heard_s = time.monotonic()
            return self._settled_state()

    def act(self, request: ActionsRequest) -> dict[str, Any]:
        """Do what the reader did, wait until it is on the disk, and return results and state.

        Raises
        ------
        RequestProblem
            The page is not the one that reads; or the reading cannot go on, or its journal not be
            written.
        """
        with self._held():
            self._go_on()
            if self._session is None or self._page is None:
                raise problems.not_started()
            if request.page != self._page and self._session.state is not State.FINISHED:
                raise problems.superseded()
            self._refuse_endless_journal()
            self._heard_s = time.monotonic()
            self._settle()
            results = list(self._results(self._session, request.actions))
            return {"results": results, "state": self._settled_state()}

    def volume(self, name: str) -> bytes:
        """Return the voxels of a volume of the present or the upcoming trial.

        Raises
        ------
        RequestProblem
            There is no such name; or the volume cannot be read.
        """
        with self._held():
            self._go_on()
            case = None
            if self._session is not None and self._session.snapshot.consented:
                shown: Sequence[Trial | None] = (self._session.trial, self._session.upcoming)
                case = self._names.case(name, shown)
            if case is None:
                raise problems.not_found()
            package = self._package
        with _as_broken():
            return package.volume(case).tobytes()

    def receipt(self) -> Receipt:
        """Return the receipt of a finished reading.

        Raises
        ------
        RequestProblem
            It is not finished.
        """
        with self._held():
            package = self._package
            path = self._folder / JOURNAL_FILE
            with _as_broken():
                records = read_journal(path) if path.exists() else []
            receipt = receipt_of(package.manifest, records)
        if receipt is None:
            raise problems.not_found()
        return receipt

    def close(self) -> None:
        """Write what is left and close the journal."""
        with self._lock:
            if self._journal is not None:
                try:
                    self._journal.close()
                except CowganError as error:
                    _log_problem(error)

    @contextmanager
    def _held(self) -> Iterator[None]:
        if not self._lock.acquire(timeout=_PATIENCE_S):
            raise problems.busy()
        try:
            yield
        finally:
            self._lock.release()

    @property
    def _package(self) -> Package:
        if self._opened is None:
            with _as_broken():
                self._opened = Package.open(self._folder)
        return self._opened

    @property
    def _is_open(self) -> bool:
        return self._page is not None and time.monotonic() - self._heard_s < SILENT_S

    def _go_on(self) -> None:
        """Go on with the page that was open when an earlier server ended."""
        if self._session is not None or not (self._folder / JOURNAL_FILE).exists():
            return
        journal = self._open_journal()
        page = _open_page(journal.records)
        if page is None:
            # Read in the desktop window until now: that may go on there as well.
            self._end()
            return
        self._begin(journal, None)
        self._page = page
        self._done = {
            str(record.data[ACTION]) for record in journal.records if ACTION in record.data
        }
        self._heard_s = -SILENT_S if journal.records[-1].kind == "stop" else time.monotonic()

    def _open_journal(self) -> Journal:
        try:
            self._journal = self._package.journal()
        except AlreadyHeld as error:
            raise problems.elsewhere() from error
        except CowganError as error:
            if isinstance(error.__cause__, OSError):
                raise _refused_by_disk(error) from error
            raise _broken(error) from error
        return self._journal

    def _begin(self, journal: Journal, context: dict[str, Any] | None) -> None:
        try:
            self._session = Session(
                self._package.manifest.course,
                journal,
                context,
                lambda: self._now_ns,
                new_start=context is not None,
            )
        except CowganError as error:
            self._end()
            raise _broken(error) from error

    def _end(self) -> None:
        """Close the journal, whose records another session reads anew."""
        if self._session is not None:
            self._settle()
        if self._journal is not None:
            journal, self._journal, self._session = self._journal, None, None
            with _as_broken():
                journal.close()

    def _results(self, session: Session, actions: Sequence[PageAction]) -> Iterator[dict[str, Any]]:
        problem: CowganError | None = None
        for action in actions:
            if problem is not None:
                yield {"id": action.id, "result": "skipped"}
            elif action.id in self._done:
                yield {"id": action.id, "result": "known"}
            else:
                try:
                    self._do(session, action)
                    yield {"id": action.id, "result": "done"}
                except CowganError as error:
                    problem = error
                    code = "not_now" if isinstance(error, NotNow) else "bad_request"
                    sentence = "This is not possible now."
                    refused = {"code": code, "sentence": sentence}
                    yield {"id": action.id, "result": "refused", "error": refused}

    def _do(self, session: Session, action: PageAction) -> None:
        if action.kind in ABOUT_A_TRIAL and (
            session.trial is None or session.trial.number != action.trial
        ):
            raise NotNow(action.kind, session.state)
        self._now_ns = max(action.at_ns, session.snapshot.latest_ns)
        with session.on_behalf_of(action.id):
            carry_out(session, self._package.manifest.display, action)
        self._done.add(action.id)
        if action.kind == "shown":
            self._returned = False
        elif action.kind == "commit":
            self._settle()
        elif action.kind == "stop":
            # Another page may start at once.
            self._heard_s = -SILENT_S

    def _refuse_endless_journal(self) -> None:
        try:
            size = (self._folder / JOURNAL_FILE).stat().st_size
        except OSError as error:
            _log.error("%r", error)
            raise problems.disk_refuses() from error
        if size > _LARGEST_JOURNAL:
            raise problems.broken()

    def _settle(self) -> None:
        """Wait until everything is on the disk."""
        assert self._session is not None
        try:
            self._session.wait()
        except CowganError as error:
            raise _refused_by_disk(error) from error

    def _settled_state(self) -> dict[str, Any]:
        self._settle()
        assert self._session is not None
        return self._state(self._session)

    def _state(self, session: Session) -> dict[str, Any]:
        return page_state(session, self._names, self._returned)


def _open_page(records: Sequence[Record]) -> str | None:
    """Return the page that was started last; None if it was the desktop window, or nothing."""
    page = None
    for record in records:
        if record.kind == "start":
            page = record.data.get("page")
    return page


@contextmanager
def _as_broken() -> Iterator[None]:
    try:
        yield
    except CowganError as error:
        raise _broken(error) from error


def _broken(error: CowganError) -> problems.RequestProblem:
    """Log what the coordinator must see, and return what the reader may."""
    _log_problem(error)
    return problems.broken()


def _refused_by_disk(error: CowganError) -> problems.RequestProblem:
    _log_problem(error)
    return problems.disk_refuses()


def _log_problem(error: CowganError) -> None:
    _log.error("%s %s", error.sentence, error.detail)
