"""Controller of a reading: passes actions on to the session, the image and the journal."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from cowgan.errors import CowganError
from cowgan.turing.design.trials import Course, Trial
from cowgan.turing.reading.marking import Marking
from cowgan.turing.reading.package import Package
from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import State
from napari_cowgan.reading.image_area import ImageArea
from napari_cowgan.reading.journal_writer import JournalWriter
from napari_cowgan.reading.keys import LEVELS, Action
from napari_cowgan.reading.presenter import CasePresenter
from napari_cowgan.reading.viewing_recorder import ViewingRecorder

_SETTLE_MS = 10
_JUDGING = {State.VIEWING, State.CONFIDENCE, State.RATED}
_WITH_IMAGE = _JUDGING | {State.LOADING, State.FEEDBACK}


class ReadingController(QObject):
    """Carries out the reader's actions, without ever waiting for the disk.

    Signals
    -------
    changed
        The state, the answer, the marks or the problem has changed.
    long_loading
        The volumes of the current case are still being read.
    long_viewed
        The current case has been on screen for longer than most need.
    failed : Exception
        The reading cannot continue.

    Parameters
    ----------
    package : Package
        A checked package.
    image : ImageArea
        Where its volumes are shown.
    context : mapping
        Additional data for the start of the journal.
    copy : Path, optional
        A second journal.

    Attributes
    ----------
    package : Package
        The package.
    session : Session
        State of the reading.
    marking : Marking
        Marks of the current trial.
    resumed : bool
        Whether it was started in an earlier window, and no case has been shown since.

    Raises
    ------
    CowganError
        The journal cannot be opened, or belongs to another package.
    """

    changed = Signal()
    long_loading = Signal()
    long_viewed = Signal()
    failed = Signal(object)

    def __init__(
        self,
        package: Package,
        image: ImageArea,
        context: Mapping[str, Any],
        copy: Path | None = None,
    ) -> None:
        super().__init__()
        self.image = image
        self.package = package
        self._ended = False
        self._writer = JournalWriter(package, copy)
        self._writer.refused.connect(self._on_refusal)
        self._writer.copy_refused.connect(self._on_copy_refusal)
        self._writer.recovered.connect(self.changed)
        try:
            self.session = Session(package.manifest.course, self._writer.journal, context)
        except BaseException:
            self._writer.journal.close()
            raise
        self.resumed = bool(self._writer.journal.records)
        self.marking = Marking(self.session)
        self._presenter = CasePresenter(package, image)
        self._presenter.long_loading.connect(self.long_loading)
        self._presenter.failed.connect(self.failed)
        self._viewing = ViewingRecorder(self.session, image)
        self._viewing.long_viewed.connect(self.long_viewed)
        self._settling = QTimer(self)
        self._settling.setInterval(_SETTLE_MS)
        self._settling.timeout.connect(self._settle)
        image.drawn.connect(self._on_drawn)
        image.picked.connect(self._on_pick)
        self._prepare()
        self._settling.start()

    @property
    def problem(self) -> CowganError | None:
        """Why answers cannot be written."""
        return self._writer.problem

    @property
    def course(self) -> Course:
        """The trials and rules."""
        return self.session.course

    @property
    def with_image(self) -> bool:
        """Whether the image, or the blank screen before it, is shown."""
        state = self.session.state
        return state in _WITH_IMAGE or state in (State.COMMITTING, State.CLOSING)

    def act(self, action: Action) -> None:
        """Carry out an action, if it is possible now."""
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
                self.marking.undo()
            case _ if action in LEVELS:
                if self.session.accepts("level"):
                    self.session.level(LEVELS.index(action) + 1)
            case _:
                self.image.act(action)
        self.changed.emit()

    def decline(self) -> None:
        """Decline to take part."""
        if self.session.accepts("consent"):
            self.session.consent(False)
            self.changed.emit()

    def lose_focus(self) -> None:
        """Handle that the reader switched to another window."""
        if self.session.state in _WITH_IMAGE:
            self.pause("focus lost")
        elif self.session.state is not State.FINISHED:
            self.session.interaction(focus="lost")

    def pause(self, reason: str) -> None:
        """Hide the image and stop the clock, if it is running."""
        if not self.session.accepts("pause"):
            return
        self._viewing.rest()
        self._presenter.blank()
        self.session.pause(reason)
        self.changed.emit()

    def hold(self, reason: str) -> None:
        """Hide the image until the window is closed."""
        self._settling.stop()
        self.pause(reason)

    def toggle_reason(self, reason: str) -> None:
        """Add a reason to the last mark, or remove it."""
        self.marking.toggle_reason(reason)
        self.changed.emit()

    def retry(self) -> None:
        """Try again to write the journal."""
        self._writer.retry()

    def end(self) -> None:
        """Write and close the journal; does nothing if it is closed.

        Raises
        ------
        CowganError
            The journal cannot be written; it stays open, and `problem` says why.
        """
        if not self._ended:
            self._viewing.rest()
            self.session.stop()
            self._writer.flush()
            self.abandon()

    def abandon(self) -> None:
        """End without writing what is left."""
        self._ended = True
        self._settling.stop()
        self._presenter.close()
        self._writer.abandon()

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
            self.marking.answer(answer)

    def _commit(self) -> None:
        self._viewing.rest()
        if self._trial.phase != "practice":
            self._presenter.blank()
        self.session.commit(self._viewing.seen())
        self._settling.start()

    def _unpause(self) -> None:
        self.session.unpause()
        if self.session.state is State.LOADING:
            self._load()
        elif self.session.state in _WITH_IMAGE:
            self.image.reveal()
            if self.session.state in _JUDGING:
                self._viewing.resume()

    def _prepare(self) -> None:
        self._presenter.prepare((self.session.trial, self.session.upcoming))

    def _load(self) -> None:
        self._prepare()
        self._presenter.present(self._trial.cases)

    def _settle(self) -> None:
        if self.session.settle():
            self._settling.stop()
            self._prepare()
            self.changed.emit()

    def _on_drawn(self) -> None:
        if self.session.accepts("shown"):
            self.session.shown()
            self.resumed = False
            self._viewing.begin()
            self.changed.emit()

    def _on_pick(self, number: int, voxel: tuple[int, int, int]) -> None:
        if self.marking.add(voxel, self._trial.cases[number]):
            self.changed.emit()

    def _on_refusal(self) -> None:
        self.pause("disk")
        self.changed.emit()

    def _on_copy_refusal(self, problem: CowganError) -> None:
        self.session.interaction(copy_problem=problem.sentence)

    @property
    def _trial(self) -> Trial:
        trial = self.session.trial
        assert trial is not None
        return trial
