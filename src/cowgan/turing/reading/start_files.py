"""Start files for readers without Python: a README and scripts to double-click."""

from importlib.resources import files

from cowgan._version import __version__

_README = "README.txt"
_WINDOWS = "start-windows.bat"
_POSIX = "start-macos-linux.command"
EXECUTABLE = frozenset({_POSIX})
"""Those that a desktop starts only if the file system says that they are programs."""

LARGEST_START_FILE = 2**16
"""In bytes."""


def start_files(reader: str) -> dict[str, bytes]:
    """Return the content of each file, by name.

    They start the version of this program that made the package, and tell nothing that a
    reader must not know.

    Parameters
    ----------
    reader : str
        Name in the study.
    """
    folder = files("cowgan.turing.reading") / "start"
    contents = {}
    for name in (_README, _WINDOWS, _POSIX):
        text = (folder / name).read_text(encoding="utf-8")
        text = text.replace("{reader}", reader).replace("{version}", __version__)
        if name != _POSIX:
            # For the command interpreter and editor of Windows.
            text = text.replace("\n", "\r\n")
        contents[name] = text.encode()
    return contents
