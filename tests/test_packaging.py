"""Tests of the built packages: content, light imports and a valid manifest."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from npe2 import PluginManifest

CHECKOUT = Path(__file__).parents[1]
ROOTS = {"napari_cowgan": CHECKOUT, "cowgan": CHECKOUT / "src"}


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build a wheel from a copy, since setuptools leaves and reuses files where it builds."""
    copy = tmp_path_factory.mktemp("checkout")
    for file in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / file, copy)
    for package, root in ROOTS.items():
        folder = (root / package).relative_to(CHECKOUT)
        shutil.copytree(
            CHECKOUT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "."]
    built = subprocess.run(command, cwd=copy, capture_output=True, encoding="utf-8")
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = copy.glob("*.whl")
    with ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("package", ROOTS)
def test_wheel_holds_exactly_the_files_of_the_checkout(wheel_names: set[str], package: str) -> None:
    root = ROOTS[package]
    on_disk = {
        file.relative_to(root).as_posix()
        for file in (root / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {name for name in wheel_names if name.startswith(f"{package}/")} == on_disk


@pytest.mark.parametrize("package", ROOTS)
def test_import_loads_neither_torch_nor_qt(package: str) -> None:
    code = f"import sys, {package}; print(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    heavy = {"torch", "napari", "qtpy", "superqt", "vispy", "PyQt6", "PySide6"}
    assert heavy.isdisjoint(done.stdout.split())


def test_manifest_names_only_what_can_be_imported() -> None:
    PluginManifest.from_distribution("napari-cowgan").validate_imports()
