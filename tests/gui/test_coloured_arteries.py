"""The explorer colours the arteries of a model that has a label head beside it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from gui_events import click
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from cowgan.anatomy.label_schemes import TOPCOW_2024
from cowgan.checkpoint import load
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.label_head import LabelHead
from cowgan.segmentation.label_head_files import (
    LabelHeadModel,
    label_head_path,
    load_label_head,
    save_label_head,
)
from cowgan.segmentation.volume_labellers import HeadLabeller
from cowgan.synthesis import LatentState, Synthesizer
from napari_cowgan.viewer.artery_colours import COLOURS
from napari_cowgan.viewer.display import display_order
from napari_cowgan.widgets.remembered import recall_flag


@pytest.fixture
def labelled_model(small_model: Path, tmp_path: Path) -> Path:
    """Return a model with an untrained label head beside it."""
    path = Path(shutil.copy(small_model, tmp_path / "labelled.safetensors"))
    model = load(path)
    torch.manual_seed(1)
    head = LabelHead(model.config, Classes.of(TOPCOW_2024).count)
    save_label_head(LabelHeadModel(head, TOPCOW_2024, model.sha256), label_head_path(path))
    return path


@pytest.fixture
def opened(lone_explorer, labelled_model, settle, qtbot):
    lone_explorer.open_checkpoint(labelled_model)
    qtbot.waitUntil(lambda: lone_explorer.arteries.tick.isVisible(), timeout=20_000)
    settle(lone_explorer)
    return lone_explorer


def label_layers(explorer):
    return [layer for layer in explorer._viewer.layers if isinstance(layer, Labels)]


def expected_labels(path: Path, state: LatentState) -> np.ndarray:
    model = load(path)
    labeller = HeadLabeller(Synthesizer(model), load_label_head(label_head_path(path), model))
    return display_order(labeller(state).labels)


def wait_for_labels(explorer, expected, qtbot):
    def shown():
        (layer,) = label_layers(explorer)
        np.testing.assert_array_equal(layer.data, expected)
        return True

    qtbot.waitUntil(lambda: bool(label_layers(explorer)), timeout=20_000)
    qtbot.waitUntil(shown, timeout=20_000)


def test_a_model_without_a_head_offers_nothing(lone_explorer):
    assert not lone_explorer.arteries.isVisible()


def test_arteries_follow_the_volume_in_their_colours(opened, labelled_model, qtbot, settle):
    assert label_layers(opened) == []
    image = opened.shown.layer
    click(opened.arteries.tick)
    expected = expected_labels(labelled_model, opened.model.latent)
    assert expected.any()
    wait_for_labels(opened, expected, qtbot)
    (layer,) = label_layers(opened)
    np.testing.assert_allclose(layer.scale, image.scale)
    np.testing.assert_allclose(layer.translate, image.translate)
    assert opened._viewer.layers.selection.active is image
    value = int(expected.max())
    colour = [int(COLOURS[value][start : start + 2], 16) / 255 for start in (1, 3, 5)]
    np.testing.assert_allclose(layer.get_color(value)[:3], colour, atol=1e-3)

    opened.model.step_seed(1)
    settle(opened)
    following = expected_labels(labelled_model, opened.model.latent)
    assert (following != expected).any()
    wait_for_labels(opened, following, qtbot)
    assert label_layers(opened) == [layer]


def test_a_preview_shows_no_labels_of_another_volume(opened, qtbot, settle):
    click(opened.arteries.tick)
    qtbot.waitUntil(lambda: bool(label_layers(opened)), timeout=20_000)
    (layer,) = label_layers(opened)
    complete = opened.live.drawn
    preview = opened.model.synthesizer.render(opened.model.latent, 0)
    with qtbot.waitSignal(opened.live.status_changed):
        opened.live.renderer._result = type(complete)(
            complete.synthesizer, complete.state, preview, 0, 0.0
        )
        opened.live.renderer.ready.emit()
    assert not layer.data.any()


def test_the_choice_is_made_by_keyboard_and_remembered(opened, qtbot):
    tick = opened.arteries.tick
    tick.setFocus()
    QTest.keyClick(tick, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(label_layers(opened)), timeout=20_000)
    assert recall_flag("colour_arteries", False)
    QTest.keyClick(tick, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not label_layers(opened), timeout=20_000)
    assert not recall_flag("colour_arteries", True)


def test_a_deleted_layer_comes_back_with_the_next_volume(opened, qtbot, settle):
    click(opened.arteries.tick)
    qtbot.waitUntil(lambda: bool(label_layers(opened)), timeout=20_000)
    opened._viewer.layers.remove(label_layers(opened)[0])
    opened.model.step_seed(1)
    qtbot.waitUntil(lambda: bool(label_layers(opened)), timeout=20_000)


def test_another_model_takes_its_arteries_away(opened, other_model, qtbot):
    click(opened.arteries.tick)
    qtbot.waitUntil(lambda: bool(label_layers(opened)), timeout=20_000)
    opened.open_checkpoint(other_model)
    qtbot.waitUntil(lambda: not label_layers(opened), timeout=20_000)
    assert not opened.arteries.isVisible()


def test_a_head_of_another_model_is_explained(lone_explorer, labelled_model, other_model, qtbot):
    shutil.copy(other_model, labelled_model)
    lone_explorer.open_checkpoint(labelled_model)
    qtbot.waitUntil(lambda: lone_explorer.arteries.problem.isVisible(), timeout=20_000)
    assert "belongs to another model" in lone_explorer.arteries.problem.text()
    assert not lone_explorer.arteries.tick.isVisible()
