"""Non-blocking dialogs that ask for a file, a name or a number."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QInputDialog, QWidget

from napari_cowgan.widgets.remembered import last_folder, remember_folder


def ask_for_file(
    parent: QWidget,
    title: str,
    use: Callable[[Path], None],
    filters: str = "",
    *,
    save_as: str = "",
    folder: bool = False,
) -> None:
    """Ask for a path, then pass it to `use`.

    Parameters
    ----------
    parent : QWidget
        Parent of the dialog.
    title : str
        Title of the dialog.
    use : callable
        Called with the path unless the user cancels.
    filters : str
        Qt file filters.
    save_as : str
        Suggested name of a file to write, whose suffixes are added to a name without any;
        by default, ask for a file to read.
    folder : bool
        Ask for a folder.
    """
    dialog = QFileDialog(parent, title, last_folder(), filters)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if save_as:
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(save_as.partition(".")[2])
        dialog.selectFile(save_as)
    elif folder:
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    else:
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)

    def chosen(name: str) -> None:
        remember_folder(Path(name))
        use(Path(name))

    dialog.fileSelected.connect(chosen)
    dialog.open()


def ask_for_name(
    parent: QWidget,
    title: str,
    use: Callable[[str], None],
    name: str = "",
    what: str = "Name",
) -> None:
    """Ask for a name or other text, then pass it to `use` unless it is blank."""
    dialog = QInputDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.setLabelText(what)
    dialog.setTextValue(name)
    dialog.textValueSelected.connect(lambda typed: use(typed.strip()) if typed.strip() else None)
    dialog.open()


def ask_for_count(
    parent: QWidget,
    title: str,
    question: str,
    use: Callable[[int], None],
    minimum: int,
    maximum: int,
    value: int,
) -> None:
    """Ask for an integer, then pass it to `use`."""
    dialog = QInputDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.setLabelText(question)
    dialog.setInputMode(QInputDialog.InputMode.IntInput)
    dialog.setIntRange(minimum, maximum)
    dialog.setIntValue(value)
    dialog.intValueSelected.connect(use)
    dialog.open()
