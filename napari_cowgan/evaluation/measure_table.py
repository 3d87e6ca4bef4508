"""Table of measures, generated beside real."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from cowgan.evaluation.evaluation_report import (
    digits_of,
    median_text,
    range_text,
    spread_text,
)
from cowgan.evaluation.measures import MEASURES, Measure
from cowgan.evaluation.stored_evaluation import StoredComparison, StoredMeasure
from napari_cowgan.widgets.controls import breakable, hint

_LIKE_REAL = {True: "yes", False: "no"}
_READINGS = {"low": "low is good", "high": "high is good", "like real": "as real is good"}


class MeasureTable(QWidget):
    """The measures of the comparison that decides."""

    def __init__(self) -> None:
        super().__init__()
        self.table = QTreeWidget()
        self.table.setHeaderLabels(["Measure", "Generated", "Real", "Like\nreal"])
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setStyleSheet("QTreeWidget::item { padding: 2px 0; }")
        self.table.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
        self.table.setAccessibleName("Measures")
        self.table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.table.header()
        header.setStretchLastSection(False)
        for column in range(self.table.columnCount()):
            resize = QHeaderView.ResizeMode
            header.setSectionResizeMode(
                column, resize.ResizeToContents if column else resize.Stretch
            )
        self.caption = hint("")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table)
        layout.addWidget(self.caption)

    def show_comparison(self, found: StoredComparison) -> None:
        """Show a comparison instead of the earlier one."""
        self.table.clear()
        items = [
            _item(measure, found.measures[measure.key])
            for measure in MEASURES
            if measure.key in found.measures
        ]
        self.table.addTopLevelItems(items)
        rows = len(items) * self.table.sizeHintForRow(0)
        self.table.setFixedHeight(self.table.header().sizeHint().height() + rows + 4)
        self.caption.setText(
            breakable(
                f"By {found.extractor.name}, with the {found.reference}. Generated: median of "
                f"random subsets of {found.n_subset} volumes. Real: what as many real volumes of "
                "other people reach, 5th to 95th percentile."
            )
        )


def _item(measure: Measure, found: StoredMeasure) -> QTreeWidgetItem:
    digits = digits_of(measure)
    item = QTreeWidgetItem(
        [
            measure.title,
            median_text(found.generated, digits),
            range_text(found.real, digits),
            _LIKE_REAL[found.like_real],
        ]
    )
    full = (
        f"{measure.title}: generated {spread_text(found.generated, digits)}, real "
        f"{spread_text(found.real, digits)}. {measure.meaning} ({_READINGS[measure.reading]})"
    )
    for column in range(item.columnCount()):
        item.setToolTip(column, full)
        if column:
            item.setTextAlignment(column, Qt.AlignmentFlag.AlignCenter)
    return item
