"""The canvas caption describes the visible synthetic layers and no others."""

from pathlib import Path

import numpy as np
import pytest
from gui_events import click
from gui_menus import choose

from cowgan.synthesis import LatentState
from cowgan.synthesis.state import NoiseShare
from cowgan.volume import Volume, default_affine, write_nifti
from napari_cowgan import sample_data
from napari_cowgan.viewer.caption import _PLAIN
from napari_cowgan.viewer.current_viewer import window_is_gone

SHAPE = (4, 6, 8)
SCAN = Volume(np.full(SHAPE, 0.5, np.float32), default_affine(SHAPE))


def shown(viewer) -> str:
    overlay = viewer.canvas.overlays.text
    return overlay.text if overlay.visible else ""


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """Return a file with a real scan."""
    path = tmp_path / "mine.nii.gz"
    write_nifti(SCAN, path)
    return path


def test_all_fields_of_a_state_are_known_to_the_caption():
    plain = LatentState(5).to_dict()
    del plain["schema"], plain["seed"]
    assert plain == _PLAIN


@pytest.mark.parametrize(
    "change",
    [{"centre": "nearest"}, {"origin": "a projection"}, {"noise_blend": (NoiseShare(2, 1.0),)}],
)
def test_fields_that_are_seldom_used_count_as_edits(viewer, tmp_path, change):
    for state, words in (
        (LatentState(5), "seed 5."),
        (LatentState(5, **change), "seed 5, edited."),
    ):
        viewer.layers.clear()
        provenance = {"synthetic": True, "state": state.to_dict()}
        path = tmp_path / "made.nii.gz"
        write_nifti(Volume(SCAN.data, SCAN.affine, provenance), path)
        viewer.open(str(path), plugin="napari-cowgan")
        assert words in shown(viewer)


@pytest.mark.parametrize(
    ("psi", "words"), [(1.0, "projection of mine.nii.gz."), (0.5, "mine.nii.gz, edited.")]
)
def test_a_projection_is_named_for_its_scan_and_for_the_tuning(viewer, tmp_path, psi, words):
    state = LatentState(w=((0.0,),), psi=psi, origin="mine.nii.gz, sha256 ab, stage pivotal")
    model = {"name": "A model", "sha256": "0123456789", "tuned_to": "mine.nii.gz"}
    provenance = {"synthetic": True, "state": state.to_dict(), "checkpoint": model}
    path = tmp_path / "made.nii.gz"
    write_nifti(Volume(SCAN.data, SCAN.affine, provenance), path)
    viewer.open(str(path), plugin="napari-cowgan")
    assert words in shown(viewer)
    assert "“A model”, 01234567, tuned to a scan." in shown(viewer)


def test_the_caption_names_seed_edits_and_model(viewer, explorer, settle):
    first, model, last = shown(viewer).split("\n")
    assert (first, last) == ("Synthetic, seed 0.", "Not for diagnosis.")
    assert model.startswith("Model “")
    assert explorer.model.checkpoint.sha256[:8] in model
    explorer.directions.rows[0].slider.setValue(1)
    settle(explorer)
    assert "seed 0, edited.\n" in shown(viewer)
    click(explorer.seed.next)
    click(explorer.reset)
    settle(explorer)
    assert "seed 1.\n" in shown(viewer)


def test_layers_can_be_removed_after_the_window_is_closed(viewer, qtbot):
    viewer.open_sample("napari-cowgan", "phantom_with_labels")
    assert shown(viewer)
    viewer.window._qt_window.close()
    qtbot.waitUntil(lambda: window_is_gone(viewer))
    # The fixture closes windows that are still there.
    del viewer.window._qt_window
    viewer.layers.clear()


def test_the_caption_follows_visibility_and_names_of_layers(viewer, explorer, scan, settle):
    synthetic = explorer.shown.layer
    viewer.open(scan, plugin="napari-cowgan")
    both = shown(viewer)
    assert both.startswith("“Synthetic TOF MRA”: synthetic, seed 0.\n")
    assert "mine" not in both
    viewer.canvas.grid.enabled = True
    viewer.layers.selection.active = viewer.layers["mine"]
    assert shown(viewer) == both
    synthetic.visible = False
    assert shown(viewer) == ""
    explorer.model.step_seed(1)
    settle(explorer)
    assert shown(viewer) == "", "an invisible volume changed"
    synthetic.visible = True
    synthetic.name = "another name"
    assert shown(viewer).startswith("“another name”: synthetic, seed 1.\n")
    synthetic.opacity = 0
    assert shown(viewer) == ""
    synthetic.opacity = 1
    viewer.layers.remove("mine")
    assert shown(viewer).startswith("Synthetic, seed 1.\n")
    viewer.layers.clear()
    assert not viewer.canvas.overlays.text.visible


