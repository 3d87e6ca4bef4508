"""The map of a model's volumes in the explorer, with real clicks and keys."""

import numpy as np
import pytest
from planted_copies import Volumes, person
from qtpy.QtCore import QPoint, Qt

from cowgan.evaluation import known_anatomies
from cowgan.evaluation.known_anatomies import KnownAnatomies
from cowgan.latent.anatomy_codes import AnatomyCodes
from cowgan.latent.attribute_files import save_samples
from cowgan.latent.attribute_models import AttributeSamples
from cowgan.latent.p_space import PSpace
from cowgan.segmentation import attribute_samples
from cowgan.segmentation.attribute_samples import kept_samples
from cowgan.synthesis import LatentState, style
from cowgan.volume import Volume, write_nifti
from napari_cowgan.explorer.renderer import Rendered

OTHER_PERSON = 50
LEFT = Qt.MouseButton.LeftButton
#   13
# 10 11 12
SAMPLES = AttributeSamples(
    (10, 11, 12, 13),
    {
        "volume_mm3": np.array([1000.0, 2000, 3000, 2000]),
        "diameter_mm": np.array([2.0, 2.0, 2.0, 3.0]),
        "l_pcom_diameter_mm": np.array([1.0, np.nan, 2.0, 1.5]),
    },
)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(attribute_samples, "user_cache_path", lambda *_, **__: tmp_path / "cache")


def unfold(explorer, qtbot):
    """Unfold the map and return its group when it is drawn."""
    from napari_cowgan.widgets.controls import Section

    section = next(s for s in explorer.findChildren(Section) if s.isAncestorOf(explorer.map))
    section.expand(animate=False)
    qtbot.waitUntil(lambda: explorer.map.map is not None, timeout=60_000)
    qtbot.waitUntil(lambda: explorer.map.plot.isVisible(), timeout=60_000)
    qtbot.wait(50)
    return explorer.map


@pytest.fixture
def measured(lone_explorer, cache, qtbot):
    checkpoint = lone_explorer.model.checkpoint
    save_samples(kept_samples(checkpoint), SAMPLES, {"checkpoint": checkpoint.sha256})
    return unfold(lone_explorer, qtbot)


def on_screen(group, volume, diameter, right=0) -> QPoint:
    return group.plot.position_of((volume, diameter)).toPoint() + QPoint(right, 0)


def click(qtbot, group, volume, diameter):
    qtbot.mouseClick(group.plot.viewport(), LEFT, pos=on_screen(group, volume, diameter, 5))


def test_a_click_shows_the_nearest_volume_and_undo_returns(lone_explorer, measured, qtbot):
    model = lone_explorer.model
    model.edit("truncation", psi=0.5)
    before = model.latent
    click(qtbot, measured, 2000, 3.0)
    assert model.latent == LatentState(13)
    assert measured.plot.cross == (2000, 3)
    assert "Vessel volume: 2000 mm³; Median diameter: 3.00 mm" in measured.place.text()
    model.undo_stack.undo()
    assert model.latent == before


def test_the_cross_goes_where_an_edited_volume_measures(lone_explorer, measured, qtbot):
    measured.up.choose("volume_mm3")
    lone_explorer.model.edit("truncation", psi=0.5)
    live = lone_explorer.measurements.live
    qtbot.waitUntil(
        lambda: live.latest is not None and live.latest.state.psi == 0.5, timeout=20_000
    )
    volume = live.latest.values["volume_mm3"]
    assert measured.plot.cross == (volume, volume)


def test_a_drag_is_one_step_of_undo(lone_explorer, measured, qtbot):
    model, viewport = lone_explorer.model, measured.plot.viewport()
    steps = model.undo_stack.count()
    qtbot.mousePress(viewport, LEFT, pos=on_screen(measured, 1000, 2))
    seen = [model.latent.seed]
    for volume, diameter in ((2000, 2), (3000, 2), (2000, 3)):
        qtbot.mouseMove(viewport, on_screen(measured, volume, diameter))
        seen.append(model.latent.seed)
    qtbot.mouseRelease(viewport, LEFT, pos=on_screen(measured, 2000, 3))
    assert seen == [10, 11, 12, 13]
    assert model.undo_stack.count() == steps + 1


def test_arrow_keys_go_to_the_next_volume_on_that_side(lone_explorer, measured, qtbot):
    click(qtbot, measured, 1000, 2)
    seen = []
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left):
        qtbot.keyClick(measured.plot, key)
        seen.append(lone_explorer.model.latent.seed)
    assert seen == [11, 13, 13, 11, 10]


