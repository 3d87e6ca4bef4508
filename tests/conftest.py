"""Environment of all tests: a private home, a fixed thread count, a display for windows."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cowgan.errors import CowganError

# Read when napari, numpy, torch and Qt are first imported, so these cannot wait for a fixture.
_home = tempfile.TemporaryDirectory(prefix="cowgan-home-", ignore_cleanup_errors=True)
if (_xauthority := Path.home() / ".Xauthority").exists():
    os.environ.setdefault("XAUTHORITY", str(_xauthority))
for _name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
    os.environ.pop(_name, None)
# Processes of pytest-xdist would fight over the cores.
_threads = "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"
os.environ.update(
    HOME=_home.name,
    USERPROFILE=_home.name,
    NAPARI_CONFIG="",  # keeps napari's settings in memory
    OMP_NUM_THREADS=_threads,
    OPENBLAS_NUM_THREADS=_threads,
)

_CHECKOUT = Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Let our own code open no text in an encoding that depends on the locale.

    Python warns of it under ``-X warn_default_encoding``, with which ``.ci/test.sh`` starts it.
    """
    helpers = "|".join(path.stem for path in Path(__file__).parent.glob("*.py"))
    own = rf"tests\.|(napari_)?cowgan|({helpers})$"
    config.addinivalue_line("filterwarnings", f"error::EncodingWarning:{own}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the benchmarks to `make benchmark`."""
    benchmarks = collection_path == _CHECKOUT / "tests" / "benchmarks"
    return True if benchmarks and not config.getoption("benchmark_only", False) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    gui_folder = _CHECKOUT / "tests" / "gui"
    for item in items:
        if item.path.is_relative_to(gui_folder) or "qapp" in getattr(item, "fixturenames", ()):
            item.add_marker("gui")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: list) -> None:
    """Give each process a screen of its own: windows on one compete for the keyboard."""
    if sys.platform != "linux":
        return
    for spec in specs:
        if sys.flags.warn_default_encoding:  # is not inherited
            spec.python = f"{shlex.quote(sys.executable)} -X warn_default_encoding"
        server, spec.env["DISPLAY"] = _start_screen()
        config.add_cleanup(server.wait)
        config.add_cleanup(server.terminate)


def _start_screen() -> tuple[subprocess.Popen, str]:
    """Start a virtual screen and return its server and display name."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1000x24"]
    try:
        server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        raise pytest.UsageError("Install Xvfb, or use one process: `-n 0`.") from None
    finally:
        os.close(writing)
    with os.fdopen(reading, encoding="ascii") as number:
        display = number.readline().strip()
    if not display:
        raise pytest.UsageError("Xvfb does not start; use one process: `-n 0`.")
    return server, f":{display}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gui") and not _display_present():
        pytest.fail(
            "This test needs a display: use `make test`, or .ci/headless.sh before pytest.",
            pytrace=False,
        )


def _display_present() -> bool:
    return sys.platform != "linux" or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Return the folder of reference data that is not part of the repository."""
    folder = Path(os.environ.get("COWGAN_SHARED", _CHECKOUT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}; set COWGAN_SHARED to where they are")
    return folder


@pytest.fixture(scope="session")
def single_sentence() -> Callable[[pytest.ExceptionInfo[CowganError]], str]:
    """Return a check that an error is one readable sentence, which it returns."""

    def check(refusal: pytest.ExceptionInfo[CowganError]) -> str:
        sentence = str(refusal.value)
        assert sentence == refusal.value.sentence
        first_word = sentence.split()[0]
        assert first_word[0].isupper() or set("._/") & set(first_word), "starts with no name"
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert "Traceback" not in sentence
        assert len(sentence) < 400
        return sentence

    return check


@pytest.fixture
def single_threaded() -> Iterator[None]:
    """Keep torch to one thread: small networks spend their time waiting for a second one."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def few_samples() -> Iterator[None]:
    """Register from a tenth of the voxels that real heads need; simulated ones have less noise."""
    from cowgan.data import registration

    fewer = tuple(replace(level, samples=level.samples // 10) for level in registration._LEVELS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registration, "_LEVELS", fewer)
        yield