def test_different_synthetic_layers_are_named_separately(viewer, explorer, qtbot, settle):
    explorer.compare.keep("A")
    explorer.model.set_seed(8)
    explorer.compare.keep("B")
    settle(explorer)
    explorer.compare.side_by_side.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=20_000)
    *lines, model, last = shown(viewer).split("\n")
    assert model.startswith("Model")
    assert last == "Not for diagnosis."
    assert sorted(lines) == [
        "“A: seed 0”: synthetic, seed 0.",
        "“B: seed 8”: synthetic, seed 8.",
        "“Synthetic TOF MRA”: synthetic, seed 8.",
    ]
    viewer.layers["A: seed 0"].visible = False
    assert shown(viewer).startswith("Synthetic, seed 8.\n")


def test_the_selected_one_of_many_layers_is_named(viewer, explorer):
    layer = explorer.shown.layer
    for seed in range(1, 10):
        own = {**layer.metadata["cowgan"], "provenance": {"state": {"seed": seed}}}
        viewer.add_image(layer.data, name=f"copy {seed}", metadata={"cowgan": own})
    assert len(shown(viewer).split("\n")) == 8
    assert "4 more synthetic layers." in shown(viewer)
    viewer.layers.selection.active = viewer.layers["copy 1"]
    assert shown(viewer).startswith("“copy 1”: synthetic, seed 1.")


def test_sample_data_and_new_volumes_are_captioned(viewer, scan, monkeypatch):
    made = Volume(SCAN.data, SCAN.affine, {"synthetic": True, "state": {"seed": 11}})
    monkeypatch.setattr(sample_data, "_render", lambda seed: made)
    choose(viewer, "File", "Open Sample", "CoW-GAN", "Synthetic TOF MRA")
    assert shown(viewer) == "Synthetic, seed 11.\nNot for diagnosis."
    viewer.layers.clear()
    choose(viewer, "File", "New Layer", "New synthetic TOF MRA")
    assert shown(viewer) == "Synthetic, seed 11.\nNot for diagnosis."
    viewer.layers.clear()
    assert shown(viewer) == ""
    choose(viewer, "File", "Open Sample", "CoW-GAN", "CoW phantom")
    assert shown(viewer) == "Synthetic, a phantom, seed 0.\nNot for diagnosis."


def test_a_saved_volume_is_captioned_when_it_is_opened_again(
    viewer, explorer, settle, tmp_path, make_napari_viewer
):
    explorer.truncation.psi.slider.setValue(0.5)
    settle(explorer)
    caption = shown(viewer)
    assert "seed 0, edited.\nModel" in caption
    path = tmp_path / "saved.nii.gz"
    explorer.shown.layer.save(str(path), plugin="napari-cowgan")
    second = make_napari_viewer(show=True)
    second.window.activate()
    second.open(path, plugin="napari-cowgan")
    assert shown(second) == caption
    assert shown(viewer) == caption
    path.with_name("saved.json").unlink()
    second.layers.clear()
    second.open(path, plugin="napari-cowgan")
    assert shown(second).startswith("Synthetic"), "the header alone says that it is synthetic"


def test_a_scan_has_no_caption_and_a_user_s_text_stays(viewer, scan):
    overlay = viewer.canvas.overlays.text
    overlay.text, overlay.visible = "Figure 1", True
    viewer.open(scan, plugin="napari-cowgan")
    assert shown(viewer) == "Figure 1"
    viewer.add_image(SCAN.data, name="new", metadata={"cowgan": {"synthetic": True}})
    assert shown(viewer) == "Figure 1\n“new”: synthetic.\nNot for diagnosis."
    viewer.layers.remove("new")
    assert shown(viewer) == "Figure 1"
