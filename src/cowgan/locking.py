"""A lock that the operating system releases when its holder dies."""

import os
import sys
from pathlib import Path

from cowgan.errors import CowganError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class HeldLock:
    """Holds a lock file from creation until `release` or the end of the process.

    Parameters
    ----------
    path : Path
        Created if needed, and left behind: only the lock on it counts.

    Raises
    ------
    AlreadyHeld
        Another process, or another part of this one, holds it.
    OSError
        The file cannot be created, or its disk knows no locks.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _lock(self._descriptor)
        except (BlockingIOError, PermissionError) as error:
            self.release()
            raise AlreadyHeld(path) from error
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Let go; harmless if it was released before."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


class AlreadyHeld(CowganError):
    """Somebody else holds the lock."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.parent} is in use by another window or process; close that first.")


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
