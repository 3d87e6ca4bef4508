import importlib.util
from dataclasses import replace
from itertools import pairwise

import checkpoint_files as files
import numpy as np
import pytest
from latent_movies import likeness_db, mp4_pictures, short_movie
from PIL import Image, ImageSequence

from cowgan.errors import Cancelled, CowganError
from cowgan.latent.movie_export import KEYFRAMES_NAME, export_movie, volume_stack
from cowgan.latent.movie_files import read_movie
from cowgan.latent.movie_frames import colour_table, pictures
from cowgan.latent.movies import Keyframe, Movie, turntable
from cowgan.progress import Silent
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import read_volume
from cowgan.volume.orthographic import Camera

MOVIE = short_movie()


class StopsAfter(Silent):
    def __init__(self, frames: int) -> None:
        self._frames = frames

    def report(self, done: int, total: int, message: str = "") -> None:
        self.cancelled = done >= self._frames


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    return Synthesizer(files.lively(), "cpu", "exact")


@pytest.fixture(scope="module")
def drawn(synthesizer):
    return [colour_table(MOVIE)[picture] for picture in pictures(MOVIE, synthesizer)]


def test_pictures_differ_from_frame_to_frame_and_use_the_colours(drawn):
    assert len(drawn) == 6
    assert {picture.shape for picture in drawn} == {(96, 64, 3)}
    for before, after in pairwise(drawn):
        assert np.abs(after.astype(int) - before).mean() > 0.5
    warm = np.concatenate(drawn).reshape(-1, 3)
    assert (warm[:, 0] >= warm[:, 2]).all()
    assert (warm[:, 0] > warm[:, 2]).any()


def test_frames_say_that_they_are_synthetic_unless_asked_not_to(synthesizer):
    black = replace(
        MOVIE, keyframes=(Keyframe(LatentState(0), Camera(zoom=0.1), frames=1),), height=128
    )
    corner = (slice(100, None), slice(0, 64))
    marked = next(pictures(black, synthesizer))
    plain = next(pictures(replace(black, mark_synthetic=False), synthesizer))
    assert marked[corner].max() > 200
    assert plain[corner].max() == 0


def test_a_gif_holds_every_frame_without_loss(tmp_path, synthesizer, drawn):
    target = tmp_path / "walk.gif"
    export_movie(MOVIE, synthesizer, target)
    with Image.open(target) as gif:
        assert gif.info["loop"] == 0
        assert gif.info["duration"] == 40
        assert b"Synthetic" in gif.info["comment"]
        found = [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(gif)]
    np.testing.assert_array_equal(found, drawn)


def test_an_mp4_holds_every_frame(tmp_path, synthesizer, drawn):
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")
    target = tmp_path / "walk.mp4"
    export_movie(MOVIE, synthesizer, target)
    frames = imageio_ffmpeg.read_frames(str(target))
    meta = next(frames)
    frames.close()
    assert meta["size"] == (64, 96)
    assert meta["fps"] == 24
    found = mp4_pictures(target)
    assert len(found) == len(drawn)
    # The colours of this coarse grain suffer from being stored at half the resolution.
    assert min(map(likeness_db, found, drawn)) > 27
    for place, picture in enumerate(found):
        likeness = [likeness_db(picture, expected) for expected in drawn]
        assert likeness.index(max(likeness)) == place


def test_a_series_holds_the_volumes_with_their_history(tmp_path, synthesizer):
    target = tmp_path / "walk"
    export_movie(MOVIE, synthesizer, target)
    names = sorted(path.name for path in target.glob("*.nii.gz"))
    assert names == [f"frame_{i:06d}.nii.gz" for i in range(6)]
    assert read_movie(target / KEYFRAMES_NAME) == MOVIE
    third = read_volume(target / names[3])
    assert third.synthetic
    state = MOVIE.frame(3, synthesizer.checkpoint).state
    np.testing.assert_allclose(third.data, synthesizer.render(state).data, atol=1e-6)
    sidecar = (target / "frame_000003.json").read_text("utf-8")
    assert '"after_keyframe": 1' in sidecar


def test_a_turning_volume_is_rendered_and_written_once(tmp_path, synthesizer):
    movie = Movie(turntable(LatentState(0), Camera(), 8), width=64, height=64, loop=True)
    export_movie(movie, synthesizer, tmp_path / "turn")
    assert [p.name for p in (tmp_path / "turn").glob("*.nii.gz")] == ["frame_000000.nii.gz"]
    assert len(volume_stack(movie, synthesizer)) == 1
    assert len({picture.tobytes() for picture in pictures(movie, synthesizer)}) == 8


@pytest.mark.parametrize("name", ["walk.gif", "walk.mp4", "walk"])
def test_nothing_is_left_of_a_cancelled_export(tmp_path, synthesizer, name):
    if name.endswith("mp4"):
        pytest.importorskip("imageio_ffmpeg")
    with pytest.raises(Cancelled):
        export_movie(MOVIE, synthesizer, tmp_path / name, progress=StopsAfter(3))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["walk.gif", "walk.mp4", "walk"])
def test_nothing_is_left_of_a_movie_that_does_not_fit_the_model(tmp_path, synthesizer, name):
    if name.endswith("mp4"):
        pytest.importorskip("imageio_ffmpeg")
    foreign = Keyframe(LatentState(w=((0.0,) * 3,)), frames=1)
    movie = replace(MOVIE, keyframes=(*MOVIE.keyframes, foreign))
    with pytest.raises(CowganError, match="architecture"):
        export_movie(movie, synthesizer, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_existing_files_are_replaced_only_on_request_and_folders_never(tmp_path, synthesizer):
    target = tmp_path / "walk.gif"
    target.write_text("precious", "utf-8")
    with pytest.raises(CowganError, match="exists already"):
        export_movie(MOVIE, synthesizer, target)
    assert target.read_text("utf-8") == "precious"
    export_movie(MOVIE, synthesizer, target, overwrite=True)
    assert target.read_bytes().startswith(b"GIF")
    (tmp_path / "walk").mkdir()
    with pytest.raises(CowganError, match="exists already"):
        export_movie(MOVIE, synthesizer, tmp_path / "walk", overwrite=True)


def test_other_suffixes_and_a_missing_encoder_are_refused(tmp_path, synthesizer, monkeypatch):
    with pytest.raises(CowganError, match=r"\.mp4 or \.gif"):
        export_movie(MOVIE, synthesizer, tmp_path / "walk.avi")
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "cowgan.latent.movie_export.find_spec",
        lambda name: None if name == "imageio_ffmpeg" else find(name),
    )
    with pytest.raises(CowganError, match="pip install"):
        export_movie(MOVIE, synthesizer, tmp_path / "walk.mp4")
