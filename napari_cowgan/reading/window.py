"""The reading window: what is in front of the reader in each state."""

from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QCloseEvent
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import (
    QApplication,
    QGridLayout,
    QMainWindow,
    QStackedWidget,
    QWidget,
)

from cowgan.errors import CowganError
from cowgan.turing.reading.manifest import Manifest
from cowgan.turing.reading.snapshot import State
from napari_cowgan.help.button import show_help
from napari_cowgan.help.topics import Topic
from napari_cowgan.reading import texts
from napari_cowgan.reading.answer_bar import AnswerBar
from napari_cowgan.reading.controller import Reading
from napari_cowgan.reading.image_area import ImageArea
from napari_cowgan.reading.keys import Action, KeyGate
from napari_cowgan.reading.page import Page
from napari_cowgan.reading.side_panel import SidePanel
from napari_cowgan.reading.style import STYLE
from napari_cowgan.reading.widgets import area
from napari_cowgan.widgets.desktop import show_elsewhere
from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.problems import details, sentence

_RECEIPTS = "Receipts (*.json)"
_ZIPS = "Zip files (*.zip)"
_AWAY_MS = 200
"""A window that becomes full-screen loses the focus for a moment."""


class ReadingWindow(QMainWindow):
    """Shows a page of text, or the picture with the answers.

    Before `begin` and without a reading it can only tell a problem.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(texts.WINDOW_TITLE)
        self.setStyleSheet(STYLE)
        self.resize(1280, 800)
        self.setAcceptDrops(False)
        self.reading: Reading | None = None
        self.failure: BaseException | None = None
        self._checked = 0, 0
        self._focus_lost = False
        self._closing_refused = False
        self._saved_told = ""
        self._choosing: Callable[[Path], None] | None = None
        self._choice_refused = ""
        self.image: ImageArea | None = None
        self.page = Page(
            self._on_page_go_on,
            self._on_page_also,
            self._on_page_other,
            partial(self.act, Action.HELP),
        )
        self.stack = QStackedWidget()
        self.stack.addWidget(self.page)
        self.setCentralWidget(self.stack)
        # Qt makes a window anew, without the focus, when its first canvas comes after it.
        QOpenGLWidget(self).hide()
        # Otherwise Qt puts some button in focus when the window comes to the front.
        self.setFocus()
        self.gate = KeyGate(self.act, self)
        self._away = QTimer(self)
        self._away.setInterval(_AWAY_MS)
        self._away.setSingleShot(True)
        self._away.timeout.connect(self._check_focus)

    def ask_for_package(self, use: Callable[[Path], None]) -> None:
        """Let the reader choose a package, then pass its folder to `use`.

        `use` refuses a folder with a `CowganError`, and another one can be chosen.
        """
        self._choosing = use
        self.refresh()

    def tell_checked(self, done: int, total: int) -> None:
        """Tell how many volumes of the package have been checked."""
        self._checked = done, total
        self.refresh()

    def make_room(self, manifest: Manifest) -> ImageArea:
        """Set up everything that surrounds the picture, and the picture itself."""
        rules = manifest.rules
        self.gate.design = rules.design
        self.image = ImageArea(manifest.display, rules)
        self.answers = AnswerBar(rules.design, self.act)
        self.side = SidePanel(rules, self.act, self._toggle_reason)
        self.image.drawn.connect(self.side.hint.clear)
        self.image.viewed.connect(lambda view: self._show_mip(view.mip))
        self._picture = area("reading")
        grid = QGridLayout(self._picture)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self.image, 0, 0)
        # In the order in which Tab visits them.
        grid.addWidget(self.answers, 1, 0, 1, 2)
        grid.addWidget(self.side, 0, 1)
        grid.setRowStretch(0, 1)
        grid.setColumnStretch(0, 1)
        self.stack.addWidget(self._picture)
        return self.image

    def begin(self, reading: Reading) -> None:
        """Lead through a reading."""
        self.reading = reading
        reading.changed.connect(self.refresh)
        reading.failed.connect(self.fail)
        reading.long_loading.connect(lambda: self.side.hint.setText(texts.LOADING))
        reading.long_looked.connect(lambda: self.side.hint.setText(texts.HINT))
        self.refresh()

    def fail(self, error: BaseException) -> None:
        """Tell why the reading cannot begin or go on; the first reason stays."""
        if self.failure is not None:
            return
        self.failure = error
        if self.reading is not None:
            self.reading.hold("problem")
        self.refresh()

    def act(self, action: Action) -> None:
        """Do what a key or a button asks for."""
        if action is Action.FULL_SCREEN:
            self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
        elif action is Action.HELP:
            show_help(self, Topic.READING)
        elif self.stack.currentWidget() is self.page and action is Action.GO_ON:
            self.page.press()
        elif self.reading is not None and self.failure is None:
            self.reading.act(action)

    def refresh(self) -> None:
        """Show what belongs to the present state."""
        text, code = self._text()
        if text is None:
            self._show_picture()
        elif self.page.show_text(text, code) or self.stack.currentWidget() is not self.page:
            self._turn_to(self.page)

    def changeEvent(self, event: QEvent) -> None:
        """Notice that the reader turns to another window."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self._away.start()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save, and close unless the disk refuses."""
        reading = self.reading
        if reading is not None:
            try:
                reading.end()
            except CowganError as error:
                if not self._closing_refused:
                    self._closing_refused = True
                    reading.problem = error
                    self.refresh()
                    event.ignore()
                    return
                reading.abandon()
        self.gate.close()
        self._away.stop()
        if self.image is not None:
            self.image.end()
        super().closeEvent(event)

    def _text(self) -> tuple[texts.Text | None, str]:
        """Return the page of the present state, None if it is the picture's."""
        reading = self.reading
        if self.failure is not None:
            return texts.broken(sentence(self.failure), self.reading is not None), ""
        if self._choosing is not None:
            return texts.choose(self._choice_refused), ""
        if reading is None:
            return texts.opening(*self._checked), ""
        if reading.problem is not None:
            return texts.disk_refuses(reading.problem.sentence, self._closing_refused), ""
        session, course, snapshot = reading.session, reading.course, reading.session.snapshot
        match session.state:
            case State.INSTRUCTIONS:
                return texts.instructions(course, snapshot.position), ""
            case State.CONSENT:
                return texts.consent(course, session.start_code), ""
            case State.DECLINED:
                return texts.DECLINED, ""
            case State.READY:
                return texts.ready(course, snapshot, reading.resumed), ""
            case State.BREAK:
                return texts.rest(course, snapshot), ""
            case State.PAUSED:
                return texts.pause(self._focus_lost), ""
            case State.FINISHED:
                return texts.finished(reading.folder, self._saved_told), session.finish_code or ""
        return None, ""

    def _show_picture(self) -> None:
        reading = self.reading
        assert reading is not None
        session = reading.session
        self._focus_lost = False
        if session.state is State.LOADING and session.trial is not None:
            self.side.show_trial(reading.course, session.trial)
            self.answers.show_trial(session.trial)
            self._show_mip(False)
        self.answers.refresh(session)
        saving = session.state in (State.COMMITTING, State.CLOSING)
        if saving or session.state is State.FEEDBACK:
            self.side.hint.setText(texts.SAVING if saving else "")
        marks: dict[int, list[Any]] = defaultdict(list)
        for number, mark in enumerate(session.snapshot.marks, 1):
            if session.trial is not None:
                side = session.trial.cases.index(mark["case"])
                marks[side].append((number, tuple(mark["voxel"])))
        self.image.show_marks(marks)
        self.side.marks.setVisible(reading.can_mark)
        self.side.marks.refresh([mark["reasons"] for mark in session.snapshot.marks])
        if self.stack.currentWidget() is not self._picture:
            self._turn_to(self._picture)

    def _show_mip(self, mip: bool) -> None:
        self.side.mip.setChecked(mip)
        self.answers.show_mip(mip)

    def _turn_to(self, widget: QWidget) -> None:
        self.stack.setCurrentWidget(widget)
        # Otherwise Qt puts some button in focus, and the space bar would press it.
        self.setFocus()

    def _on_page_go_on(self) -> None:
        reading = self.reading
        if self.failure is not None:
            QApplication.clipboard().setText(details(self.failure))
        elif self._choosing is not None:
            ask_for_file(self, texts.choose().go_on, self._on_chosen, folder=True)
        elif reading is None:
            return
        elif reading.problem is not None:
            if self._closing_refused:
                self._closing_refused = False
                self.close()
            else:
                reading.retry()
        elif reading.session.state is State.FINISHED:
            suggested = f"{reading.reader}_answers.zip"
            ask_for_file(self, "Save zip", self._save_answers, _ZIPS, save_as=suggested)
        elif reading.session.state is State.DECLINED:
            self.close()
        else:
            reading.act(Action.GO_ON)

    def _on_chosen(self, folder: Path) -> None:
        use, self._choosing = self._choosing, None
        assert use is not None
        try:
            use(folder)
        except CowganError as error:
            self._choosing, self._choice_refused = use, error.sentence
        self.refresh()

    def _on_page_also(self, what: str) -> None:
        assert self.reading is not None
        if what == texts.COPY_CODE:
            QApplication.clipboard().setText(self.page.code.text())
        elif what == texts.SHOW_FOLDER:
            show_elsewhere(self, self.reading.folder)
        else:
            suggested = f"{self.reading.reader}_receipt.json"
            ask_for_file(self, "Save receipt", self._save_receipt, _RECEIPTS, save_as=suggested)

    def _save_receipt(self, path: Path) -> None:
        assert self.reading is not None
        self._tell_saved(self.reading.save_receipt, path, texts.receipt_saved(path))

    def _save_answers(self, path: Path) -> None:
        assert self.reading is not None
        self._tell_saved(self.reading.save_answers, path, texts.answers_saved(path))

    def _tell_saved(self, save: Callable[[Path], None], path: Path, told: str) -> None:
        try:
            save(path)
            self._saved_told = told
        except CowganError as error:
            self._saved_told = error.sentence
        self.refresh()

    def _on_page_other(self) -> None:
        reading = self.reading
        if reading is not None and reading.session.state is State.CONSENT:
            reading.decline()
        else:
            self.close()

    def _toggle_reason(self, reason: str) -> None:
        if self.reading is not None:
            self.reading.toggle_reason(reason)

    def _check_focus(self) -> None:
        if self.reading is not None and self.isVisible() and not self.isActiveWindow():
            self._focus_lost = self.reading.with_image
            self.reading.lose_focus()