def test_volumes_without_a_value_are_not_shown_on_its_axis(lone_explorer, measured, qtbot):
    measured.up.choose("l_pcom_diameter_mm")
    qtbot.wait(50)
    click(qtbot, measured, 2000, 1.5)
    assert lone_explorer.model.latent.seed == 13
    qtbot.keyClick(measured.plot, Qt.Key.Key_Right)
    assert lone_explorer.model.latent.seed == 12


def test_a_locked_seed_stays(lone_explorer, measured, qtbot):
    lone_explorer.seed.lock.click()
    click(qtbot, measured, 2000, 3.0)
    assert lone_explorer.model.latent.seed == 0
    assert "locked" in measured.place.text()


def test_without_measurements_the_map_names_the_command_and_has_components(
    lone_explorer, cache, qtbot
):
    group = unfold(lone_explorer, qtbot)
    assert "cowgan attributes" in group.note.text() and group.note.isVisible()
    assert (group.across.chosen, group.up.chosen) == ("pca_1", "pca_2")
    before = group.plot.cross
    lone_explorer.model.edit("truncation", psi=0.5)
    assert group.plot.cross != before
    assert group.typicality.text().startswith("Typical: ")
    assert group.typicality.text().endswith(
        " times as far from the model's mean as random volumes."
    )


def test_another_model_gets_a_map_of_its_own(lone_explorer, measured, other_model, qtbot, settle):
    first = measured.map
    lone_explorer.open_checkpoint(other_model)
    qtbot.waitUntil(lambda: measured.map not in (None, first), timeout=20_000)
    assert not measured.map.measured
    assert measured.across.chosen == "pca_1"


@pytest.fixture
def people(tmp_path, monkeypatch):
    """Return a folder of twelve people."""
    monkeypatch.setattr(known_anatomies, "default_cache", lambda: tmp_path / "features")
    for seed in range(12):
        write_nifti(person(seed), tmp_path / "people" / f"sub-{seed:02}_TOF.nii.gz")
    return tmp_path / "people"


def shown(explorer, volume) -> Rendered:
    return Rendered(explorer.model.synthesizer, LatentState(), volume, None, 0.1)


def test_a_copy_of_a_training_anatomy_is_shown_with_its_source(
    lone_explorer, measured, people, qtbot
):
    comparison = measured.anatomies
    assert "holds no training volumes" in comparison.verdict.text()
    assert not comparison.compare.isEnabled()
    comparison.bank.set_path(people)
    comparison.compare.click()
    qtbot.waitUntil(lambda: comparison.known is not None, timeout=60_000)
    assert "no encoder" in comparison.remarks.text()
    comparison.follow(shown(lone_explorer, person(3)))
    qtbot.waitUntil(lambda: comparison.show_nearest.isVisible(), timeout=60_000)
    assert "sub-03" in comparison.verdict.text()
    assert "may be a copy, but it takes more people to be sure" in comparison.verdict.text()
    comparison.show_nearest.click()
    assert any("sub-03" in layer.name for layer in lone_explorer._viewer.layers)
    comparison.follow(shown(lone_explorer, person(OTHER_PERSON)))
    qtbot.waitUntil(lambda: comparison.show_nearest.isVisible(), timeout=60_000)
    assert "may be a copy" not in comparison.verdict.text()
    comparison.follow(shown(lone_explorer, Volume(person(3).data[:, :32], person(3).affine)))
    qtbot.waitUntil(lambda: "not on the grid" in comparison.verdict.text(), timeout=60_000)
    comparison.bank.set_path("")
    assert "holds no training volumes" in comparison.verdict.text()


def test_encoded_anatomies_are_marks_that_can_be_gone_to(lone_explorer, measured, qtbot):
    checkpoint, model = lone_explorer.model.checkpoint, lone_explorer.model
    code = PSpace.of(checkpoint).whitened(style(checkpoint, 77)[None]).half()
    codes = AnatomyCodes(("sub-07",), code, checkpoint.sha256)
    values = {"volume_mm3": np.array([1500.0]), "diameter_mm": np.array([2.5])}
    volumes = Volumes("people", {"sub-07": person(7)})
    measured.anatomies.found.emit(KnownAnatomies(volumes, None, codes, values, ()))
    click(qtbot, measured, 1500, 2.5)
    np.testing.assert_allclose(model.latent.w[0], style(checkpoint, 77), atol=0.02)
    assert model.latent.origin == "sub-07, encoded"
    assert "sub-07" in measured._describe(len(SAMPLES.seeds))
    measured.anatomies.found.emit(None)
    click(qtbot, measured, 1500, 2.5)
    assert model.latent.w is None
