"""Wizard for a new study."""

# superqt is only partly typed.
# mypy: allow-untyped-calls

from functools import partial

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget, QWizard

from cowgan.turing.design.protocol import Protocol
from cowgan.turing.study.study import Study
from napari_cowgan.help.button import HelpButton
from napari_cowgan.help.topics import Topic
from napari_cowgan.study.new_study import Availability, Origins, make_study
from napari_cowgan.study.power_view import PowerView
from napari_cowgan.study.reading_page import ReadingPage
from napari_cowgan.study.save_page import SavePage
from napari_cowgan.study.size_page import SizePage
from napari_cowgan.study.volumes_page import VolumesPage
from napari_cowgan.widgets.jobs import JobBar
from napari_cowgan.widgets.problems import show_problem

_STEPS = ("Volumes", "Readers and cases", "Reading", "Save")
_SIZE = (1100, 560)
_STEPS_WIDTH = 190


class StudyWizard(QWizard):
    """Collects the settings of a study, then creates it.

    Settings are remembered if the wizard is closed.

    Parameters
    ----------
    parent : QWidget
        Parent window.

    Signals
    -------
    made : Study
        The new study.
    """

    made = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("New visual Turing test")
        self.setWizardStyle(QWizard.WizardStyle.ClassicStyle)
        self.setOption(QWizard.WizardOption.NoBackButtonOnStartPage)
        self.setOption(QWizard.WizardOption.HaveHelpButton)
        self.setButton(QWizard.WizardButton.HelpButton, HelpButton(Topic.NEW_STUDY, self))
        self.setButtonText(QWizard.WizardButton.FinishButton, "Make study")
        self.volumes = VolumesPage()
        self.size_page = SizePage(self)
        self.reading = ReadingPage()
        self.save = SavePage(self)
        self._steps = _Steps()
        self.setSideWidget(self._steps)
        for page in (self.volumes, self.size_page, self.reading, self.save):
            page.layout().setContentsMargins(16, 8, 8, 8)
            self.addPage(page)
        self.resize(*_SIZE)
        self.currentIdChanged.connect(self._on_page)
        self.save.job.running_changed.connect(self._on_running)
        self.destroyed.connect(partial(_shut_down, self.size_page.power, self.save.job))

    def protocol(self) -> Protocol:
        """Return the protocol chosen on all pages.

        Raises
        ------
        CowganError
            The choices contradict each other.
        """
        size, volumes = self.size_page, self.volumes
        return Protocol(
            seed=int(self.save.seed.value()),
            readers=size.readers.value(),
            cases=size.cases.value(),
            repeats=size.repeats.value(),
            practice=size.practice.value(),
            impressions=size.impressions.value(),
            psi=volumes.psi.value(),
            crop=self.reading.crop_voxels,
            margin_auc=round(size.margin.value(), 2),
            rules=self.reading.rules(size.design.chosen),
        )

    def origins(self) -> Origins | None:
        """Return the origins of the volumes; None if they are not chosen yet."""
        return self.volumes.origins

    def availability(self) -> tuple[Availability, Availability] | None:
        """Return the available real and generated volumes; None if unknown."""
        return self.volumes.availability

    def accept(self) -> None:
        """Create the study, then close the wizard."""
        target, origins = self.save.target, self.origins()
        if target is None or origins is None or self.save.job.running:
            return

        def finish(study: Study) -> None:
            self.made.emit(study)
            super(StudyWizard, self).accept()

        work = partial(make_study, target, origins, self.protocol())
        self.save.job.run("Creating: step", work, finish, partial(show_problem, self))

    def reject(self) -> None:
        """Cancel creating the study, or close the wizard."""
        if self.save.job.running:
            self.save.job.stop()
        else:
            super().reject()

    def _on_page(self, number: int) -> None:
        self._steps.show_step(number)

    def _on_running(self, running: bool) -> None:
        for button in (QWizard.WizardButton.BackButton, QWizard.WizardButton.CancelButton):
            self.button(button).setDisabled(running)


class _Steps(QWidget):
    """List of steps, with the current one in bold."""

    def __init__(self) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 18, 14, 8)
        layout.setSpacing(14)
        # Bold text must not widen the column.
        self.setFixedWidth(_STEPS_WIDTH)
        self._labels = [QLabel(f"{n}  {name}") for n, name in enumerate(_STEPS, 1)]
        for label in self._labels:
            layout.addWidget(label)
        layout.addStretch(1)

    def show_step(self, number: int) -> None:
        """Show a step as the current one."""
        for place, label in enumerate(self._labels):
            font = label.font()
            font.setBold(place == number)
            label.setFont(font)
            label.setEnabled(place <= number)


def _shut_down(power: PowerView, job: JobBar, *_: object) -> None:
    power.end()
    job.end()
