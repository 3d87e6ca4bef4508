"""Tests of the command ``cowgan features``."""

from typer.testing import CliRunner

from cowgan.cli.app import app
from cowgan.errors import CowganError
from cowgan.features.extractors import EXTRACTORS, KnownExtractor
from cowgan.features.weights_files import WeightsFile


def run(*arguments: object):
    return CliRunner().invoke(app, ["features", *map(str, arguments)])


def test_the_list_names_every_extractor_and_where_its_weights_come_from() -> None:
    done = run()
    assert done.exit_code == 0
    assert "discriminator" in done.output
    listed = done.output.replace("\n", "")
    for name, known in EXTRACTORS.items():
        assert name in listed
        assert (known.weights if isinstance(known.weights, str) else known.weights.url) in listed


def test_weights_are_fetched_into_a_folder(tmp_path, monkeypatch) -> None:
    source, out = tmp_path / "weights.pth", tmp_path / "out"
    source.write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    weights = WeightsFile(source.as_uri(), digest, "none")
    monkeypatch.setitem(EXTRACTORS, "medicalnet", KnownExtractor("", weights))
    done = run("fetch", "medicalnet", "--out", out)
    assert done.exit_code == 0, done.output
    assert (out / "weights.pth").read_bytes() == b"abc"
    assert str(out / "weights.pth") in done.output.replace("\n", "")


def test_what_cannot_be_fetched_is_one_sentence(tmp_path) -> None:
    done = run("fetch", "efficientnet", "--out", tmp_path / "out")
    assert isinstance(done.exception, CowganError)
    assert not (tmp_path / "out").exists()
