"""Key frames are added, ordered, undone and kept; movies are scrubbed, played and exported."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from command_line import cowgan
from gui_events import drop
from latent_movies import likeness_db, mp4_pictures
from napari.layers import Image as ImageLayer
from PIL import Image, ImageSequence
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from cowgan.checkpoint import load
from cowgan.latent.movie_files import read_movie, write_movie
from cowgan.latent.movie_frames import colour_table, pictures
from cowgan.latent.movies import Keyframe, Movie
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume.orthographic import Camera
from napari_cowgan.explorer.kept_keyframes import keyframes_path, read_keyframes
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.viewer.camera import look_from

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def explorer(lone_explorer: LatentExplorer) -> LatentExplorer:
    return lone_explorer


@pytest.fixture
def three(explorer) -> LatentExplorer:
    """Return an explorer with key frames of seeds 0, 1 and 2, four frames each."""
    for seed in range(3):
        explorer.model.set_seed(seed)
        explorer.movie.add.click()
        explorer.movie.frames.setValue(4)
    return explorer


def seeds(explorer) -> list[int]:
    return [keyframe.state.seed for keyframe in explorer.movie.keyframes]


def finish(explorer, qtbot) -> str:
    group = explorer.movie
    qtbot.waitUntil(lambda: not group.job.running, timeout=60_000)
    return group.outcome.text().replace("\u200b", "")


def test_views_become_key_frames_that_are_kept_for_the_model(three):
    assert seeds(three) == [0, 1, 2]
    assert [keyframe.frames for keyframe in three.movie.keyframes] == [4, 4, 4]
    assert read_keyframes(three.model.checkpoint) == three.movie.keyframes
    assert three.movie.strip.item(1).text() == "2: 0.2 s"


def test_what_is_done_to_key_frames_can_be_undone(three):
    group = three.movie
    group.strip.setCurrentRow(1)
    QTest.keyClick(group.strip, Qt.Key.Key_Delete)
    assert seeds(three) == [0, 2]
    group.strip.setCurrentRow(0)
    QTest.keyClick(group.strip, Qt.Key.Key_Right, CTRL)
    assert seeds(three) == [2, 0]
    three.undo.click()
    three.undo.click()
    assert seeds(three) == [0, 1, 2]
    assert read_keyframes(three.model.checkpoint) == group.keyframes


def test_the_selected_key_frame_is_edited(three):
    group = three.movie
    group.strip.setCurrentRow(0)
    group.speed.setCurrentText("Even")
    group.speed.textActivated.emit("Even")
    group.turns.setValue(2)
    group.redraw.click()
    first, second, _ = group.keyframes
    assert (first.easing, first.turns, first.noise) == ("linear", 2, "redraw")
    assert (second.easing, second.turns, second.noise) == ("ease-in-out", 0, "blend")
    group.strip.setCurrentRow(1)
    assert group.speed.currentText() == "Slow, fast, slow"
    assert not group.redraw.isChecked()
    three.model.set_seed(77)
    group.update_current.click()
    assert seeds(three) == [0, 77, 2]


def test_scrubbing_shows_frames_and_is_one_step_to_undo(three, settle):
    three.model.set_seed(50)
    slider = three.movie.player.position
    slider.sliderPressed.emit()
    for index in (2, 5, 6):
        slider.setValue(index)
    movie = three.movie.movie()
    assert three.model.latent == movie.frame(6, three.model.checkpoint).state
    settle(three)
    assert three.live.drawn.state == three.model.latent
    three.undo.click()
    assert three.model.latent.seed == 50
    assert slider.value() == 6


def test_clicking_a_key_frame_shows_it_exactly(three):
    strip = three.movie.strip
    three.model.set_seed(50)
    where = strip.visualItemRect(strip.item(1)).center()
    QTest.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert three.model.latent == LatentState(1)


def test_playing_reaches_the_end_and_stops(three, qtbot):
    player = three.movie.player
    player.play.click()
    qtbot.waitUntil(lambda: not player.play.isChecked(), timeout=20_000)
    assert player.position.value() == 11
    assert three.model.latent == LatentState(2)


def test_a_loop_plays_on(three, qtbot):
    three.movie.loop.setChecked(True)
    player = three.movie.player
    seen = []
    player.frame_wanted.connect(lambda index, _: seen.append(index))
    player.play.click()
    qtbot.waitUntil(lambda: any(b < a for a, b in pairwise(seen)), timeout=20_000)
    player.play.click()
    assert not player._timer.isActive()


@pytest.mark.parametrize(
    ("name", "frames", "key_frames"), [("walk", 100, 2), ("noise", 100, 1), ("turn", 120, 1)]
)
def test_whole_walks_are_filled_in_and_can_be_undone(three, name, frames, key_frames):
    three.model.set_seed(9)
    three.movie.fills[name].trigger()
    movie = three.movie.movie()
    assert (movie.n_frames, len(movie.keyframes)) == (frames, key_frames)
    assert movie.keyframes[0].state.seed == 9
    three.undo.click()
    assert seeds(three) == [0, 1, 2]


def test_the_window_and_the_command_make_the_same_movie(three, tmp_path, qtbot, small_model):
    group = three.movie
    group.strip.setCurrentRow(0)
    group.turns.setValue(1)
    group.picture.setCurrentText("512 × 512")
    three.shown.layer.colormap = "magma"
    three.shown.layer.gamma = 0.8
    group.update_current.click()
    group.save_file(tmp_path / "walk.movie.json")
    group.export_to(tmp_path / "window.gif")
    assert "Saved" in finish(three, qtbot)
    shown = cowgan(
        "movie", tmp_path / "walk.movie.json", "--out", tmp_path / "script.gif", "-c", small_model
    )
    assert shown.returncode == 0, shown.stderr
    group.export_to(tmp_path / "window.mp4")
    assert "Saved" in finish(three, qtbot)
    found = []
    for name in ("window.gif", "script.gif"):
        with Image.open(tmp_path / name) as gif:
            found.append([np.asarray(f.convert("RGB")) for f in ImageSequence.Iterator(gif)])
    # The last key frame stays for four frames, which are one picture of a GIF.
    assert len(found[0]) == 9
    np.testing.assert_array_equal(found[0], found[1])
    assert np.ptp(found[0][0].astype(int), axis=2).max() > 50, "colours of the layer"
    movie = read_movie(tmp_path / "walk.movie.json")
    synthesizer = Synthesizer(load(small_model))
    drawn = [colour_table(movie)[picture] for picture in pictures(movie, synthesizer)]
    np.testing.assert_array_equal(found[0], drawn[:9])
    encoded = mp4_pictures(tmp_path / "window.mp4")
    assert len(encoded) == len(drawn) == 12
    assert min(map(likeness_db, encoded, drawn)) > 33


def test_volumes_become_a_4d_layer_and_a_folder(three, tmp_path, qtbot):
    group = three.movie
    group.export_to(tmp_path / "volumes")
    assert "Saved" in finish(three, qtbot)
    written = sorted((tmp_path / "volumes").glob("*.nii.gz"))
    assert len(written) >= 9
    assert read_movie(tmp_path / "volumes" / "keyframes.movie.json").keyframes == group.keyframes
    group.exports["layer"].trigger()
    assert "Added" in finish(three, qtbot)
    layer = three._viewer.layers["Movie"]
    assert isinstance(layer, ImageLayer)
    assert layer.data.shape == (len(written), *three.shown.layer.data.shape)
    np.testing.assert_array_equal(layer.scale[1:], three.shown.layer.scale)
    state = group.movie().frame(0, three.model.checkpoint).state
    np.testing.assert_allclose(
        layer.data[0].max(), three.model.synthesizer.render(state).data.max(), atol=1e-3
    )


def test_a_cancelled_export_leaves_nothing(three, tmp_path, qtbot):
    group = three.movie
    group.frames.setValue(5000)
    group.export_to(tmp_path / "walk.gif")
    qtbot.waitUntil(lambda: group.job.running)
    assert not group.export.isEnabled()
    group.job.cancel()
    assert finish(three, qtbot) == "Stopped. Nothing was written."
    assert not list(tmp_path.glob("*walk*"))


def test_dropped_key_frames_replace_those_there_are(three, tmp_path):
    checkpoint = three.model.checkpoint
    path = tmp_path / "other.movie.json"
    kept = Keyframe(LatentState(8), Camera.of_plane("coronal"), frames=3)
    movie = Movie(
        (kept,), checkpoint.card.name, checkpoint.sha256, 10, 640, 480, True,
        ("#000000", "#00ff00"), False,
    )  # fmt: skip
    write_movie(movie, path)
    drop(three, path)
    assert three.movie.movie() == movie
    three.undo.click()
    assert seeds(three) == [0, 1, 2]


def test_unfit_key_frames_are_explained_and_change_nothing(three, tmp_path, problem):
    path = tmp_path / "other.movie.json"
    foreign = replace(three.movie.movie(), model_name="elsewhere", model_sha256="1" * 64)
    write_movie(foreign, path)
    three.open_movie(path)
    assert "elsewhere" in problem(three)
    path.write_text("{}", "utf-8")
    three.open_movie(path)
    assert "key frames" in problem(three)
    assert seeds(three) == [0, 1, 2]


def test_damaged_kept_key_frames_are_set_aside(explorer, other_model, small_model, problem, settle):
    path = keyframes_path(explorer.model.checkpoint)
    explorer.open_checkpoint(other_model)
    settle(explorer)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{", "utf-8")
    explorer.open_checkpoint(small_model)
    assert "set aside" in problem(explorer)
    assert not path.exists()
    assert len(list(path.parent.iterdir())) == 1


def test_key_frames_belong_to_their_model(three, other_model, small_model, settle, qtbot):
    three.open_checkpoint(other_model)
    qtbot.waitUntil(lambda: not three.movie.keyframes, timeout=20_000)
    settle(three)
    assert not three.movie.export.isEnabled()
    three.open_checkpoint(small_model)
    qtbot.waitUntil(lambda: len(three.movie.keyframes) == 3, timeout=20_000)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_the_camera_of_the_window_is_that_of_the_movie(docked_explorer, viewer, plane):
    look_from(viewer, plane)
    docked_explorer.movie.add.click()
    camera = docked_explorer.movie.keyframes[-1].camera
    expected = Camera.of_plane(plane)
    np.testing.assert_allclose(camera.axes, expected.axes, atol=1e-4)
    np.testing.assert_allclose(camera.centre_mm, (0, 0, 0), atol=1)
    assert 0.5 < camera.zoom < 2


def test_the_window_follows_the_camera_and_contrast_of_the_movie(docked_explorer, viewer):
    group = docked_explorer.movie
    look_from(viewer, "coronal")
    layer = docked_explorer.shown.layer
    layer.contrast_limits = (0.1, 0.6)
    group.add.click()
    wanted = group.keyframes[0]
    seen = viewer.scene.camera.view_direction
    zoom = viewer.scene.camera.zoom
    look_from(viewer, "sagittal")
    viewer.scene.camera.zoom = 1
    layer.contrast_limits = (0, 1)
    group.player.go_to(0)
    np.testing.assert_allclose(viewer.scene.camera.view_direction, seen, atol=1e-4)
    assert viewer.scene.camera.zoom == pytest.approx(zoom)
    assert tuple(layer.contrast_limits) == pytest.approx((0.1, 0.6))
    assert group._current_view().contrast == wanted.contrast


def test_key_frames_opened_in_napari_reach_the_explorer(docked_explorer, viewer, tmp_path: Path):
    checkpoint = docked_explorer.model.checkpoint
    path = tmp_path / "walk.movie.json"
    write_movie(Movie((Keyframe(LatentState(3)),), "small", checkpoint.sha256), path)
    viewer.open(str(path), plugin="napari-cowgan")
    assert seeds(docked_explorer) == [3]
