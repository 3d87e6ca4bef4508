"""TensorBoard server for a run, in a subprocess; touches no widget."""

import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from cowgan.errors import CowganError
from cowgan.progress import Progress, advance

_TIMEOUT_S = 60
_HOST = "localhost"


class TensorBoard:
    """Serves one folder until it is stopped."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def serve(self, folder: Path, progress: Progress) -> str:
        """Serve a run's folder in place of any other, and return the address.

        Raises
        ------
        CowganError
            TensorBoard is not installed or does not start.
        Cancelled
            The user cancelled.
        """
        if find_spec("tensorboard") is None:
            raise CowganError(
                "TensorBoard is not installed; run: pip install “napari-cowgan[train]”."
            )
        self.stop()
        port = _free_port()
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder)]
        self._process = subprocess.Popen(
            [*command, "--host", _HOST, "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self._wait_for(port, progress)
        except CowganError:
            self.stop()
            raise
        return f"http://{_HOST}:{port}/"

    def stop(self) -> None:
        """Stop the server, if it is running."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None

    def _wait_for(self, port: int, progress: Progress) -> None:
        assert self._process is not None
        for second in range(_TIMEOUT_S):
            advance(progress, second, _TIMEOUT_S)
            if self._process.poll() is not None:
                raise CowganError("TensorBoard cannot be started in this environment.")
            try:
                socket.create_connection((_HOST, port), timeout=1).close()
            except OSError:
                time.sleep(1)
            else:
                return
        raise CowganError(f"TensorBoard did not start within {_TIMEOUT_S} seconds.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
