"""The button and the key that open the documentation."""

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QApplication, QWidget

from cowgan.errors import CowganError
from napari_cowgan.help.topics import Topic, page_of
from napari_cowgan.widgets.desktop import show_elsewhere
from napari_cowgan.widgets.icons import IconButton
from napari_cowgan.widgets.problems import show_problem

HELP_TOOLTIP = "Help: open the page on this in the browser (F1); no network is needed"


class HelpButton(IconButton):
    """A "?" button that opens a documentation page in the browser, as F1 does in its panel.

    Parameters
    ----------
    topic : Topic
        Topic of the page.
    panel : QWidget
        The panel in which F1 opens the page.
    """

    def __init__(self, topic: Topic, panel: QWidget) -> None:
        super().__init__("help")
        self.topic = topic
        self._panel = panel
        self.setToolTip(HELP_TOOLTIP)
        self.setAccessibleName(HELP_TOOLTIP)
        inside = Qt.ShortcutContext.WidgetWithChildrenShortcut
        QShortcut(QKeySequence("F1"), panel, self.click, context=inside)
        self.clicked.connect(self._show)

    def _show(self) -> None:
        show_help(self._panel, self.topic)


def show_help(parent: QWidget | None, topic: Topic) -> None:
    """Open the page on a topic in the browser; if it is missing, show an error over `parent`."""
    try:
        page = page_of(topic)
    except CowganError as error:
        show_problem(parent, error)
    else:
        show_elsewhere(parent, page)


def show_documentation() -> None:
    """Open the home page of the documentation."""
    show_help(QApplication.activeWindow(), Topic.HOME)
