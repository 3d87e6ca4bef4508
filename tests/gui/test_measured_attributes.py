"""What the explorer measures of a volume, and its sliders in mm and mm³."""

import math
import threading
import time
from dataclasses import replace

import pytest
from gui_events import click
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from cowgan.checkpoint import load
from cowgan.latent.artery_steering import SteeringOutcome, SteeringStep
from cowgan.latent.attribute_files import save_attributes
from cowgan.latent.attributes import AttributeDirection
from cowgan.latent.components import pca_directions
from cowgan.measure import vessel_attributes
from cowgan.measure.communicating_courses import BodySide
from cowgan.measure.vessel_attributes import MeasuredVessels
from cowgan.segmentation.artery_attributes import ATTRIBUTES, STEERED
from napari_cowgan.explorer import attribute_group, attribute_row, live_measurement, steering_row
from napari_cowgan.explorer.live_measurement import Measured

KEY, PRESENCE, PCOM = "volume_mm3", "l_pcom_present", "l_pcom_diameter_mm"
PER_SIGMA = 40.0


def position(state) -> float:
    """Return how far a state has moved along the directions of attributes."""
    return sum(edit.sigmas for edit in state.edits if edit.direction.method == "attribute")


def values_of(volume) -> MeasuredVessels:
    """Measure what a model would that follows its directions, but less and less."""
    state = volume.provenance["state"]
    moved = sum(e["sigmas"] for e in state["edits"] if e["direction"]["method"] == "attribute")
    empty = dict.fromkeys((each.key for each in vessel_attributes.VESSEL_ATTRIBUTES), 1.0)
    own = {KEY: 1000 + 100 * math.tanh(moved * PER_SIGMA / 100) + state["seed"], PCOM: 2.0}
    return MeasuredVessels(empty | own, (), {}, volume.data > 1)


@pytest.fixture(autouse=True)
def measured_by_position(monkeypatch):
    monkeypatch.setattr(vessel_attributes, "measure_vessels", values_of)
    monkeypatch.setattr(attribute_row, "measure_vessels", values_of)
    monkeypatch.setattr(attribute_group, "_PAUSE_MS", 20)
    monkeypatch.setattr(live_measurement, "_PAUSE_MS", 20)


@pytest.fixture
def measured(small_model, data_folder, lone_explorer_of_attributes):
    return lone_explorer_of_attributes


@pytest.fixture
def lone_explorer_of_attributes(request, small_model, data_folder, qtbot):
    """Return an explorer on a model whose attributes were found earlier."""
    model = load(small_model)
    found = []
    for key, direction in zip((KEY, PRESENCE), pca_directions(model, 0, 3, 2), strict=True):
        title = ATTRIBUTES[key].title
        direction = direction.__class__(title, "attribute", direction.space, direction.vector, 0, 3)
        effects = {KEY: PER_SIGMA, PRESENCE: 0.1}
        sds = {KEY: 50.0, PRESENCE: 0.4}
        found.append(
            AttributeDirection(key, direction, 0.6, 80, 20, 1.0, effects, sds, 900.0, 1100.0)
        )
    save_attributes(data_folder / "attributes" / f"{model.sha256}.json", found, 100, model)
    explorer = request.getfixturevalue("lone_explorer")
    qtbot.waitUntil(lambda: said(explorer)[0] == "1000 mm³", timeout=20_000)
    return explorer


def said(explorer, key: str = KEY) -> tuple[str, str, str]:
    return explorer.measurements.text(key)


def row_of(explorer, key: str):
    return next(row for row in explorer.attributes.rows if row.found.attribute == key)


def ask_for(explorer, value: float, qtbot) -> str:
    """Type a value into the slider of the volume and return what came of it."""
    row = row_of(explorer, KEY)
    row.slider.setValue(value)
    qtbot.waitUntil(lambda: not explorer.attributes.searching.running, timeout=20_000)
    qtbot.waitUntil(lambda: explorer.showing_complete_volume, timeout=20_000)
    return row.message.text()


