import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import typer.main

from cowgan.cli.app import app
from cowgan.errors import CowganError
from cowgan.networks import NetworkConfig
from cowgan.settings import setting_fields
from cowgan.training.config import TrainingConfig
from cowgan.training.config_files import read_config
from cowgan.training.state_files import STATE_FILE
from napari_cowgan.training.run_settings import NewRun, run_config

CHANGES = {"batch": 3, "accumulate": 2, "steps": 7, "save_every": 5, "sample_every": 6, "seed": 8}


@pytest.fixture
def run(tmp_path: Path) -> NewRun:
    config = run_config("projected", "Medium_v1", (16, 32), 4, 24, precision="fp32", **CHANGES)
    return NewRun(tmp_path / "bank", tmp_path / "a run", "projected", "Medium_v1", config, "cpu")


def parse(arguments: list[str]) -> dict:
    command = typer.main.get_command(app).commands["train"]
    return command.make_context("train", arguments).params


def test_the_copied_command_states_every_option_of_the_run(run):
    words = shlex.split(run.command_line())
    assert words[:2] == ["cowgan", "train"]
    options = parse(words[2:])
    assert (options["preset"], options["network"]) == ("projected", "Medium_v1")
    assert (options["bank"], options["out"], options["device"]) == (run.bank, run.folder, "cpu")
    for config, kind in ((run.config, TrainingConfig), (run.config.network, NetworkConfig)):
        stated = options.keys() & setting_fields(kind).keys()
        assert {name: options[name] for name in stated} == {n: getattr(config, n) for n in stated}


def test_a_process_is_given_every_setting_in_a_file(run):
    command, *arguments = run.prepare()
    assert command == "train"
    options = parse(arguments)
    assert read_config(options["config"], TrainingConfig()) == run.config
    assert (options["bank"], options["out"], options["device"]) == (run.bank, run.folder, "cpu")
    given = replace(run, init_from=run.folder.parent / "coarse")
    assert parse(given.prepare()[1:])["init_from"] == given.init_from


def test_the_settings_of_another_run_are_not_overwritten(run):
    run.prepare()
    before = (run.folder / "config.toml").read_bytes()
    (run.folder / STATE_FILE).touch()
    with pytest.raises(CowganError, match="holds a run already"):
        replace(run, config=replace(run.config, seed=9)).prepare()
    assert (run.folder / "config.toml").read_bytes() == before
