"""Control group for reading in the browser: personal links, and who reads."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtWidgets import (
    QApplication,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cowgan.errors import CowganError
from cowgan.turing.serving.links import Link, link_address, new_tokens, read_links, revoke
from cowgan.turing.serving.presence import reads_now
from cowgan.turing.serving.server import Address, is_served, served_origin
from cowgan.turing.study.study import Study
from cowgan.turing.timestamps import moment
from napari_cowgan.widgets.controls import SWATCH, hint, row, swatch, text_button
from napari_cowgan.widgets.problems import show_problem

_NOT_FROZEN = "Links can be made once the study is frozen."
_NOT_SERVED = (
    "Nobody can read in the browser now. Start the server on the computer that is to hold the "
    "answers:"
)
_SERVED = "Readers open {origin} with their personal links. Answers are collected automatically."
_ONCE = "Send this link to {reader} alone. It is not shown again."
_READS, _VALID, _NONE = "#74c68c", "#5fa8d3", "#9a9fa6"
_NO_LINK = "No link"
_MOST_LINES = 10


class BrowserGroup(QWidget):
    """Makes, shows once, and revokes the links with which readers read in the browser."""

    def __init__(self) -> None:
        super().__init__()
        self.advice = hint("")
        self.command = _read_only()
        self.command.setToolTip("Command that starts the server; the manual has all options")
        self.command.setAccessibleName("Command that starts the server")
        self.copy_command = text_button("Copy", "Copy the command")
        self.list = QTreeWidget()
        self.list.setHeaderLabels(["Reader", "Link", "Now"])
        self.list.setRootIsDecorated(False)
        self.list.setIndentation(0)
        self.list.setIconSize(SWATCH)
        self.list.setStyleSheet("QTreeWidget::item { padding: 3px 0; }")
        self.list.setToolTip("Readers and their links; select one to renew or revoke its link")
        self.list.setAccessibleName("Links of readers")
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.renew = text_button(
            "New link", "Make a personal link for the selected reader; an earlier one ends"
        )
        self.revoke = text_button(
            "Revoke", "End the selected reader's link at once, also where it is in use"
        )
        self.once = hint("")
        self.link = _read_only()
        self.link.setToolTip("The personal link; whoever has it can read as this reader")
        self.link.setAccessibleName("Personal link")
        self.copy = text_button("Copy link", "Copy the link, to send it to the reader")
        self._command_row = QWidget()
        self._command_row.setLayout(row(self.command, self.copy_command))
        self._link_row = QWidget()
        self._link_row.setLayout(row(self.link, self.copy))
        for line in (self._command_row, self._link_row):
            line.layout().setContentsMargins(0, 0, 0, 0)
            line.layout().setStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.advice)
        layout.addWidget(self._command_row)
        layout.addWidget(self.list)
        layout.addLayout(row(self.renew, self.revoke))
        layout.addWidget(self.once)
        layout.addWidget(self._link_row)
        self._study: Study | None = None
        self._shown: list[tuple[str, str, str, str]] = []
        self.list.currentItemChanged.connect(self._refresh_buttons)
        self.renew.clicked.connect(partial(self._change, self._renew))
        self.revoke.clicked.connect(partial(self._change, self._revoke))
        self.copy.clicked.connect(partial(_copy, self.link))
        self.copy_command.clicked.connect(partial(_copy, self.command))
        self._forget_link()
        self._refresh_buttons()

    @property
    def selected(self) -> str:
        """The selected reader; empty if there is none."""
        item = self.list.currentItem()
        return "" if item is None else item.text(0)

    def show_study(self, study: Study) -> None:
        """Show the links of a study, and forget one that is still on screen of another."""
        if self._study is None or self._study.folder != study.folder:
            self._forget_link()
        self._study = study
        self.refresh()

    def refresh(self) -> None:
        """Show whether the study is served, whose links are valid, and who reads."""
        if self._study is None:
            return
        study, folder = self._study, self._study.folder
        try:
            links = read_links(folder)
            origin = served_origin(folder)
        except CowganError as error:
            self.advice.setText(error.sentence)
            return
        served = study.frozen and is_served(folder)
        if served:
            self.advice.setText(_SERVED.format(origin=origin))
        else:
            self.advice.setText(_NOT_SERVED if study.frozen else _NOT_FROZEN)
        self.command.setText(f'cowgan turing serve "{folder}"')
        self.command.setCursorPosition(0)
        self._command_row.setVisible(study.frozen and not served)
        lines = [_line(folder, reader, links.get(reader)) for reader in study.readers]
        if lines != self._shown:
            self._show_lines(lines)
        self._refresh_buttons()

    def _show_lines(self, lines: list[tuple[str, str, str, str]]) -> None:
        selected, self._shown = self.selected, lines
        self.list.clear()
        for reader, state, now, colour in lines:
            item = QTreeWidgetItem([reader, state, now])
            item.setIcon(1, swatch(colour))
            for column in range(3):
                item.setToolTip(column, f"{reader}: {state.lower()}{now and ', '}{now.lower()}")
            self.list.addTopLevelItem(item)
            if reader == selected or self.list.currentItem() is None:
                self.list.setCurrentItem(item)
        height = self.list.header().sizeHint().height()
        height += min(max(len(lines), 1), _MOST_LINES) * self.list.sizeHintForRow(0)
        self.list.setFixedHeight(height + 2 * self.list.frameWidth() + 2)

    def _refresh_buttons(self) -> None:
        frozen = self._study is not None and self._study.frozen
        reader = self.selected
        state = next((line[1] for line in self._shown if line[0] == reader), _NO_LINK)
        self.renew.setEnabled(frozen and bool(reader))
        self.renew.setText("New link" if state == _NO_LINK else "Renew link")
        self.revoke.setEnabled(frozen and state != _NO_LINK)

    def _change(self, change: Callable[[Path, str], None]) -> None:
        if self._study is None:
            return
        self._forget_link()
        try:
            change(self._study.folder, self.selected)
        except CowganError as error:
            show_problem(self, error)
        self.refresh()

    def _renew(self, folder: Path, reader: str) -> None:
        token = new_tokens(folder, [reader])[reader]
        origin = served_origin(folder) or Address().origins[0]
        self.link.setText(link_address(origin, token))
        self.link.setCursorPosition(0)
        self.once.setText(_ONCE.format(reader=reader))
        self.once.show()
        self._link_row.show()

    def _revoke(self, folder: Path, reader: str) -> None:
        revoke(folder, [reader])

    def _forget_link(self) -> None:
        self.link.clear()
        self.once.hide()
        self._link_row.hide()


def _line(study: Path, reader: str, link: Link | None) -> tuple[str, str, str, str]:
    """Return a reader, the state of the link, what happens now, and a colour."""
    if link is None:
        return reader, _NO_LINK, "", _NONE
    until = moment(link.expires).astimezone().strftime("%d %b %Y")
    if not link.valid():
        return reader, f"Expired {until}", "", _NONE
    reads = reads_now(study, reader)
    return reader, f"Valid until {until}", "Reads" if reads else "", _READS if reads else _VALID


def _read_only() -> QLineEdit:
    field = QLineEdit()
    field.setReadOnly(True)
    return field


def _copy(field: QLineEdit) -> None:
    QApplication.clipboard().setText(field.text())
