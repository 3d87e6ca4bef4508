"""Collection of answers that arrive in the browser, while the study is open."""

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import QObject, QTimer, Signal

from cowgan.turing.serving.links import LINKS_FILE, SERVING
from cowgan.turing.serving.presence import last_change
from cowgan.turing.study.study import Study
from napari_cowgan.study import tasks
from napari_cowgan.widgets.jobs import Job

_LOOK_MS = 3000


class LiveCollection(QObject):
    """Looks every few seconds whether answers have arrived, and collects them in a thread.

    Parameters
    ----------
    idle : callable
        Returns whether nothing else works on the study.
    parent : QObject
        Qt parent.

    Signals
    -------
    looked
        It is time to show who reads.
    collected : StudyStatus
        Answers have been collected.
    """

    looked = Signal()
    collected = Signal(object)

    def __init__(self, idle: Callable[[], bool], parent: QObject) -> None:
        super().__init__(parent)
        self._idle = idle
        self._study: Study | None = None
        self._known: list[float | None] = []
        self._job: Job | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)

    def watch(self, study: Study) -> None:
        """Watch a study instead of any other."""
        if study is not self._study:
            self._study, self._known = study, []
        self._timer.start()

    def end(self) -> None:
        """Stop watching."""
        self._timer.stop()
        if self._job is not None:
            self._job.stop()

    def _look(self) -> None:
        study = self._study
        if study is None or not (study.folder / SERVING / LINKS_FILE).exists():
            return
        self.looked.emit()
        changes = _changes(study)
        if changes == self._known or self._job is not None or not self._idle():
            return
        self._job = Job(partial(tasks.study_status, study))
        self._job.succeeded.connect(partial(self._on_collected, study, changes))
        self._job.finished.connect(self._on_finished)
        self._job.start()

    def _on_collected(
        self, study: Study, changes: list[float | None], status: tasks.StudyStatus
    ) -> None:
        if study is self._study and self._idle() and status.refused is None:
            self._known = changes
            self.collected.emit(status)

    def _on_finished(self) -> None:
        self._job = None


def _changes(study: Study) -> list[float | None]:
    return [last_change(study.folder, reader) for reader in study.readers]
