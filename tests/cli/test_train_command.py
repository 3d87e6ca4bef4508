import dataclasses

import pytest
import typer.main

from cowgan.cli.app import app
from cowgan.errors import CowganError
from cowgan.networks import PRESETS, NetworkConfig
from cowgan.settings import setting_fields
from cowgan.training.config import TrainingConfig, preset

FIELDS = {**setting_fields(TrainingConfig), **setting_fields(NetworkConfig)}
BOUNDED = [
    name for name, field in setting_fields(TrainingConfig).items() if field.setting.high < 1e30
]


def test_every_setting_is_documented() -> None:
    names = {
        field.name
        for config in (TrainingConfig, NetworkConfig)
        for field in dataclasses.fields(config)
    }
    assert names - set(FIELDS) == {"network"}
    assert all(field.setting.text for field in FIELDS.values())


def test_options_explain_settings_as_their_fields_do() -> None:
    options = typer.main.get_command(app).commands["train"].params
    helps = {option.name: option.help for option in options if option.name in FIELDS}
    assert len(helps) == 11
    assert helps == {name: f"{FIELDS[name].setting.text}." for name in helps}


@pytest.mark.parametrize("name", BOUNDED)
def test_a_value_out_of_bounds_is_refused(name: str) -> None:
    config = preset("modern", PRESETS["Small"])
    setting = FIELDS[name].setting
    for value in (setting.low - 1, setting.high * 2):
        with pytest.raises(CowganError, match=f"Training's {name} must lie between"):
            config.with_changes(**{name: FIELDS[name].kind(value)})
