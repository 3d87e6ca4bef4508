"""Reading window, which shows a page of text or the image in each state."""

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
from napari_cowgan.reading.controller import ReadingController
from napari_cowgan.reading.image_area import ImageArea
from napari_cowgan.reading.keys import Action, KeyGate
from napari_cowgan.reading.page import Page
from napari_cowgan.reading.pages import session_page
from napari_cowgan.reading.side_panel import SidePanel
from napari_cowgan.reading.style import STYLE
from napari_cowgan.reading.widgets import area
from napari_cowgan.widgets.desktop import show_elsewhere
from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.problems import details, sentence

_RECEIPTS = "Receipts (*.json)"
_ZIPS = "Zip files (*.zip)"
_AWAY_MS = 200
"""A window that becomes full-screen briefly loses the focus."""


class ReadingWindow(QMainWindow):
    """Shows a page of text, or the image with the answers.

    Before `begin`, it can only show the progress of checks and problems.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(texts.WINDOW_TITLE)
        self.setStyleSheet(STYLE)
        self.resize(1280, 800)
        self.setAcceptDrops(False)
        self.reading: ReadingController | None = None
        self.failure: BaseException | None = None
        self._checked = 0, 0
        self._focus_lost = False
        self._closing_refused = False
        self._saved_message = ""
        self._choosing: Callable[[Path], None] | None = None
        self._choice_refused = ""
        self.image: ImageArea | None = None
        self.page = Page(
            self._on_main,
            self._on_extra,
            self._on_last,
            partial(self.act, Action.HELP),
        )
        self.stack = QStackedWidget()
        self.stack.addWidget(self.page)
        self.setCentralWidget(self.stack)
        # Qt recreates a window without the focus when its first canvas is added later.
        QOpenGLWidget(self).hide()
        # Otherwise Qt focuses a button when the window is activated.
        self.setFocus()
        self.gate = KeyGate(self.act, self)
        self._away = QTimer(self)
        self._away.setInterval(_AWAY_MS)
        self._away.setSingleShot(True)
        self._away.timeout.connect(self._check_focus)

    def ask_for_package(self, use: Callable[[Path], None]) -> None:
        """Let the reader choose a package, and pass its folder to `use`.

        If `use` raises `CowganError`, the reader can choose another folder.
        """
        self._choosing = use
        self.refresh()

    def show_checked(self, done: int, total: int) -> None:
        """Show how many volumes of the package have been checked."""
        self._checked = done, total
        self.refresh()

    def add_image(self, manifest: Manifest) -> ImageArea:
        """Add the image area and the controls around it."""
        rules = manifest.rules
        self.gate.design = rules.design
        self.image = ImageArea(manifest.display, rules)
        self.answers = AnswerBar(rules.design, self.act)
        self.side = SidePanel(rules, self.act, self._toggle_reason)
        self.image.drawn.connect(self.side.hint.clear)
        self.image.viewed.connect(lambda view: self._show_mip(view.mip))
        self._image_page = area("reading")
        grid = QGridLayout(self._image_page)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self.image, 0, 0)
        # In tab order.
        grid.addWidget(self.answers, 1, 0, 1, 2)
        grid.addWidget(self.side, 0, 1)
        grid.setRowStretch(0, 1)
        grid.setColumnStretch(0, 1)
        self.stack.addWidget(self._image_page)
        return self.image

    def begin(self, reading: ReadingController) -> None:
        """Show a reading."""
        self.reading = reading
        reading.changed.connect(self.refresh)
        reading.failed.connect(self.fail)
        reading.long_loading.connect(lambda: self.side.hint.setText(texts.LOADING))
        reading.long_viewed.connect(lambda: self.side.hint.setText(texts.HINT))
        self.refresh()

    def fail(self, error: BaseException) -> None:
        """Show why the reading cannot start or continue; only the first error is shown."""
        if self.failure is not None:
            return
        self.failure = error
        if self.reading is not None:
            self.reading.hold("problem")
        self.refresh()

    def act(self, action: Action) -> None:
        """Carry out an action."""
        if action is Action.FULL_SCREEN:
            self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)
        elif action is Action.HELP:
            show_help(self, Topic.READING)
        elif self.stack.currentWidget() is self.page and action is Action.GO_ON:
            self.page.press()
        elif self.reading is not None and self.failure is None:
            self.reading.act(action)

    def refresh(self) -> None:
        """Show the page or the image of the current state."""
        text, code = self._text()
        if text is None:
            self._show_image()
        elif self.page.show_text(text, code) or self.stack.currentWidget() is not self.page:
            self._switch_to(self.page)

    def changeEvent(self, event: QEvent) -> None:
        """Detect that the reader switches to another window."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self._away.start()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save, and close unless the journal cannot be written."""
        reading = self.reading
        if reading is not None:
            try:
                reading.end()
            except CowganError:
                if not self._closing_refused:
                    self._closing_refused = True
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
        """Return the page of the current state and its code; None for the image."""
        reading = self.reading
        if self.failure is not None:
            return texts.broken(sentence(self.failure), self.reading is not None), ""
        if self._choosing is not None:
            return texts.choose(self._choice_refused), ""
        if reading is None:
            return texts.opening(*self._checked), ""
        if reading.problem is not None:
            return texts.disk_refuses(reading.problem.sentence, self._closing_refused), ""
        return session_page(reading, self._focus_lost, self._saved_message)

    def _show_image(self) -> None:
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
        self.side.marks.setVisible(reading.marking.allowed)
        self.side.marks.refresh([mark["reasons"] for mark in session.snapshot.marks])
        if self.stack.currentWidget() is not self._image_page:
            self._switch_to(self._image_page)

    def _show_mip(self, mip: bool) -> None:
        self.side.mip.setChecked(mip)
        self.answers.show_mip(mip)

    def _switch_to(self, widget: QWidget) -> None:
        self.stack.setCurrentWidget(widget)
        # Otherwise Qt focuses a button, and the space bar would press it.
        self.setFocus()

    def _on_main(self) -> None:
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

    def _on_extra(self, name: str) -> None:
        assert self.reading is not None
        if name == texts.COPY_CODE:
            QApplication.clipboard().setText(self.page.code.text())
        elif name == texts.SHOW_FOLDER:
            show_elsewhere(self, self.reading.folder)
        else:
            suggested = f"{self.reading.reader}_receipt.json"
            ask_for_file(self, "Save receipt", self._save_receipt, _RECEIPTS, save_as=suggested)

    def _save_receipt(self, path: Path) -> None:
        assert self.reading is not None
        self._save(self.reading.save_receipt, path, texts.receipt_saved(path))

    def _save_answers(self, path: Path) -> None:
        assert self.reading is not None
        self._save(self.reading.save_answers, path, texts.answers_saved(path))

    def _save(self, save: Callable[[Path], None], path: Path, message: str) -> None:
        try:
            save(path)
            self._saved_message = message
        except CowganError as error:
            self._saved_message = error.sentence
        self.refresh()

    def _on_last(self) -> None:
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
