import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import typer.main

from cowgan.cli.app import app
from cowgan.errors import CowganError
from cowgan.networks import NetworkConfig
from cowgan.segmentation.case_source import CaseSource
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.segmentation.unet import NETWORKS
from cowgan.settings import setting_fields
from cowgan.training.config import TrainingConfig
from cowgan.training.config_files import read_config
from cowgan.training.state_files import STATE_FILE
from napari_cowgan.training.new_segmentation import NewSegmentation
from napari_cowgan.training.run_settings import NewRun, Resumption, run_config

CHANGES = {"batch": 3, "accumulate": 2, "steps": 7, "save_every": 5, "sample_every": 6, "seed": 8}


@pytest.fixture
def run(tmp_path: Path) -> NewRun:
    config = run_config("projected", "Medium_v1", (16, 32), 4, 24, precision="fp32", **CHANGES)
    return NewRun(tmp_path / "bank", tmp_path / "a run", "projected", "Medium_v1", config, "cpu")


def parse(words: list[str]) -> dict:
    """Return the options of a command, whose names come first."""
    command, words = typer.main.get_command(app), list(words)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    return command.make_context(command.name, words).params


def test_the_copied_command_states_every_option_of_the_run(run):
    words = shlex.split(run.command_line())
    assert words[0] == "cowgan"
    options = parse(words[1:])
    assert (options["preset"], options["network"]) == ("projected", "Medium_v1")
    assert (options["bank"], options["out"], options["device"]) == (run.bank, run.folder, "cpu")
    for config, kind in ((run.config, TrainingConfig), (run.config.network, NetworkConfig)):
        stated = options.keys() & setting_fields(kind).keys()
        assert {name: options[name] for name in stated} == {n: getattr(config, n) for n in stated}


def test_a_process_is_given_every_setting_in_a_file(run):
    options = parse(run.prepare())
    assert read_config(options["config"], TrainingConfig()) == run.config
    assert (options["bank"], options["out"], options["device"]) == (run.bank, run.folder, "cpu")
    given = replace(run, init_from=run.folder.parent / "coarse")
    assert parse(given.prepare())["init_from"] == given.init_from


def test_a_segmentation_run_is_given_its_cases_and_every_setting(tmp_path):
    config = SegmentationConfig(network=NETWORKS["medium"], steps=7, seed=3)
    source = CaseSource.of(tmp_path / "images", tmp_path / "label maps", "territories")
    run = NewSegmentation(source, tmp_path / "a run", "medium", config, "cpu")
    options = parse(run.prepare())
    assert read_config(options["config"], SegmentationConfig()) == config
    copied = parse(shlex.split(run.command_line())[1:])
    assert (copied["network"], copied["steps"], copied["seed"]) == ("medium", 7, 3)
    for given in (options, copied):
        assert CaseSource.of(*(given[name] for name in ("images", "labels", "scheme"))) == source
        assert (given["out"], given["device"]) == (run.folder, "cpu")


@pytest.mark.parametrize("kind", ["generator", "segmentation"])
def test_a_run_is_continued_by_the_command_of_its_kind(kind, tmp_path):
    options = parse(Resumption(tmp_path, kind, "cpu", 9).prepare())
    assert (options["resume"], options["device"], options["steps"]) == (tmp_path, "cpu", 9)


def test_the_settings_of_another_run_are_not_overwritten(run):
    run.prepare()
    before = (run.folder / "config.toml").read_bytes()
    (run.folder / STATE_FILE).touch()
    with pytest.raises(CowganError, match="holds a run already"):
        replace(run, config=replace(run.config, seed=9)).prepare()
    assert (run.folder / "config.toml").read_bytes() == before
