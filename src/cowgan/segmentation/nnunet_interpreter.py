"""The Python interpreter that has nnU-Net v2: found, remembered, or set up.

nnU-Net replaces torch by the version it needs, so it lives in an environment of its own.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from platformdirs import user_data_path

from cowgan.documents import read_json
from cowgan.errors import Cancelled, CowganError
from cowgan.files import absolute, write_json
from cowgan.locking import AlreadyHeld, HeldLock
from cowgan.progress import Progress, Silent
from cowgan.segmentation.child_process import ChildProcess, foreign_environment
from cowgan.segmentation.nnunet_process import NnunetVersions, nnunet_process

REQUIREMENTS = (
    "nnunetv2==2.8.1",
    "dynamic-network-architectures==0.4.4",
    "acvl-utils==0.2.6",
    "batchgenerators==0.25.5",
    "batchgeneratorsv2==0.3.6",
    "timm==1.0.22",
    "torch==2.13.0",
    "torchvision==0.28.0",
)
"""What is installed. nnU-Net asks for any torchvision, and the newest would replace torch."""

OLDEST, TOO_NEW = (2, 8), (3,)
"""Versions of nnU-Net that the runner knows: from the first to before the second."""

_SETTING = "nnunet.json"
_ENVIRONMENT = "environment-"
_NEEDED_BYTES = 8 * 10**9
_LIMIT = 10_000


@dataclass(frozen=True)
class _Remembered:
    python: str


def default_folder() -> Path:
    """Return the user's folder of the environment of nnU-Net, and of what is remembered."""
    return user_data_path("napari-cowgan", appauthor=False) / "nnunet"


def remembered_interpreter(folder: Path | None = None) -> Path:
    """Return the interpreter that was set up.

    Parameters
    ----------
    folder : Path, optional
        As for `set_up`.

    Raises
    ------
    CowganError
        None was, or it is no longer there.
    """
    setting = (folder or default_folder()) / _SETTING
    if not setting.exists():
        raise CowganError(
            "nnU-Net is not set up; do so with cowgan segment setup-nnunet, which installs it in "
            "an environment of its own, or with its option --python if you have it elsewhere."
        )
    python = Path(read_json(setting, _Remembered, _LIMIT).python)
    if not python.exists():
        raise CowganError(
            f"{python}, the Python with nnU-Net, is no longer there; run cowgan segment "
            "setup-nnunet again."
        )
    return python


def remember(
    python: Path, folder: Path | None = None, progress: Progress | None = None
) -> NnunetVersions:
    """Check that an interpreter has nnU-Net, and use it from now on; returns its versions.

    Raises
    ------
    CowganError
        As for `check_interpreter`; what was remembered stays.
    """
    # Links are kept: that of a virtual environment leads to the interpreter without its packages.
    python = absolute(python)
    versions = check_interpreter(python, progress)
    write_json((folder or default_folder()) / _SETTING, {"python": str(python)})
    return versions


def check_interpreter(python: Path, progress: Progress | None = None) -> NnunetVersions:
    """Return the versions of nnU-Net and torch that an interpreter has.

    Raises
    ------
    CowganError
        It cannot be started, is no Python, or has no nnU-Net of a version that is supported.
    Cancelled
        The user cancelled.
    """
    versions = _versions(python, progress or Silent())
    for package, version in (("nnunetv2", versions.nnunetv2), ("torch", versions.torch)):
        if not version:
            raise CowganError(
                f"{python} has no {package}; install it there, or let cowgan segment setup-nnunet "
                "make an environment that has it."
            )
    if not OLDEST <= _numbers(versions.nnunetv2) < TOO_NEW:
        oldest = ".".join(map(str, OLDEST))
        raise CowganError(
            f"{python} has nnU-Net {versions.nnunetv2}; this program works with {oldest} or a "
            f"later {OLDEST[0]}."
        )
    return versions


def set_up(folder: Path | None = None, progress: Progress | None = None) -> NnunetVersions:
    """Install nnU-Net in an environment of its own, and use it from now on.

    Parameters
    ----------
    folder : Path, optional
        Holds the environment; by default in the user's data folder.
    progress : Progress, optional
        Told what is being installed.

    Returns
    -------
    NnunetVersions
        What has been installed.

    Raises
    ------
    CowganError
        There is too little disk space, the installation failed, or another process is at it.
        Nothing is left behind, and an environment that was set up before stays.
    Cancelled
        The user cancelled; as above.
    """
    folder, progress = folder or default_folder(), progress or Silent()
    environment = folder / f"{_ENVIRONMENT}{uuid4().hex[:8]}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = HeldLock(folder / "setup.lock")
    except AlreadyHeld as error:
        raise CowganError("nnU-Net is being set up by another process.") from error
    except OSError as error:
        raise CowganError(
            f"{folder} could not be written: {error.strerror or error}.", repr(error)
        ) from error
    try:
        free_bytes = shutil.disk_usage(folder).free
        if free_bytes < _NEEDED_BYTES:
            raise CowganError(
                f"nnU-Net and torch need up to {_NEEDED_BYTES / 1e9:.0f} GB, but only "
                f"{free_bytes / 1e9:.1f} GB are free in {folder}."
            )
        _run([sys.executable, "-m", "venv", str(environment)], "making an environment", progress)
        python = python_of(environment)
        options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
        command = [str(python), "-m", "pip", "install", *options, *REQUIREMENTS]
        _run(command, "installing nnU-Net", progress)
        versions = remember(python, folder, progress)
    except BaseException:
        shutil.rmtree(environment, ignore_errors=True)
        raise
    else:
        for other in folder.glob(f"{_ENVIRONMENT}*"):
            if other != environment:
                shutil.rmtree(other, ignore_errors=True)
        return versions
    finally:
        lock.remove()


def python_of(environment: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    parts = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    return environment.joinpath(*parts)


def _versions(python: Path, progress: Progress) -> NnunetVersions:
    with (
        tempfile.TemporaryFile() as log,
        nnunet_process(python, log, progress, {"action": "check"}) as process,
    ):
        try:
            for report in process.reports():
                if report.versions is not None:
                    return report.versions
        except Cancelled:
            raise
        except CowganError as error:
            raise CowganError(
                f"{python} cannot be used as the Python of nnU-Net: {error.sentence}", error.detail
            ) from error
    raise CowganError(f"{python} is no Python.")


def _run(command: Sequence[str], what: str, progress: Progress) -> None:
    """Run a command to its end, and report what pip collects, downloads and installs."""
    progress.report(0, 0, what)
    environment = foreign_environment()
    with tempfile.TemporaryFile() as log:
        try:
            with ChildProcess(command, log, "Python", environment) as child:
                for line in child.lines(progress):
                    if found := re.match(r"\s*(Collecting|Downloading|Installing) (\S+)", line):
                        what = f"{found[1].lower()} {found[2].rsplit('/')[-1]}"
                    progress.report(0, 0, what)
        except Cancelled:
            raise
        except CowganError as error:
            raise CowganError(
                f"nnU-Net could not be set up: {error.sentence}", error.detail
            ) from error


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
