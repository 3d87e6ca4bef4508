"""The ``cowgan`` command as a script sees it: exit codes, output, files."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from hashlib import sha256
from itertools import combinations
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from checkpoint_files import lively
from command_line import cowgan, cowgan_process

from cowgan.checkpoint import Checkpoint, ModelCard, load, save
from cowgan.latent import load_directions
from cowgan.networks import NetworkConfig


def assert_one_sentence(result: subprocess.CompletedProcess[str]) -> None:
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if not line.startswith("Generating")]
    assert len(lines) == 1
    assert lines[0].endswith(".")
    assert "Traceback" not in result.stderr


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    config = NetworkConfig(32, 16, 2, 16, latent_dim=16, style_depth=2)
    checkpoint = Checkpoint.random(config, discriminator=False)
    for name, parameter in checkpoint.synthesis.named_parameters():
        # An untrained model's noise gains are zero, so its volumes would not depend on noise.
        if "to_noise" in name and name.endswith("weight"):
            parameter.fill_(0.2)
    save(checkpoint, path)
    return path


def test_help_is_quick_because_torch_stays_out():
    code = (
        "import sys\nfrom cowgan.cli import app\n"
        "assert not {'torch', 'napari', 'qtpy'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    result = cowgan_process("--help")
    assert result.returncode == 0
    for command in ("info", "convert", "generate", "directions", "explore"):
        assert command in result.stdout


def test_version_is_the_package_version():
    from cowgan import __version__

    assert cowgan("--version").stdout.strip() == __version__


def test_generate_without_a_checkpoint_writes_paper_sized_volumes_of_the_bundled_model(tmp_path):
    result = cowgan("generate", "--seeds", "0-1", "--psi", "1.0", "--out", tmp_path)
    assert result.returncode == 0, result.stderr
    for seed in (0, 1):
        image = nib.load(tmp_path / f"seed_{seed:06d}.nii.gz")
        assert image.shape == (128, 128, 32)
        assert b"SYNTHETIC" in image.header["descrip"].item()
        assert nib.aff2axcodes(image.affine) == ("L", "A", "S")
        sidecar = json.loads((tmp_path / f"seed_{seed:06d}.json").read_text(encoding="utf-8"))
        assert sidecar["provenance"]["state"]["seed"] == seed


def test_the_same_seed_gives_the_same_file_in_every_run(tmp_path, model):
    for name, run in (("first", cowgan), ("second", cowgan_process)):
        result = run(
            "generate", "-c", model, "--seeds", "7", "--out", tmp_path / name, "--device", "cpu"
        )
        assert result.returncode == 0, result.stderr
    files = [(tmp_path / name / "seed_000007.nii.gz").read_bytes() for name in ("first", "second")]
    assert files[0] == files[1]


def test_generate_prints_its_manifest_as_json(tmp_path, model):
    result = cowgan("generate", "-c", model, "--seeds", "3,9-10", "--out", tmp_path, "--json")
    rows = json.loads(result.stdout)
    assert [row["seed"] for row in rows] == [3, 9, 10]
    with (tmp_path / "manifest.csv").open(encoding="utf-8") as file:
        assert [int(row["seed"]) for row in csv.DictReader(file)] == [3, 9, 10]


def test_generate_options_reach_the_volume(tmp_path, model):
    options = {
        "plain": [],
        "psi": ["--psi", "0.3"],
        "quiet": ["--no-noise"],
        "cutoff": ["--psi", "0.3", "--cutoff", "1"],
        "centre": ["--psi", "0.3", "--centre", "nearest"],
        "noise": ["--noise-seed", "5"],
    }
    volumes = {}
    for name, arguments in options.items():
        folder = tmp_path / name
        assert (
            cowgan("generate", "-c", model, "--seeds", "2", "--out", folder, *arguments).returncode
            == 0
        )
        volumes[name] = nib.load(folder / "seed_000002.nii.gz").get_fdata()
    for first, second in combinations(volumes, 2):
        assert not np.array_equal(volumes[first], volumes[second]), (first, second)


def test_ctrl_c_keeps_what_was_finished(tmp_path, model):
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "cowgan.cli", "generate", "-c", str(model)),
            *("--seeds", "0-20000", "--out", str(tmp_path)),
        ],
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("*.nii.gz"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "kept" in said
    with (tmp_path / "manifest.csv").open(encoding="utf-8") as file:
        listed = {row["file"] for row in csv.DictReader(file)}
    assert listed == {path.name for path in tmp_path.glob("seed_*.nii.gz")}
    assert len(listed) >= 3


def test_a_fault_of_the_program_ends_in_one_sentence_and_a_log(tmp_path):
    code = (
        "import sys\n"
        "from cowgan.cli.app import app, main\n"
        "def broken(): raise ZeroDivisionError('a fault')\n"
        "app.command()(broken)\n"
        "sys.argv = ['cowgan', 'broken']\n"
        "main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "TMPDIR": str(tmp_path)},
        check=False,
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    (log,) = tmp_path.glob("cowgan-*.log")
    assert str(log) in result.stderr
    assert "ZeroDivisionError: a fault" in log.read_text(encoding="utf-8")


def test_existing_volumes_are_not_replaced_unasked(tmp_path, model):
    arguments = ("generate", "-c", model, "--seeds", "1", "--out", tmp_path)
    assert cowgan(*arguments).returncode == 0
    before = (tmp_path / "seed_000001.nii.gz").stat().st_mtime_ns
    other = (*arguments, "--psi", "0.5")
    assert_one_sentence(cowgan(*other))
    assert (tmp_path / "seed_000001.nii.gz").stat().st_mtime_ns == before
    assert cowgan(*other, "--overwrite").returncode == 0


def test_info_as_text_and_as_json_agree(model):
    said = cowgan("info", model).stdout
    output = json.loads(cowgan("info", model, "--json").stdout)
    assert output["config"]["depth"] == 16
    assert output["sha256"] in said
    assert "16 x 32 x 32 voxels" in said


def test_convert_makes_a_native_file_with_a_card(tmp_path, shared_dir):
    source = shared_dir / "parity" / "depth4_size32" / "models" / "tiny"
    target = tmp_path / "tiny.safetensors"
    result = cowgan(
        *("convert", source, target, "--depth", 4, "--half", "--name", "Tiny model"),
        *("--licence", "MIT", "--training-data", "none"),
    )
    assert result.returncode == 0, result.stderr
    checkpoint = load(target)
    assert checkpoint.config.depth == 4
    assert (checkpoint.card.name, checkpoint.card.licence) == ("Tiny model", "MIT")
    assert checkpoint.card.provenance["converted_from"]["sha256"] == load(source, 4).sha256
    assert_one_sentence(cowgan("convert", source, target, "--depth", 4))


def test_a_guessed_depth_is_reported(shared_dir):
    source = shared_dir / "parity" / "depth32_size64" / "models" / "tiny"
    result = cowgan("info", source)
    assert result.returncode == 0
    assert "32 was assumed" in result.stderr


def test_directions_are_found_and_saved(tmp_path, model):
    path = tmp_path / "found.json"
    result = cowgan(
        *("directions", "-c", model, "--method", "pca", "--blocks", "0-1", "--count", 2),
        *("--out", path, "--json"),
    )
    assert result.returncode == 0, result.stderr
    output = json.loads(result.stdout)["directions"]
    stored = load_directions(path, load(model)).directions
    assert [d.name for d in stored] == [entry["name"] for entry in output]
    assert {(d.first_block, d.last_block) for d in stored} == {(0, 1)}


@pytest.mark.parametrize(
    "arguments",
    [
        ("info", "missing.pt"),
        ("info", __file__),
        ("generate", "--seeds", "9-1", "--out", "x"),
        ("generate", "--seeds", "abc", "--out", "x"),
        ("generate", "--seeds", "1,1", "--out", "x"),
        ("generate", "--seeds", "0-99999999999", "--out", "x"),
        ("generate", "--seeds", str(2**64), "--out", "x"),
        ("generate", "--seeds", "0", "--psi", "nan", "--out", "x"),
        ("generate", "--seeds", "0", "--psi", "1e30", "--out", "x"),
        ("generate", "--seeds", "0", "--cutoff", "99", "--out", "x"),
        ("generate", "--seeds", "0", "--depth", "64", "--out", "x"),
        ("generate", "--seeds", "0", "--no-noise", "--noise-seed", "1", "--out", "x"),
        ("generate", "--seeds", "0", "--device", "cuda:9", "--out", "x"),
        ("generate", "--seeds", "0", "--device", "toaster", "--out", "x"),
        ("generate", "--seeds", "0", "--checkpoint", "missing", "--out", "x"),
        ("convert", "missing.pt", "out.safetensors"),
        ("directions", "--method", "pca", "--blocks", "a", "--out", "x.json"),
        ("directions", "--blocks", "0-1", "--out", "x.json"),
        ("directions", "--count", "3", "--out", "x.json"),
        ("directions", "--depth", "64", "--out", "x.json"),
        ("directions", "--out", "x.txt"),
        ("explore", "missing.pt"),
    ],
)
def test_bad_input_ends_in_one_sentence_and_writes_nothing(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    assert_one_sentence(cowgan(*arguments))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [("generate",), ("info",), ("generate", "--wrong")])
def test_wrong_usage_exits_with_2(arguments):
    result = cowgan(*arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


WINDOWS = (("explore",), ("turing", "read", "package"))


@pytest.mark.parametrize("arguments", WINDOWS)
def test_without_napari_windows_say_how_to_install_it(tmp_path, arguments):
    (tmp_path / "qtpy").mkdir()
    (tmp_path / "qtpy" / "__init__.py").write_text("raise ImportError('no Qt')", encoding="utf-8")
    result = cowgan_process(*arguments, PYTHONPATH=str(tmp_path))
    assert_one_sentence_about_installing(result)


@pytest.mark.skipif(sys.platform != "linux", reason="only X11 and Wayland can be missing")
@pytest.mark.parametrize("arguments", WINDOWS)
def test_without_a_screen_windows_say_so_instead_of_aborting(arguments):
    pytest.importorskip("napari")
    result = cowgan_process(*arguments, DISPLAY="", WAYLAND_DISPLAY="", QT_QPA_PLATFORM="")
    assert_one_sentence(result)


def assert_one_sentence_about_installing(result: subprocess.CompletedProcess[str]) -> None:
    assert result.returncode == 2
    assert 'pip install "napari-cowgan[all]"' in result.stderr
    assert "Traceback" not in result.stderr


def test_generating_resumes_after_a_kill_and_always_has_a_manifest(model, tmp_path):
    arguments = ("generate", "--checkpoint", model, "--seeds", "0-39", "--out", tmp_path / "out")
    table = tmp_path / "out" / "manifest.csv"
    process = subprocess.Popen([sys.executable, "-m", "cowgan.cli", *map(str, arguments)])
    while not table.exists() or len(table.read_text(encoding="utf-8").splitlines()) < 4:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    process.kill()
    process.wait()
    rows = read_rows(table)
    assert 3 <= len(rows) < 40
    finished = {row["file"]: (tmp_path / "out" / row["file"]).stat().st_mtime_ns for row in rows}
    result = cowgan(*arguments)
    assert result.returncode == 0, result.stderr
    rows = read_rows(table)
    assert [int(row["seed"]) for row in rows] == list(range(40))
    for row in rows:
        path = tmp_path / "out" / row["file"]
        assert sha256(path.read_bytes()).hexdigest() == row["sha256"]
        assert finished.get(row["file"], path.stat().st_mtime_ns) == path.stat().st_mtime_ns


def read_rows(table: Path) -> list[dict[str, str]]:
    with table.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_card_does_not_steer_the_terminal(tmp_path):
    checkpoint = lively()
    checkpoint.card = ModelCard("\x1b[2J[red]Model[/red]\nSHA-256  000", "x" * 10**6)
    save(checkpoint, tmp_path / "model.safetensors")
    result = cowgan("info", tmp_path / "model.safetensors")
    assert result.returncode == 0
    assert result.stdout.startswith("Name           \\x1b[2J[red]Model[/red]\\nSHA-256  000\n")
    assert max(map(len, result.stdout.splitlines())) < 3000


@pytest.mark.parametrize(
    "command",
    [
        ("check-bank",),
        ("segment", "score", "--model", "territories", "--out", "scores.csv", "--bank"),
        ("measure",),
        ("info",),
    ],
)
def test_what_the_system_refuses_is_told_in_one_sentence(command):
    done = cowgan(*command, "x" * 300)
    assert done.returncode == 2
    assert "unexpected" not in done.stderr
    assert done.stderr.count("x" * 300) == 1
