import json
from dataclasses import replace

import checkpoint_files as files
import pytest
from latent_movies import short_movie

from cowgan.errors import CowganError
from cowgan.latent.movie_files import check_model, movie_document, read_movie, write_movie


def test_a_movie_survives_its_file(tmp_path):
    movie = replace(short_movie(), model_name="tiny", model_sha256="0" * 64)
    write_movie(movie, tmp_path / "walk.movie.json")
    assert read_movie(tmp_path / "walk.movie.json") == movie


@pytest.mark.parametrize(
    ("place", "wrong", "says"),
    [
        (("schema",), "cowgan.movie/2", "this version can open"),
        (("width",), 65, "even numbers"),
        (("frames_per_second",), "fast", "frames_per_second"),
        (("keyframes",), [], "key frames"),
        (("keyframes", 1, "camera", "zoom"), 0, "zoom"),
        (("keyframes", 1, "easing"), "bouncy", "keyframes.1.easing"),
        (("keyframes", 1, "state", "seed"), -1, "seed"),
        (("keyframes", 1, "state"), {}, "latent state"),
        (("keyframes", 0, "turns"), 10**9, "turn"),
        (("wigth",), 64, "wigth"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(tmp_path, place, wrong, says):
    content = json.loads(json.dumps(movie_document(short_movie())))
    inner = content
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = wrong
    path = tmp_path / "walk.movie.json"
    path.write_text(json.dumps(content), "utf-8")
    with pytest.raises(CowganError, match=says) as refused:
        read_movie(path)
    assert "walk.movie.json" in refused.value.sentence
    assert "\n" not in refused.value.sentence


def test_key_frames_of_another_model_are_refused():
    checkpoint = files.lively()
    check_model(short_movie(), checkpoint)
    with pytest.raises(CowganError, match="“other”"):
        check_model(replace(short_movie(), model_name="other", model_sha256="1" * 64), checkpoint)
