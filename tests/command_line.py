"""The ``cowgan`` command within the process of the test, which saves the time of a start."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

from cowgan.cli import main


def cowgan(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command and return its exit status and what it printed."""
    command = ["cowgan", *map(str, arguments)]
    status = 0
    with (
        redirect_stdout(io.StringIO()) as out,
        redirect_stderr(io.StringIO()) as err,
        patch.object(sys, "argv", command),
    ):
        try:
            main()
        except SystemExit as end:
            assert isinstance(end.code, int)
            status = end.code
    return subprocess.CompletedProcess(command, status, out.getvalue(), err.getvalue())


def cowgan_process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, with changes to its environment."""
    return subprocess.run(
        [sys.executable, "-m", "cowgan.cli", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        env={**os.environ, **environment},
        check=False,
    )
