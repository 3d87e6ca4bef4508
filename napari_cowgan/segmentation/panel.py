"""Segmentation panel."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

import numpy as np
from numpy.typing import NDArray
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QEnterEvent, QShowEvent
from qtpy.QtWidgets import QCheckBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from cowgan.errors import CowganError
from cowgan.segmentation.monai_needed import MONAI_NEEDED, monai_is_installed
from cowgan.volume import Volume
from napari_cowgan.help.button import HelpButton
from napari_cowgan.help.topics import Topic
from napari_cowgan.segmentation.artery_table import ArteryTable
from napari_cowgan.segmentation.brush_bar import BrushBar
from napari_cowgan.segmentation.explorer_link import ExplorerLink
from napari_cowgan.segmentation.label_layers import LabelLayers
from napari_cowgan.segmentation.network_group import NetworkGroup
from napari_cowgan.segmentation.save_group import SaveGroup
from napari_cowgan.segmentation.source_group import SourceGroup
from napari_cowgan.segmentation.tasks import (
    Described,
    NetworkShelf,
    Segmented,
    describe,
    segment,
    volume_of,
)
from napari_cowgan.segmentation.unsaved_edits import UnsavedEdits
from napari_cowgan.viewer.camera import look_at_label, show_slices
from napari_cowgan.widgets.controls import Section, breakable, hint, row, scrolling, text_button
from napari_cowgan.widgets.docked import DockedPanel
from napari_cowgan.widgets.drops import dropped_path
from napari_cowgan.widgets.fields import Tick
from napari_cowgan.widgets.focus import FocusKeeper
from napari_cowgan.widgets.jobs import Job, JobBar
from napari_cowgan.widgets.latest_job import LatestJob
from napari_cowgan.widgets.problems import show_problem

if TYPE_CHECKING:
    import napari
    from napari.layers import Image, Labels

_EMPTY = (
    "Open a scan, or drop one here, then press Segment: its arteries are coloured, named and "
    "measured, and can be corrected with the brush. Volumes of the latent explorer can be "
    "segmented too."
)
_WAITING = "Waiting for the explorer to finish its volume."
_PAINTED = "Your corrections stay in their layer; the new result is in another one."
_PAUSE_MS = 300
"""Time without changes after which a label map is measured."""
_NETWORK_SUFFIX = ".safetensors"


class SegmentationPanel(DockedPanel):
    """Segments arteries, and shows, measures, corrects and saves label maps.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Viewer with the images and label maps; napari passes it by this name.
    """

    dock_title = "Segmentation"
    least_width = 300

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__(napari_viewer)
        self.source = SourceGroup(napari_viewer)
        self.network = NetworkGroup()
        self.explorer = ExplorerLink(napari_viewer, self)
        self.layers = LabelLayers(napari_viewer, self)
        self.follow = QCheckBox("Follow the explorer")
        self.follow.setToolTip(
            "Segment every volume of the latent explorer as soon as it is complete"
        )
        self.whole = Tick(
            "segmentation/whole_scan",
            "The whole scan",
            False,
            "Segment all of a large scan, rather than the surroundings of the Circle of Willis "
            "that networks know",
        )
        self.start = text_button("Segment", "Find the arteries in the image")
        self.job = JobBar()
        self.message = hint("")
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.title.setStyleSheet("font-weight: bold;")
        self.circle = hint("")
        self.table = ArteryTable()
        self.brush = BrushBar()
        self.only = text_button("Only this", "Show only the selected artery")
        self.all = text_button("Show all", "Show every artery")
        self.centre = text_button("Centre", "Centre the view on the selected artery")
        self.measuring = LatestJob(self, _PAUSE_MS)
        self.saving = SaveGroup(self.layers, self._scan)
        self.unsaved = UnsavedEdits(self, self.layers, self._save_layer)
        self._shelf = NetworkShelf()
        self._waiting = False
        self._said = ""
        self._measured: tuple[ReferenceType[Labels], NDArray[Any]] | None = None
        self._being_measured: tuple[ReferenceType[Labels], NDArray[Any]] | None = None
        self._focus = FocusKeeper(self)
        self._build()
        self._connect()
        self.setAcceptDrops(True)
        self._on_layer()

    # Construction

    def _build(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.addRow("Image", self.source)
        form.addRow("Network", self.network)
        form.addRow("", self.whole)
        form.addRow("", self.follow)
        self.result = QWidget()
        result = QVBoxLayout(self.result)
        result.setContentsMargins(0, 4, 0, 0)
        result.setSpacing(4)
        result.addWidget(self.title)
        result.addWidget(self.circle)
        result.addWidget(self.table)
        result.addLayout(row(self.only, self.all, self.centre))
        result.addWidget(self.brush)
        result.addWidget(Section("Save the arteries", self.saving))
        groups = QWidget()
        column = QVBoxLayout(groups)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(6)
        column.addLayout(form)
        for widget in (self.start, self.job, self.message, self.result):
            column.addWidget(widget)
        column.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(scrolling(groups))
        layout.addLayout(row(1, HelpButton(Topic.SEGMENTATION, self)))

    def _connect(self) -> None:
        self.start.clicked.connect(self.segment)
        self.source.changed.connect(self._on_source)
        self.network.changed.connect(self._refresh)
        self.explorer.changed.connect(self._refresh)
        self.explorer.completed.connect(self._on_explorer)
        self.follow.toggled.connect(self._on_follow)
        self.job.running_changed.connect(self._on_running)
        self.layers.changed.connect(self._on_layer)
        self.layers.brush_changed.connect(self._on_brush)
        self.measuring.found.connect(self._show_described)
        self.measuring.failed.connect(self._fail)
        self.table.picked.connect(self.pick)
        self.table.located.connect(self._centre_on)
        self.table.hidden_changed.connect(self._on_hidden)
        self.only.clicked.connect(self._show_only)
        self.all.clicked.connect(lambda: self._hide(set()))
        self.centre.clicked.connect(lambda: self._centre_on(self.table.chosen))
        self.brush.stopped.connect(self.layers.stop_painting)
        self.brush.slices_wanted.connect(lambda: show_slices(self._viewer, "axial"))
        jobs = (self.job, self.measuring, self.saving.job, self.saving.looking)
        self.destroyed.connect(partial(_shut_down, jobs))

    # Segmentation

    def segment(self) -> None:
        """Segment the chosen image in the background."""
        image, network = self.source.layer, self.network.path
        self.explorer.refresh()
        if image is None or network is None:
            return
        read = self._reader_of(image)
        self._waiting = read is None
        if read is None:
            self._show_message(_WAITING)
            return

        def show(segmented: Segmented) -> None:
            self._show_segmented(segmented, image, network)

        self._show_message("")
        self.job.run(
            "Window",
            partial(segment, read, network, self._shelf, self.whole.isChecked()),
            show,
            self._fail,
            lambda: self._show_message("Cancelled."),
        )

    def _reader_of(self, image: "Image") -> Callable[[], Volume] | None:
        """Return a function that returns the volume of an image; None while it is incomplete."""
        if image is self.explorer.layer:
            volume = self.explorer.volume
            return None if volume is None else lambda: volume
        data, options, _ = image.as_layer_data_tuple()
        return partial(volume_of, (data, options))

    def _show_segmented(self, segmented: Segmented, image: "Image", network: Path) -> None:
        painted = self.layers.edited and self.layers.image is image
        self.layers.show(segmented, image if image in self._viewer.layers else None, network)
        remarks = [_PAINTED] if painted else []
        self._show_message(" ".join([*remarks, *segmented.remarks]))

    def _on_source(self) -> None:
        # The first volume of an explorer comes with a layer.
        self.explorer.refresh()
        self._refresh()

    def _on_explorer(self) -> None:
        self._refresh()
        if self.follow.isChecked() or self._waiting:
            self.segment()

    def _on_follow(self, on: bool) -> None:
        layer = self.explorer.layer
        if on and layer is not None:
            self.source.choose(layer)
            self.segment()

    # Result

    def pick(self, value: int) -> None:
        """Paint an artery with the brush from now on."""
        self.layers.pick(value)

    def _on_layer(self) -> None:
        """Measure the label map that the user works on, and show its name."""
        layer = self.layers.followed
        self.result.setVisible(layer is not None)
        if layer is None:
            self.measuring.stop()
        else:
            self.title.setText(breakable(layer.name))
            if self._measured is None or self._measured[0]() is not layer:
                self.circle.setText("Measuring…")
            self.measuring.request(self._measurement)
        self._refresh()

    def _measurement(self) -> Callable[[Job], Described | None] | None:
        """Return what measures the labels, unless they are those in the table."""
        state = self.layers.state()
        layer = self.layers.followed
        if state is None or layer is None:
            return None
        if self._measured is not None:
            measured, data = self._measured
            if measured() is layer and np.array_equal(data, state[0]):
                return None

        def work(job: Job) -> Described | None:
            return describe(state, job)

        self._being_measured = ref(layer), state[0]
        return work

    def _show_described(self, described: Described | None) -> None:
        self._measured = self._being_measured
        if described is None:
            return
        self.table.show_arteries(described)
        self.table.show_hidden(self.layers.hidden)
        self.circle.setText(described.circle)
        self.circle.setVisible(bool(described.circle))
        self._on_brush()

    def _on_brush(self) -> None:
        layer = self.layers.followed
        self.brush.refresh(layer, self.layers.scheme, self._viewer.dims.ndisplay)
        if layer is not None and str(layer.mode) == "paint":
            self.table.show_picked(layer.selected_label)

    def _on_hidden(self) -> None:
        self.layers.hide(self.table.hidden)

    def _show_only(self) -> None:
        scheme, chosen = self.layers.scheme, self.table.chosen
        if scheme is not None and chosen is not None:
            self._hide(set(scheme.labels) - {chosen})

    def _hide(self, hidden: set[int]) -> None:
        self.layers.hide(hidden)
        self.table.show_hidden(hidden)

    def _centre_on(self, value: int | None) -> None:
        if self.layers.followed is not None and value is not None:
            look_at_label(self._viewer, self.layers.followed, value)

    # Saving

    def _scan(self) -> Callable[[], Volume] | None:
        """Return what reads the scan of the label map: what was segmented, or the chosen image."""
        volume, image = self.layers.volume, self.source.layer
        if volume is not None:
            return lambda: volume
        return None if image is None else self._reader_of(image)

    def _save_layer(self, layer: "Labels") -> None:
        self._viewer.layers.selection.active = layer
        self.to_front()
        self.saving.choose_file()

    # State of the panel

    def _on_running(self, running: bool) -> None:
        self._focus.during_work(running, self._refresh)

    def _refresh(self) -> None:
        idle = not self.job.running
        can = monai_is_installed()
        self.follow.setEnabled(can and self.explorer.layer is not None)
        ready = self.source.layer is not None and self.network.path is not None
        self.start.setEnabled(can and idle and ready)
        self._show_message(self._said)

    def _show_message(self, text: str) -> None:
        """Show a sentence on the last action; without one, what can be done."""
        self._said = text
        if not text and not monai_is_installed():
            text = f"{MONAI_NEEDED}."
        if not text and self.source.layer is None and self.layers.followed is None:
            text = _EMPTY
        self.message.setText(breakable(text))
        self.message.setVisible(bool(text))

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, CowganError):
            self._show_message(error.sentence)
        else:
            show_problem(self, error)

    # Window

    def enterEvent(self, event: QEnterEvent) -> None:
        """Look for the explorer, which may have been opened meanwhile."""
        self.explorer.refresh()
        super().enterEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Guard the window, and look for the explorer, which may have been opened meanwhile."""
        self.explorer.refresh()
        self.unsaved.attach()
        super().showEvent(event)

    def leave(self) -> None:
        """Stop following the viewer's layers, and stop all work."""
        self.source.leave()
        self.layers.leave()
        self.job.stop()
        self.measuring.stop()
        self.saving.looking.stop()

    # Drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept one file or folder."""
        if dropped_path(event) is not None and not self.job.running:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open a dropped scan, or choose a dropped network."""
        path = dropped_path(event)
        if path is None or self.job.running:
            return
        event.acceptProposedAction()
        if path.name.endswith(_NETWORK_SUFFIX):
            self.network.choose_file(path)
        else:
            self.source.open_scan(path)


def _shut_down(jobs: Sequence[JobBar | LatestJob], *_: object) -> None:
    for job in jobs:
        job.end()
