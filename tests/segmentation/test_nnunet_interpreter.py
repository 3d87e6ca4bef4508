"""Tests of the Python that has nnU-Net: checked, remembered, set up."""

import os

import pytest
from fake_nnunet import VERSIONS, fake_python

from cowgan.errors import Cancelled, CowganError
from cowgan.segmentation import nnunet_interpreter
from cowgan.segmentation.nnunet_interpreter import (
    check_interpreter,
    python_of,
    remember,
    remembered_interpreter,
    set_up,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the fake Python is a shell script")


class CancelAfter:
    """Cancels after some reports."""

    def __init__(self, count: int) -> None:
        self._left = count

    def report(self, done: int, total: int, message: str = "") -> None:
        self._left -= 1

    @property
    def cancelled(self) -> bool:
        return self._left <= 0


def test_a_named_interpreter_is_remembered(tmp_path) -> None:
    python = fake_python(tmp_path / "fake")
    assert remember(python, tmp_path / "settings").nnunetv2 == "2.8.1"
    assert remembered_interpreter(tmp_path / "settings") == python


def test_a_link_to_a_python_stays_a_link(tmp_path) -> None:
    # The interpreter of a virtual environment is one, and works only under its own name.
    link = tmp_path / "linked"
    link.symlink_to(fake_python(tmp_path / "fake"))
    remember(link, tmp_path / "settings")
    assert remembered_interpreter(tmp_path / "settings") == link


@pytest.mark.parametrize(
    ("versions", "said"),
    [
        ({"nnunetv2": ""}, "has no nnunetv2"),
        ({"torch": ""}, "has no torch"),
        ({"nnunetv2": "2.5.1"}, "nnU-Net 2.5.1; this program works with 2.8"),
        ({"nnunetv2": "3.0"}, "nnU-Net 3.0; this program works with 2.8"),
    ],
)
def test_other_versions_are_refused_and_not_remembered(tmp_path, versions, said) -> None:
    python = fake_python(tmp_path / "fake", VERSIONS | versions)
    with pytest.raises(CowganError, match=said):
        remember(python, tmp_path / "settings")
    with pytest.raises(CowganError, match="setup-nnunet"):
        remembered_interpreter(tmp_path / "settings")


@pytest.mark.parametrize("program", ["/bin/true", "/bin/ls", "/nowhere/python"])
def test_what_is_no_python_is_refused_by_name(program) -> None:
    with pytest.raises(CowganError, match=program):
        check_interpreter(program)


def test_an_interpreter_that_went_away_is_told(tmp_path) -> None:
    python = fake_python(tmp_path / "fake")
    remember(python, tmp_path / "settings")
    python.unlink()
    with pytest.raises(CowganError, match="no longer there"):
        remembered_interpreter(tmp_path / "settings")


def test_a_failed_installation_leaves_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(nnunet_interpreter, "REQUIREMENTS", (f"nowhere @ file://{tmp_path}/none",))
    with pytest.raises(CowganError, match="could not be set up") as caught:
        set_up(tmp_path / "nnunet")
    assert "exit status 1" in caught.value.sentence
    assert not list((tmp_path / "nnunet").iterdir())


def test_a_cancelled_installation_leaves_nothing(tmp_path) -> None:
    with pytest.raises(Cancelled):
        set_up(tmp_path / "nnunet", CancelAfter(1))
    assert not list((tmp_path / "nnunet").iterdir())


def test_an_environment_that_works_outlives_a_failed_installation(tmp_path, monkeypatch) -> None:
    older = tmp_path / "nnunet" / "environment-older"
    python = fake_python(tmp_path / "fake")
    older.mkdir(parents=True)
    python.rename(older / "python")
    remember(older / "python", tmp_path / "nnunet")
    with pytest.raises(Cancelled):
        set_up(tmp_path / "nnunet", CancelAfter(1))
    assert remembered_interpreter(tmp_path / "nnunet") == older / "python"


def test_too_little_space_is_told_beforehand(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(nnunet_interpreter, "_NEEDED_BYTES", 10**18)
    with pytest.raises(CowganError, match="are free"):
        set_up(tmp_path / "nnunet")


def test_an_environment_is_made_and_remembered(tmp_path, monkeypatch) -> None:
    package = tmp_path / "package"
    (package / "nnunetv2" / "training" / "nnUNetTrainer").mkdir(parents=True)
    for folder in ("nnunetv2", "nnunetv2/training", "nnunetv2/training/nnUNetTrainer", "torch"):
        (package / folder).mkdir(exist_ok=True)
        (package / folder / "__init__.py").touch()
    (package / "nnunetv2/training/nnUNetTrainer/nnUNetTrainer.py").touch()
    (package / "torch/__init__.py").write_text(
        "class cuda:\n    is_available = bool\n\n\nclass backends:\n    mps = cuda\n",
        encoding="utf-8",
    )
    for name, version in (("nnunetv2", "2.9"), ("torch", "2.13")):
        info = package / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8"
        )
    folder = tmp_path / "nnunet"

    def install(command, what, progress):
        plain_run(command if "venv" in command else [command[0], "-c", "print('Collecting x')"],
                  what, progress)  # fmt: skip
        site = next(folder.glob("environment-*/lib/python*/site-packages"), None)
        if site is not None:
            (site / "package.pth").write_text(str(package), encoding="utf-8")

    plain_run = nnunet_interpreter._run
    monkeypatch.setattr(nnunet_interpreter, "_run", install)
    found = set_up(folder)
    assert (found.nnunetv2, found.torch, found.gpus) == ("2.9", "2.13", 0)
    (environment,) = folder.glob("environment-*")
    assert remembered_interpreter(folder) == python_of(environment)
