"""Lock files, which the operating system releases when the holder dies."""

import os
import sys
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path

from cowgan.errors import CowganError
from cowgan.files import open_to_append

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class HeldLock:
    """A lock file held from creation until `release` or the end of the process.

    Parameters
    ----------
    path : Path
        Created if needed.

    Raises
    ------
    AlreadyHeld
        Another process, or another part of this one, holds it.
    CowganError
        The path is not a regular file; see `cowgan.files.open_to_append`.
    OSError
        The file cannot be created, or the file system does not support locks.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BufferedWriter | None = None
        while self._file is None:
            self._file = open_to_append(path)
            try:
                _lock(self._file.fileno())
                # The previous holder may have removed the file after it was opened here; this
                # lock would then be ineffective.
                if not _is_at(path, self._file.fileno()):
                    self.release()
            except (BlockingIOError, PermissionError) as error:
                self.release()
                raise AlreadyHeld(path) from error
            except OSError:
                self.release()
                raise

    def release(self) -> None:
        """Release the lock and keep the file; may be called again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def remove(self) -> None:
        """Remove the file and release the lock."""
        if sys.platform == "win32":
            # An open file cannot be removed there.
            self.release()
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
            return
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        self.release()


class AlreadyHeld(CowganError):
    """The lock is held elsewhere."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.parent} is in use by another window or process; close that first.")


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
