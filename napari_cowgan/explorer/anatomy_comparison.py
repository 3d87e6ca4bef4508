"""Real anatomies beside the model's volumes: marks on the map, and the nearest to the shown one."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from cowgan.errors import CowganError
from cowgan.latent.latent_map import Light
from cowgan.synthesis import Synthesizer
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.renderer import Rendered
from napari_cowgan.viewer.display import volume_to_layer
from napari_cowgan.widgets.controls import SWATCH, hint, row, swatch, text_button
from napari_cowgan.widgets.fields import PathField
from napari_cowgan.widgets.jobs import Job, JobBar
from napari_cowgan.widgets.latest_job import LatestJob
from napari_cowgan.widgets.problems import show_problem

if TYPE_CHECKING:
    import napari

    from cowgan.evaluation.known_anatomies import KnownAnatomies
    from cowgan.evaluation.replicas import NearestAnatomy

LIGHTS: Mapping[Light, str] = {"green": "#3fa34d", "amber": "#e6a100", "red": "#d64541"}

_UNKNOWN = (
    "Whether this volume repeats a training anatomy is not known: the program holds no training "
    "volumes. Choose the bank or folder that the model was trained on."
)
_READY = "Press Compare to compare this volume with the anatomies chosen above."
_LOOKING = "Looking for the nearest anatomy…"
_PAUSE_MS = 300
_RARE = 0.02
"""Share of false alarms up to which the light is red. Few people allow no lower one."""
_PARTS = {
    "whole": "as a whole",
    "left": "in its left half",
    "right": "in its right half",
    "front": "in its front half",
    "back": "in its back half",
}


class AnatomyComparison(QWidget):
    """A choice of real anatomies, and which of them the shown volume is most alike.

    Parameters
    ----------
    viewer : napari.Viewer
        Gets the nearest anatomy as a layer.
    model : ExplorerModel
        The model whose volumes are compared.

    Signals
    -------
    found : KnownAnatomies or None
        Anatomies to show on the map; None when there are none any more.
    """

    found = Signal(object)

    def __init__(self, viewer: "napari.Viewer", model: ExplorerModel) -> None:
        super().__init__()
        self._viewer, self._model = viewer, model
        self._rendered: Rendered | None = None
        self._nearest: NearestAnatomy | None = None
        self.known: KnownAnatomies | None = None
        self.bank = PathField(
            "map/anatomies",
            "Bank or folder of training volumes",
            "The bank or folder that the model was trained on, or other real anatomies",
        )
        self.compare = text_button(
            "Compare",
            "Mark these anatomies on the map, and find the one that the shown volume is most alike",
        )
        self.show_nearest = text_button(
            "Show it", "Open the nearest anatomy as a layer beside the volume"
        )
        self.job = JobBar()
        self._light = QLabel()
        self.verdict = hint("")
        self.remarks = hint("")
        self._searching = LatestJob(self, _PAUSE_MS)
        head = row(self._light, self.verdict)
        head.setStretch(1, 1)
        chosen = row(self.bank, self.compare)
        chosen.setStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(chosen)
        layout.addWidget(self.job)
        layout.addLayout(head)
        layout.addLayout(row(self.show_nearest, 1))
        layout.addWidget(self.remarks)
        self.bank.changed.connect(self._on_bank)
        self.compare.clicked.connect(self.start)
        self.show_nearest.clicked.connect(self.open_nearest)
        self.job.running_changed.connect(self._refresh)
        self._searching.found.connect(self._take_nearest)
        self._searching.failed.connect(self._fail_to_search)
        self._refresh()

    @property
    def searching(self) -> LatestJob:
        """The search for the nearest anatomy."""
        return self._searching

    def forget(self) -> None:
        """Drop the anatomies, as when another model is opened."""
        self.job.stop()
        self._searching.stop()
        self._rendered = self._nearest = None
        self._set_known(None)

    def follow(self, rendered: Rendered) -> None:
        """Look for the anatomy nearest to a complete volume that is shown."""
        self._searching.stop()
        self._rendered = rendered if rendered.preview_block is None else None
        self._nearest = None
        self.look()

    def look(self) -> None:
        """Look for the nearest anatomy if it is not known and can be seen."""
        rendered, known = self._rendered, self.known
        search = None if known is None else known.search
        idle = self._nearest is None and not self._searching.running
        if rendered is not None and search is not None and idle and self.isVisible():
            self._searching.request(lambda: lambda _: search.nearest(rendered.volume))
        self._refresh()

    def start(self) -> None:
        """Read, compare and encode the chosen anatomies in the background."""
        path, synthesizer = self.bank.path, self._model.synthesizer
        if path is None or synthesizer is None:
            return
        self._set_known(None)
        self.job.run(
            "Anatomy",
            lambda job: _known(path, synthesizer, job),
            self._set_known,
            lambda error: show_problem(self, error),
        )

    def open_nearest(self) -> None:
        """Open the nearest anatomy as a layer."""
        known, nearest = self.known, self._nearest
        if known is None or nearest is None:
            return
        try:
            volume = known.volumes.volume(nearest.index)
        except CowganError as error:
            show_problem(self, error)
            return
        data, options, _ = volume_to_layer(volume, nearest.name)
        self._viewer.add_image(data, **options)

    def _set_known(self, known: "KnownAnatomies | None") -> None:
        self.known, self._nearest = known, None
        self.found.emit(known)
        self.look()

    def _on_bank(self) -> None:
        self.job.stop()
        self._searching.stop()
        self._set_known(None)

    def _take_nearest(self, nearest: "NearestAnatomy") -> None:
        self._nearest = nearest
        self._refresh()

    def _fail_to_search(self, error: BaseException) -> None:
        self._refresh()
        self.verdict.setText(error.sentence if isinstance(error, CowganError) else str(error))

    def _refresh(self) -> None:
        chosen = self.bank.path is not None
        self.compare.setEnabled(
            chosen and self._model.synthesizer is not None and not self.job.running
        )
        nearest = self._nearest
        self.show_nearest.setVisible(nearest is not None)
        self._light.setVisible(nearest is not None)
        if nearest is not None:
            self._light.setPixmap(swatch(LIGHTS[_light(nearest)]).pixmap(SWATCH))
            self.verdict.setText(_sentence(nearest))
        elif not chosen:
            self.verdict.setText(_UNKNOWN)
        elif self.known is None:
            self.verdict.setText("" if self.job.running else _READY)
        else:
            self.verdict.setText("" if self.known.search is None else _LOOKING)
        remarks = () if self.known is None else self.known.remarks
        self.remarks.setText(" ".join(remarks))
        self.remarks.setVisible(bool(remarks))


def _sentence(nearest: "NearestAnatomy") -> str:
    mirrored = ", mirrored," if nearest.mirrored else ""
    alike = (
        f"Nearest anatomy: {nearest.name}{mirrored} {_PARTS[nearest.part]}, Dice {nearest.dice:.2f}"
    )
    rate = round(1 / nearest.false_alarms)
    if not nearest.flagged:
        return f"{alike}, as different people may be."
    doubt = ", but it takes more people to be sure" if _light(nearest) == "amber" else ""
    return (
        f"{alike}. Fewer than one in {rate} different people are so alike: it may be a copy{doubt}."
    )


def _light(nearest: "NearestAnatomy") -> Light:
    if not nearest.flagged:
        return "green"
    return "red" if nearest.false_alarms <= _RARE else "amber"


def _known(path: Path, synthesizer: Synthesizer, job: Job) -> "KnownAnatomies":
    from cowgan.evaluation.known_anatomies import known_anatomies

    return known_anatomies(path, synthesizer, job)
