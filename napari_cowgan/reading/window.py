"""Reading window, which shows a page of text or the image in each state."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QCloseEvent
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QApplication, QMainWindow, QStackedWidget, QWidget

from cowgan.errors import CowganError
from cowgan.turing.reading.manifest import Manifest
from cowgan.turing.reading.snapshot import State
from napari_cowgan.help.button import show_help
from napari_cowgan.help.topics import Topic
from napari_cowgan.reading import texts
from napari_cowgan.reading.answer_files import AnswerFiles
from napari_cowgan.reading.controller import ReadingController
from napari_cowgan.reading.image_area import ImageArea
from napari_cowgan.reading.keys import Action, KeyGate
from napari_cowgan.reading.page import Page
from napari_cowgan.reading.pages import session_page
from napari_cowgan.reading.style import STYLE
from napari_cowgan.reading.trial_page import TrialPage
from napari_cowgan.widgets.desktop import show_elsewhere
from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.problems import details, sentence

_AWAY_MS = 200
"""A window that becomes full-screen briefly loses the focus."""


class ReadingWindow(QMainWindow):
    """Shows a page of text, or the page of a trial.

    Before `begin`, it can only show the progress of checks and problems.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setWindowTitle(texts.WINDOW_TITLE)
        self.setStyleSheet(STYLE)
        self.resize(1280, 800)
        self.setAcceptDrops(False)
        self.reading: ReadingController | None = None
        self.files: AnswerFiles | None = None
        self.failure: BaseException | None = None
        self._checked = 0, 0
        self._focus_lost = False
        self._closing_refused = False
        self._choosing: Callable[[Path], None] | None = None
        self._choice_refused = ""
        self.trial_page: TrialPage | None = None
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
        """Add the page of a trial, and return its image area."""
        self.gate.design = manifest.rules.design
        self.trial_page = TrialPage(manifest, self.act, self._toggle_reason)
        self.stack.addWidget(self.trial_page)
        return self.trial_page.image

    def begin(self, reading: ReadingController) -> None:
        """Show a reading."""
        assert self.trial_page is not None
        self.reading = reading
        self.files = AnswerFiles(self, reading.package)
        self.files.saved.connect(self.refresh)
        self.trial_page.follow(reading)
        reading.changed.connect(self.refresh)
        reading.failed.connect(self.fail)
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
            self._show_trial()
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
        if self.trial_page is not None:
            self.trial_page.image.end()
        super().closeEvent(event)

    def _text(self) -> tuple[texts.Text | None, str]:
        """Return the page of the current state and its code; None for the image."""
        reading = self.reading
        if self.failure is not None:
            return texts.broken(sentence(self.failure), self.reading is not None), ""
        if self._choosing is not None:
            return texts.choose(self._choice_refused), ""
        if reading is None or self.files is None:
            return texts.opening(*self._checked), ""
        if reading.problem is not None:
            return texts.disk_refuses(reading.problem.sentence, self._closing_refused), ""
        return session_page(reading, self.files, self._focus_lost)

    def _show_trial(self) -> None:
        assert self.reading is not None
        assert self.trial_page is not None
        self._focus_lost = False
        self.trial_page.refresh(self.reading)
        if self.stack.currentWidget() is not self.trial_page:
            self._switch_to(self.trial_page)

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
        elif reading is None or self.files is None:
            return
        elif reading.problem is not None:
            if self._closing_refused:
                self._closing_refused = False
                self.close()
            else:
                reading.retry()
        elif reading.session.state is State.FINISHED:
            self.files.ask_for_zip()
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
        assert self.files is not None
        if name == texts.COPY_CODE:
            QApplication.clipboard().setText(self.page.code.text())
        elif name == texts.SHOW_FOLDER:
            show_elsewhere(self, self.files.folder)
        else:
            self.files.ask_for_receipt()

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