def test_the_volume_that_is_shown_is_measured_and_compared_with_the_step_before(measured, qtbot):
    measured.seed.next.click()
    qtbot.waitUntil(lambda: said(measured)[0] == "1001 mm³", timeout=20_000)
    assert said(measured)[1] == "+1"
    measured.model.undo_stack.undo()
    qtbot.waitUntil(lambda: said(measured)[:2] == ("1000 mm³", "-1"), timeout=20_000)


def test_the_change_is_that_of_the_whole_drag(measured, qtbot):
    slider = row_of(measured, PRESENCE).slider
    for value, text in ((1.0, "1038 mm³"), (2.0, "1066 mm³")):
        slider.moved.emit(value, "one drag")
        qtbot.waitUntil(lambda text=text: said(measured)[0] == text, timeout=20_000)
    assert said(measured)[1] == "+66"


def test_a_volume_that_is_asked_for_is_reached_and_said(measured, qtbot):
    message = ask_for(measured, 1060, qtbot)
    qtbot.waitUntil(lambda: said(measured)[1].startswith("+"), timeout=20_000)
    reached = float(said(measured)[0].split()[0])
    assert abs(reached - 1060) <= 0.2 * 60
    assert message == f"Reached: {reached:.0f} mm³."
    assert row_of(measured, KEY).label.text() == f"Vessel volume: {reached:.0f} mm³"


def test_a_volume_out_of_reach_is_said_to_be(measured, qtbot):
    message = ask_for(measured, 1190, qtbot)
    assert message.startswith("This model cannot")
    assert "1092 mm³ is the nearest to 1190 mm³" in message
    assert row_of(measured, KEY).sigmas == 4


def test_one_undo_takes_back_the_drag_and_its_search(measured, qtbot):
    before = measured.model.latent
    ask_for(measured, 1060, qtbot)
    assert measured.model.latent != before
    measured.model.undo_stack.undo()
    assert measured.model.latent == before
    qtbot.waitUntil(lambda: row_of(measured, KEY).slider.value() == 1000, timeout=20_000)
    assert said(measured)[0] == "1000 mm³"


def test_reset_takes_the_attribute_back(measured, qtbot):
    ask_for(measured, 1060, qtbot)
    click(row_of(measured, KEY)._reset)
    assert not measured.model.latent.edits
    qtbot.waitUntil(lambda: said(measured)[0] == "1000 mm³", timeout=20_000)


def test_another_seed_ends_a_search(measured, qtbot):
    row = row_of(measured, KEY)
    row.slider.setValue(1060)
    measured.seed.next.click()
    assert not measured.attributes.searching.running
    assert row.message.text() == ""


def test_keys_move_the_slider_of_a_presence(measured):
    row = row_of(measured, PRESENCE)
    row.slider.setFocus()
    QTest.keyClick(row.slider._handle, Qt.Key.Key_End)
    assert row.sigmas == 3
    assert measured.model.latent.edits[0].direction == row.found.direction


def test_an_artery_that_stays_though_its_slider_says_absent_is_told(measured, qtbot):
    row = row_of(measured, PRESENCE)
    row.slider.setValue(-2)
    qtbot.waitUntil(lambda: row.message.text().startswith("Present all the same"), timeout=20_000)
    assert "a left PCom becomes less likely" in row.message.text()
    row.reset()
    assert row.message.text() == "", "it was of another volume"
    row.slider.setValue(2)
    qtbot.waitUntil(lambda: row.message.text() == "", timeout=20_000)


def test_a_slider_shows_a_measured_value_beyond_its_range(measured):
    row, state = row_of(measured, KEY), measured.model.latent
    for value in (row.slider.minimum() - 200, row.slider.maximum() + 200):
        measured.measurements.live.found.emit(Measured(state, {KEY: value}))
        assert row.slider.value() == value
        assert row.label.text() == f"Vessel volume: {value:.0f} mm³"


def test_sliders_of_attributes_stay_out_of_the_list_of_directions(measured):
    count = len(measured.directions.rows)
    row_of(measured, PRESENCE).slider.setValue(1)
    assert len(measured.directions.rows) == count


def test_what_no_slider_changes_is_named(measured):
    text = measured.attributes.missing.text()
    assert "Vessel length" in text
    assert "Vessel volume" not in text
    assert "PCom" not in text


