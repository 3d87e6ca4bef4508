"""``cowgan turing`` as a script sees it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from turing_studies import write_model, write_volumes

from cowgan.turing.package import Package
from cowgan.turing.study import Study


def turing(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cowgan.cli", "turing", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def sources(tmp_path: Path) -> tuple[object, ...]:
    real = write_volumes(tmp_path / "real", 13)
    model = write_model(tmp_path / "model.safetensors")
    return "--real", real, "--generated", model, "--cases", 20


def test_new_freezes_a_study_with_a_package_for_each_reader(tmp_path, sources):
    result = turing("new", tmp_path / "study", *sources, "--readers", 3, "--seed", 7, "--json")
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert list(told["packages"]) == ["sub-R01", "sub-R02", "sub-R03"]
    study = Study.open(tmp_path / "study")
    assert (study.protocol.seed, study.protocol.cases, study.protocol.readers) == (7, 20, 3)
    for folder in sorted((tmp_path / "study" / "packages").iterdir()):
        package = Package.open(folder)
        assert package.manifest.key_commitment == told["key_commitment"]
        assert told["packages"][folder.name] == str(folder)


def test_new_takes_a_folder_as_generated_volumes_too(tmp_path, sources):
    generated = write_volumes(tmp_path / "generated", 13, seed=9)
    options = ("--design", "2afc", "--practice", 0, "--crop", "1,2,2")
    result = turing(
        *("new", tmp_path / "study", *sources[:2], "--generated", generated),
        *("--cases", 20, "--readers", 1, *options),
    )
    assert result.returncode == 0, result.stderr
    assert "10 trials for each reader" in result.stdout
    package = Study.open(tmp_path / "study").package("sub-R01")
    assert package.manifest.display.shape == (6, 12, 12)
    assert len(package.manifest.trials[0].cases) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--cases", 26), "needs 16 volumes"),
        (("--crop", "1,2"), "three numbers"),
        (("--generated", "nowhere.safetensors"), "There is no file"),
        (("--cases", 12, "--repeats", 4), "There is no order"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing(tmp_path, sources, options, words):
    result = turing("new", tmp_path / "study", *sources, *options)
    assert result.returncode == 2, result.stdout
    assert words in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("*study*"))
