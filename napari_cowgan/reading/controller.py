"""The way from a key to the session, to the picture and to the disk, and back."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from cowgan.errors import CowganError
from cowgan.turing.design.trials import Course, Trial
from cowgan.turing.reading.journal import read_journal
from cowgan.turing.reading.package import JOURNAL_FILE, Package, zip_answers
from cowgan.turing.reading.receipt import receipt_of, write_receipt
from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import State
from cowgan.turing.reading.steps import MAX_MARKS
from napari_cowgan.reading.image_area import ImageArea
from napari_cowgan.reading.interactions import InteractionLog
from napari_cowgan.reading.keys import LEVELS, Action
from napari_cowgan.reading.loader import Loader
from napari_cowgan.widgets.jobs import Job

BLANK_S = 0.15
"""How long the screen stays blank before each case, so that nothing flickers over from what was
there; the page before each case has parted it from the last one already."""
_LONG_LOADING_S = 1.0
_TICK_MS = 10
_LOG_MS = 2000
_JUDGING = {State.VIEWING, State.CONFIDENCE, State.RATED}
_WITH_IMAGE = _JUDGING | {State.LOADING, State.FEEDBACK}
_STEPS = {Action.UP: 1, Action.DOWN: -1, Action.FAR_UP: 5, Action.FAR_DOWN: -5}


class Reading(QObject):
    """Carries out what the reader wants, and never waits for the disk while it does.

    Signals
    -------
    changed
        The state, the answer, the marks or a problem is another.
    long_loading
        The volumes of the present case are still on their way from the disk.
    long_looked
        The present case has been on screen for longer than most need.
    failed : Exception
        The reading cannot go on.

    Parameters
    ----------
    package : Package
        Checked already.
    image : ImageArea
        Where its volumes are shown.
    context : mapping
        What else the journal tells at the start.
    copy : Path, optional
        A second journal.

    Attributes
    ----------
    session : Session
        Where the reading stands.
    folder : Path
        Of the package.
    reader : str
        Whose it is.
    resumed : bool
        Whether it was begun in an earlier window, and no case has been shown since.
    problem : CowganError or None
        Why the disk takes no answers.

    Raises
    ------
    CowganError
        The journal cannot be opened, or is not one of this package.
    """

    changed = Signal()
    long_loading = Signal()
    long_looked = Signal()
    failed = Signal(object)
    _refused = Signal(object)

    def __init__(
        self,
        package: Package,
        image: ImageArea,
        context: Mapping[str, Any],
        copy: Path | None = None,
    ) -> None:
        super().__init__()
        self.image = image
        self.folder = package.folder.resolve()
        self.reader = package.manifest.reader
        self._manifest = package.manifest
        self.problem: CowganError | None = None
        self._ended = False
        self._retrying: Job | None = None
        self._refused.connect(self._on_refusal)
        self._journal = package.journal(copy, self._refused.emit)
        try:
            self.session = Session(package.manifest.course, self._journal, context)
        except BaseException:
            self._journal.close()
            raise
        self.resumed = bool(self._journal.records)
        self._loader = Loader(package)
        self._log = InteractionLog(self.session.interaction)
        self._loaded = False
        self._blank_until = 0.0
        self._tick = QTimer(self)
        self._tick.setInterval(_TICK_MS)
        self._tick.timeout.connect(self._on_tick)
        self._log_timer = QTimer(self)
        self._log_timer.setInterval(_LOG_MS)
        self._log_timer.timeout.connect(self._on_log_timer)
        image.drawn.connect(self._on_drawn)
        image.viewed.connect(self._log.change)
        image.picked.connect(self._on_pick)
        self._prepare()
        self._tick.start()

    @property
    def course(self) -> Course:
        """All trials."""
        return self.session.course

    @property
    def with_image(self) -> bool:
        """Whether the picture, or the blank before it, is in front of the reader."""
        state = self.session.state
        return state in _WITH_IMAGE or state in (State.COMMITTING, State.CLOSING)

    @property
    def can_mark(self) -> bool:
        """Whether places are asked for: of a volume that is called generated."""
        session, trial = self.session, self.session.trial
        return (
            self.course.rules.marks
            and trial is not None
            and trial.phase != "impression"
            and session.state in (State.CONFIDENCE, State.RATED)
            and session.snapshot.answer in ("G", "left", "right")
        )

    def act(self, action: Action) -> None:
        """Do what a key or a button asks for, if it is possible now."""
        if self.problem is not None:
            return
        match action:
            case Action.GO_ON:
                self._go_on()
            case Action.FIRST | Action.SECOND:
                self._answer(self.course.rules.answers[action is Action.SECOND])
            case Action.PAUSE:
                if self.session.accepts("unpause"):
                    self._unpause()
                else:
                    self.pause("key")
            case Action.UNDO_MARK:
                self._rewrite_marks(self.session.snapshot.marks[:-1])
            case Action.MIP:
                self.image.toggle_mip()
            case Action.RESET_WINDOW:
                self.image.reset_window()
            case _ if action in LEVELS:
                if self.session.accepts("level"):
                    self.session.level(LEVELS.index(action) + 1)
            case _ if action in _STEPS:
                self.image.scroll(_STEPS[action])
        self.changed.emit()

    def decline(self) -> None:
        """Do not take part."""
        if self.session.accepts("consent"):
            self.session.consent(False)
            self.changed.emit()

    def lose_focus(self) -> None:
        """Take note that the reader went to another window."""
        if self.session.state in _WITH_IMAGE:
            self.pause("focus lost")
        elif self.session.state is not State.FINISHED:
            self.session.interaction(focus="lost")

    def pause(self, reason: str) -> None:
        """Hide the picture and stop the clock, if it runs."""
        if not self.session.accepts("pause"):
            return
        self._log.rest()
        self.image.blank()
        self.session.pause(reason)
        self.changed.emit()

    def hold(self, reason: str) -> None:
        """Hide the picture for good."""
        self._tick.stop()
        self.pause(reason)

    def toggle_reason(self, reason: str) -> None:
        """Add a reason to the last mark, or take it away."""
        *others, last = self.session.snapshot.marks or ({},)
        if not last:
            return
        reasons = last["reasons"]
        reasons = [r for r in reasons if r != reason] if reason in reasons else [*reasons, reason]
        self._rewrite_marks([*others, {**last, "reasons": reasons}])
        self.changed.emit()

    def record(self, **data: Any) -> None:
        """Put something about the screen into the journal."""
        self.session.interaction(**data)

    def save_receipt(self, target: Path) -> None:
        """Write the receipt of a finished reading.

        Raises
        ------
        CowganError
            It has not come to its end, or the file cannot be written.
        """
        receipt = receipt_of(self._manifest, read_journal(self.folder / JOURNAL_FILE))
        if receipt is None:
            raise CowganError("The reading has not come to its end, so there is no receipt yet.")
        write_receipt(receipt, target)

    def save_answers(self, target: Path) -> None:
        """Save the answers as one file to return, as `zip_answers` does."""
        zip_answers(self.folder, target)

    def retry(self) -> None:
        """Try again to write what the disk refused."""
        if self._retrying is None:
            self._retrying = job = Job(lambda progress: self._journal.flush())
            job.succeeded.connect(self._on_retried)
            job.failed.connect(self._on_still_refused)
            job.start()

    def end(self) -> None:
        """Write everything and let the journal go; harmless if ended before.

        Raises
        ------
        CowganError
            The disk refuses; nothing has ended.
        """
        if not self._ended:
            self._log.rest()
            self.session.stop()
            self._journal.flush()
            self.abandon()

    def abandon(self) -> None:
        """End without what the disk refuses."""
        self._ended = True
        self._tick.stop()
        self._log_timer.stop()
        self._loader.close()
        try:
            self._journal.close()
        except CowganError:
            self.problem = None

    def _go_on(self) -> None:
        session = self.session
        if session.accepts("commit"):
            self._commit()
        elif session.accepts("proceed"):
            session.proceed()
            if session.state is State.LOADING:
                self._load()
        elif session.accepts("understood"):
            session.understood()
        elif session.accepts("consent"):
            session.consent(True)
        elif session.accepts("unpause"):
            self._unpause()

    def _answer(self, answer: str) -> None:
        if self.session.accepts("answer"):
            self.session.answer(answer)
            if not self.can_mark:
                self._rewrite_marks([])

    def _commit(self) -> None:
        self._log.rest()
        self._log_timer.stop()
        if self._trial.phase != "practice":
            self.image.blank()
        self.session.commit(self._log.seen(self.image.frame.display.shape[0]))
        self._tick.start()

    def _unpause(self) -> None:
        self.session.unpause()
        if self.session.state is State.LOADING:
            self._load()
        elif self.session.state in _WITH_IMAGE:
            self.image.reveal()
            if self.session.state in _JUDGING:
                self._log.resume(self.image.view)

    def _prepare(self) -> None:
        trials = (self.session.trial, self.session.upcoming)
        self._loader.prepare(case for trial in trials if trial for case in trial.cases)

    def _load(self) -> None:
        self._prepare()
        self.image.blank()
        self._loaded = False
        self._blank_until = time.monotonic() + BLANK_S
        self._tick.start()

    def _on_tick(self) -> None:
        if self.session.state is State.LOADING:
            self._show_when_ready()
        elif self.session.settle():
            self._tick.stop()
            self._prepare()
            self.changed.emit()

    def _show_when_ready(self) -> None:
        futures = [self._loader.request(case) for case in self._trial.cases]
        if not self._loaded and all(future.done() for future in futures):
            try:
                volumes = [future.result() for future in futures]
            except CowganError as error:
                self.failed.emit(error)
                return
            self.image.load(volumes)
            self._loaded = True
        overdue_s = time.monotonic() - self._blank_until
        if not self._loaded and overdue_s > _LONG_LOADING_S:
            self.long_loading.emit()
        if self._loaded and not self.image.shown and overdue_s >= 0:
            self._tick.stop()
            self.image.reveal()

    def _on_drawn(self) -> None:
        if self.session.accepts("shown"):
            self.session.shown()
            self.resumed = False
            self._log.begin(self.image.view)
            self._log_timer.start()
            self.record(canvas_px=[self.image.width(), self.image.height()])
            self.changed.emit()

    def _on_log_timer(self) -> None:
        self._log.flush()
        hint_s = self.course.rules.hint_s
        on_screen_ns = self.session.snapshot.on_screen_ns(time.monotonic_ns())
        if hint_s and self.session.state in _JUDGING and on_screen_ns > hint_s * 1e9:
            self.long_looked.emit()

    def _on_pick(self, number: int, voxel: tuple[int, int, int]) -> None:
        if self.can_mark and len(self.session.snapshot.marks) < MAX_MARKS:
            self.session.mark(voxel, (), self._trial.cases[number])
            self.changed.emit()

    def _rewrite_marks(self, marks: Sequence[Mapping[str, Any]]) -> None:
        """Replace all marks, as the journal knows no other change."""
        if not self.session.snapshot.marks or not self.session.accepts("unmark"):
            return
        self.session.unmark()
        for mark in marks:
            self.session.mark(tuple(mark["voxel"]), mark["reasons"], mark["case"])

    def _on_refusal(self, problem: CowganError) -> None:
        if problem is self._journal.copy_problem:
            # The first journal is whole, and the second catches up by itself.
            self.record(copy_problem=problem.sentence)
            return
        self.pause("disk")
        self.problem = problem
        self.changed.emit()

    def _on_retried(self) -> None:
        self._retrying = self.problem = None
        self.changed.emit()

    def _on_still_refused(self, error: BaseException) -> None:
        self._retrying = None
        self._on_refusal(error)  # type: ignore[arg-type]

    @property
    def _trial(self) -> Trial:
        trial = self.session.trial
        assert trial is not None
        return trial
