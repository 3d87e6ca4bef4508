"""Another program as a child process, with all processes that it starts."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Self

from cowgan.errors import Cancelled, CowganError
from cowgan.progress import Progress

_POLL_S = 0.1
_PATIENCE_S = 5.0
"""Time that a child has to end before it is killed."""
_TAIL_BYTES = 4000
_LAST_LINES = 3
_OWN_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")


def foreign_environment() -> dict[str, str]:
    """Return the environment for another interpreter, which this one's paths would lead astray."""
    return {name: value for name, value in os.environ.items() if name not in _OWN_VARIABLES}


class ChildProcess:
    """A program whose output is read line by line, and which ends with this context.

    As a context manager it ends the child and all processes of its group, which include those
    that the child started.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    log : binary file
        Open for reading and writing; receives what the child prints on standard error.
    name : str
        Start of sentences about it, such as ``"nnU-Net"``.
    environment : mapping of str to str, optional
        Its environment; by default that of this process.

    Raises
    ------
    CowganError
        The program cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: BinaryIO,
        name: str,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._name, self._log = name, log
        self._start = log.seek(0, os.SEEK_END)
        windows = sys.platform == "win32"
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                encoding="utf-8",
                errors="replace",
                start_new_session=not windows,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise CowganError(
                f"{command[0]} could not be started: {error.strerror or error}.", repr(error)
            ) from error
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def send(self, line: str) -> None:
        """Write a line to its standard input; if it has ended already, `lines` tells."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def lines(self, progress: Progress) -> Iterator[str]:
        """Yield lines of its standard output as they come.

        Raises
        ------
        Cancelled
            The user cancelled.
        CowganError
            It ended with an exit status other than 0, or was killed.
        """
        while True:
            if progress.cancelled:
                raise Cancelled
            try:
                line = self._lines.get(timeout=_POLL_S)
            except queue.Empty:
                # Processes that the child started may hold its output open after its death.
                if self._process.poll() is None or not self._lines.empty():
                    continue
                line = None
            if line is None:
                break
            yield line
        self._require_success(self._process.wait())

    def last_lines(self) -> str:
        """Return the last lines of its log, as one line."""
        lines = [line.strip() for line in self._tail().splitlines() if line.strip()]
        return " | ".join(lines[-_LAST_LINES:])

    def end(self) -> None:
        """End it with all processes of its group."""
        process = self._process
        if sys.platform == "win32":
            command = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
            subprocess.run(command, capture_output=True, check=False)
        else:
            self._signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_S)
            # Its helpers, such as the one that frees shared memory, notice its end themselves.
            until = time.monotonic() + 1
            while self._signal(0) and time.monotonic() < until:
                time.sleep(_POLL_S / 2)
            self._signal(signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            with suppress(OSError, ValueError):
                pipe.close()

    def _signal(self, number: int) -> bool:
        """Send a signal to the group, and return whether there is a process in it."""
        assert sys.platform != "win32"
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _require_success(self, status: int) -> None:
        if status == 0:
            return
        words = self.last_lines()
        last = f"; the end of its log: {words}" if words else ""
        if status < 0:
            killed = signal.Signals(-status).name
            what = f"was killed ({killed}), as happens when memory runs out"
        else:
            what = f"ended unexpectedly with exit status {status}"
        raise CowganError(f"{self._name} {what}{last}.", self._tail())

    def _tail(self) -> str:
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(self._start, size - _TAIL_BYTES))
        return self._log.read(_TAIL_BYTES).decode("utf-8", "replace")

    def _read(self) -> None:
        assert self._process.stdout is not None
        with suppress(OSError, ValueError):
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put(None)
