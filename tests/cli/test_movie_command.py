"""Tests of ``cowgan keyframes`` and ``cowgan movie``."""

import json

import checkpoint_files as files
import pytest
from command_line import cowgan
from PIL import Image

from cowgan.checkpoint import save
from cowgan.latent.movie_files import read_movie, write_movie
from cowgan.latent.movies import Keyframe, Movie
from cowgan.synthesis import LatentState

pytestmark = pytest.mark.usefixtures("single_threaded")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save(files.lively(), path)
    return path


def test_key_frames_become_a_movie(tmp_path, model):
    keyframes, out = tmp_path / "walk.movie.json", tmp_path / "walk.gif"
    made = cowgan(
        "keyframes", "--seeds", "0,7", "--frames", 4, "--psi", 0.8, "--out", keyframes, "-c", model
    )
    assert made.returncode == 0, made.stderr
    shown = cowgan("movie", keyframes, "--out", out, "-c", model, "--json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout) == {"file": str(out), "frames": 4, "seconds": 4 / 24}
    with Image.open(out) as gif:
        assert (gif.n_frames, gif.size) == (4, (512, 512))


@pytest.mark.parametrize(
    ("mode", "seeds", "key_frames", "frames"),
    [
        ("normal", "0-2", 3, 30),
        ("interpolation", "0-2", 3, 19),
        ("variation", "5", 1, 10),
        ("turntable", "5", 1, 10),
    ],
)
def test_every_mode_makes_its_key_frames(tmp_path, model, mode, seeds, key_frames, frames):
    out = tmp_path / "a.movie.json"
    options = ("--mode", mode, "--frames", 10, "--plane", "coronal", "-c", model)
    made = cowgan("keyframes", "--seeds", seeds, "--out", out, *options)
    assert made.returncode == 0, made.stderr
    movie = read_movie(out)
    assert (len(movie.keyframes), movie.n_frames) == (key_frames, frames)
    assert {keyframe.camera.elevation_deg for keyframe in movie.keyframes} == {0}


def test_key_frames_of_another_model_name_it(tmp_path, model):
    path = tmp_path / "a.movie.json"
    write_movie(Movie((Keyframe(LatentState(0)),), "elsewhere", "1" * 64), path)
    shown = cowgan("movie", path, "--out", tmp_path / "a.gif", "-c", model)
    assert shown.returncode == 2
    assert "elsewhere" in shown.stderr
    assert not (tmp_path / "a.gif").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("movie", "missing.movie.json", "--out", "a.gif"),
        ("keyframes", "--seeds", "0,1", "--out", "walk.json"),
        ("keyframes", "--seeds", "0", "--out", "walk.movie.json"),
        ("keyframes", "--seeds", "0,1", "--mode", "turntable", "--out", "walk.movie.json"),
    ],
)
def test_wrong_requests_end_in_one_sentence_and_write_nothing(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    refused = cowgan(*arguments)
    assert refused.returncode == 2
    assert refused.stderr.count(".\n") == 1
    assert not list(tmp_path.iterdir())
