"""Directions that are called by what they change most."""

import pytest

from cowgan.checkpoint import load
from cowgan.latent import direction_effects
from cowgan.latent.effect_files import load_effects
from cowgan.measure.vessel_attributes import VESSEL_ATTRIBUTES, MeasuredVessels
from cowgan.synthesis import Direction
from napari_cowgan.explorer.panel import LatentExplorer

NAME = "Vessel volume +120 mm³"


@pytest.fixture
def explorer(lone_explorer, monkeypatch) -> LatentExplorer:
    """Return an explorer whose first direction alone changes what is measured."""
    digest = lone_explorer.model.directions[0].digest
    monkeypatch.setattr(direction_effects, "_SEEDS", 5)
    monkeypatch.setattr(direction_effects, "_SPREAD_SEEDS", 5)

    def measure(volume) -> MeasuredVessels:
        state = volume.provenance["state"]
        along = sum(edit["sigmas"] for edit in state["edits"] if edit_of(edit) == digest)
        values = dict.fromkeys((each.key for each in VESSEL_ATTRIBUTES), 1.0)
        return MeasuredVessels(
            values | {"volume_mm3": 1000 + state["seed"] + 120 * along}, (), {}, volume.data > 1
        )

    monkeypatch.setattr(direction_effects, "measure_vessels", measure)
    return lone_explorer


def edit_of(edit) -> str:
    """Return the digest of the direction of an edit in a provenance."""
    return Direction.from_dict(edit["direction"]).digest


@pytest.fixture
def named(explorer, qtbot) -> LatentExplorer:
    group = explorer.directions
    del explorer.model.directions[2:]
    explorer.model.directions_changed.emit()
    group.name_button.click()
    qtbot.waitUntil(lambda: not group.job.running, timeout=60_000)
    return explorer


def test_a_direction_is_called_by_what_was_measured(named, small_model, data_folder):
    first, second = named.directions.rows
    technical = first.direction.name
    assert first.label.text() == NAME
    assert first.detail.text().startswith(f"{technical} · block")
    assert NAME in first.label.toolTip()
    assert second.label.text() == second.direction.name
    assert second.detail.text().startswith("block")
    assert "nothing that is measured" in second.label.toolTip()
    assert not named.directions.name_button.isVisible()
    first.slider.setValue(1)
    assert NAME in named.model.undo_stack.undoText()
    # The direction itself stays the same, in sessions and favourites too.
    assert named.model.latent.edits[0].direction.name == technical
    model = load(small_model)
    kept = load_effects(data_folder / "direction_effects" / f"{model.sha256}.json", model)
    assert len(kept) == 2


def test_a_name_holds_for_the_blocks_that_were_measured(named):
    row = named.directions.rows[0]
    first, last = row.direction.first_block, row.direction.last_block
    row.set_blocks((3, 3) if (first, last) != (3, 3) else (0, 0))
    assert row.label.text() == row.direction.name
    row.set_blocks((first, last))
    assert row.label.text() == NAME


def test_the_name_that_a_user_gives_stays(named):
    group = named.directions
    group.rename(group.rows[0].direction, "Thicker")
    assert group.rows[0].label.text() == "Thicker"
    assert NAME in group.rows[0].label.toolTip()
    named.model.undo_stack.undo()
    assert group.rows[0].label.text() == NAME