def test_a_model_without_attributes_offers_to_find_them(measured, other_model, qtbot):
    measured.open_checkpoint(other_model)
    qtbot.waitUntil(lambda: not measured.attributes.rows, timeout=20_000)
    assert measured.attributes.find_button.isVisible()
    assert "2,000" in measured.attributes.empty.text()


def test_arteries_that_cannot_be_found_are_explained(measured, qtbot):
    state = measured.model.latent
    measured.measurements.live.found.emit(Measured(state, {KEY: 1000.0}, "MONAI is missing."))
    assert measured.measurements.status.text() == "MONAI is missing."
    assert said(measured, "ba_diameter_mm") == ("–", "–", "–")


def steering_to(monkeypatch, end: SteeringOutcome, diameter: float, stops: bool = False):
    """Steer in two steps to another seed, whose volume stands for one with another artery."""
    started = threading.Event()

    def steps(synthesizer, state, find, asked, tolerance, side):
        yield SteeringStep(state, 2.0, 0.5, SteeringOutcome.MOVING)
        started.set()
        while stops:
            time.sleep(0.01)
            yield SteeringStep(state, 2.0, 0.5, SteeringOutcome.MOVING)
        yield SteeringStep(replace(state, seed=7), diameter, 1.0, end)

    monkeypatch.setattr(steering_row, "steer", steps)
    return started


def pcom_row(explorer):
    return next(row for row in explorer.attributes.steering_rows if row.attribute.key == PCOM)


def set_pcom(explorer, value: float, qtbot) -> str:
    pcom_row(explorer).slider.setValue(value)
    qtbot.waitUntil(lambda: not explorer.attributes.searching.running, timeout=20_000)
    return pcom_row(explorer).message.text()


def test_other_arteries_have_sliders_once_they_are_measured(measured):
    attributes = measured.attributes
    shown = {row.attribute.key for row in attributes.steering_rows if not row.isHidden()}
    assert shown == {key for key, artery in STEERED.items() if isinstance(artery, BodySide)}
    assert not attributes.more.isHidden()
    values = dict.fromkeys((*ATTRIBUTES, *STEERED), 2.0)
    attributes.show_measured(Measured(measured.model.latent, values))
    assert not any(row.isHidden() for row in attributes.steering_rows)
    assert attributes.more.isHidden()


def test_an_artery_that_becomes_as_wide_as_asked_is_shown_and_undone_in_one_step(
    measured, monkeypatch, qtbot
):
    steering_to(monkeypatch, SteeringOutcome.REACHED, 2.31)
    before = measured.model.latent
    assert pcom_row(measured).label.text() == "Left PCom diameter: 2.00 mm"
    assert set_pcom(measured, 2.3, qtbot) == "Reached: 2.31 mm, +0.31 mm."
    assert measured.model.latent.seed == 7
    measured.model.undo_stack.undo()
    assert measured.model.latent == before
    assert pcom_row(measured).message.text() == ""


def test_an_artery_that_does_not_come_as_wide_is_said_to_be_the_nearest(
    measured, monkeypatch, qtbot
):
    steering_to(monkeypatch, SteeringOutcome.STUCK, 0.0)
    said = set_pcom(measured, 3.5, qtbot)
    assert said.startswith("This model cannot: absent is the nearest to 3.50 mm")
    click(pcom_row(measured)._reset)
    assert measured.model.latent.seed == 0


def test_a_change_of_an_artery_shows_its_progress_and_can_be_stopped(measured, monkeypatch, qtbot):
    started = steering_to(monkeypatch, SteeringOutcome.REACHED, 2.3, stops=True)
    before = measured.model.latent
    pcom_row(measured).slider.setValue(2.3)
    qtbot.waitUntil(lambda: "50% of the steps" in pcom_row(measured).message.text(), timeout=20_000)
    assert started.is_set()
    click(measured.attributes.stop_button)
    assert not measured.attributes.searching.running
    assert measured.model.latent == before
    assert pcom_row(measured).message.text() == ""
    assert pcom_row(measured).slider.value() == 2.0
    assert not measured.attributes.stop_button.isVisible()
