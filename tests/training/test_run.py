"""Runs started, killed and resumed as real processes."""

import csv
import random
import shutil
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from command_line import cowgan
from safetensors.torch import save_file
from training_banks import TINY, TINY_NETWORK, assert_same_state, finish, make_bank, start

from cowgan.bank.bank import Bank
from cowgan.checkpoint import load
from cowgan.errors import Cancelled, CowganError
from cowgan.networks import NetworkConfig
from cowgan.training.bank_subset import BankSubset
from cowgan.training.config import TrainingConfig, preset
from cowgan.training.config_files import read_config
from cowgan.training.log import RUN_COLUMNS, LogFollower, LogWriter
from cowgan.training.run import export_run, read_run, resume_run, start_run
from cowgan.training.run_state import read_description
from cowgan.training.state_files import PREVIOUS_FILE, STATE_FILE


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Bank:
    return make_bank(tmp_path_factory.mktemp("bank") / "bank")


@dataclass(frozen=True)
class UninterruptedRun:
    """An uninterrupted run, and how often its twin is killed."""

    preset: str
    steps: int
    kills: int
    folder: Path

    def arguments(self, bank: Bank, out: Path) -> tuple[object, ...]:
        return (
            *("train", "--bank", bank.path, "--out", out, "--preset", self.preset),
            *(*TINY, "--steps", self.steps),
        )


@pytest.fixture(
    scope="module",
    params=[
        ("modern", 36, 2),
        pytest.param(("modern", 80, 5), marks=pytest.mark.slow),
        pytest.param(("paper", 80, 5), marks=pytest.mark.slow),
    ],
)
def uninterrupted(request, bank: Bank, tmp_path_factory) -> UninterruptedRun:
    run = UninterruptedRun(*request.param, tmp_path_factory.mktemp("uninterrupted") / "run")
    result = finish(*run.arguments(bank, run.folder))
    assert result.returncode == 0, result.stderr
    return run


def test_a_killed_run_resumes_to_the_same_result(
    uninterrupted: UninterruptedRun, bank: Bank, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    moments = random.Random(uninterrupted.preset)
    process = start(*uninterrupted.arguments(bank, run))
    for _ in range(uninterrupted.kills):
        begun = wait_for_save(run, process)
        interval = wait_for_save(run, process) - begun
        time.sleep(moments.uniform(0, interval))
        process.kill()
        process.communicate()
        assert read_description(run).counters.step < uninterrupted.steps
        process = start("train", "--resume", run, "--device", "cpu")
    process.communicate(timeout=240)
    assert process.returncode == 0
    assert_same_state(uninterrupted.folder, run)


def wait_for_save(run: Path, process: subprocess.Popen[str]) -> float:
    """Wait until a run saves its state, and return the time."""
    before = saved_at(run)
    while saved_at(run) in (before, None):
        assert process.poll() is None, "the run ended before it could be disturbed"
        time.sleep(0.001)
    return time.monotonic()


def saved_at(run: Path) -> int | None:
    try:
        return (run / STATE_FILE).stat().st_mtime_ns
    except FileNotFoundError:
        return None


def test_the_log_has_one_row_per_step_after_kills_too(bank: Bank, tmp_path: Path) -> None:
    config = preset("modern", TINY_NETWORK).with_changes(
        batch=2, accumulate=1, steps=6, save_every=3
    )
    start_run(tmp_path / "run", bank, config, "cpu")
    resume_run(tmp_path / "run", device="cpu", steps=9)
    with (tmp_path / "run" / "log.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(1, 10))
    assert [int(row["images"]) for row in rows] == list(range(2, 20, 2))
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)


def test_a_log_keeps_what_was_measured_before(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    row = dict.fromkeys(RUN_COLUMNS, 1)
    with closing(LogWriter(path, 0, ["likeness"])) as log:
        log.add({**row, "likeness": 0.5})
    with closing(LogWriter(path, 1, ["distance"])) as log:
        log.add({**row, "step": 2, "distance": 3})
    _, rows = LogFollower(path).read()
    assert [(of["step"], of.get("likeness"), of.get("distance")) for of in rows] == [
        (1, 0.5, None),
        (2, None, 3),
    ]


@pytest.mark.parametrize("damage", [b"step,images\n1,x\n", b"step,seconds\n1,1,1\n", b"\xff\n"])
def test_a_damaged_log_is_one_sentence_and_kept(tmp_path: Path, damage, single_sentence) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(damage)
    with pytest.raises(CowganError) as refusal:
        LogWriter(path, 5)
    assert "damaged" in single_sentence(refusal)
    assert path.read_bytes() == damage


def test_every_setting_is_written_out_and_read_back(bank: Bank, tmp_path: Path) -> None:
    config = preset("paper", TINY_NETWORK).with_changes(batch=3, accumulate=1, steps=1, seed=9)
    start_run(tmp_path / "run", bank, config, "cpu")
    assert read_config(tmp_path / "run" / "config.toml", TrainingConfig()) == config
    assert read_description(tmp_path / "run").config == config.to_dict()


def test_a_damaged_state_is_replaced_by_the_previous_one(bank: Bank, tmp_path: Path) -> None:
    config = preset("modern", TINY_NETWORK).with_changes(
        batch=2, accumulate=1, steps=4, save_every=2
    )
    whole, run = tmp_path / "whole", tmp_path / "run"
    torch.set_num_threads(1)
    start_run(whole, bank, config, "cpu")
    shutil.copytree(whole, run)
    content = (run / STATE_FILE).read_bytes()
    (run / STATE_FILE).write_bytes(content[: len(content) // 2])
    assert read_description(run).counters.step == 2
    resume_run(run, device="cpu")
    assert_same_state(whole, run)
    for name in (STATE_FILE, PREVIOUS_FILE):
        (run / name).write_bytes(b"nothing")
    with pytest.raises(CowganError, match="damaged"):
        resume_run(run, device="cpu")


class StopAt:
    """A progress that cancels after some steps."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.cancelled = False

    def report(self, done: int, total: int, message: str = "") -> None:
        self.cancelled = done >= self.step


def test_a_run_whose_first_state_was_never_written_starts_again(
    bank: Bank, tmp_path: Path, monkeypatch, single_sentence
) -> None:
    config = preset("modern", TINY_NETWORK).with_changes(batch=2, accumulate=1, steps=1)
    run = tmp_path / "run"

    def full(path: Path, content: bytes) -> None:
        path.write_bytes(content[:100])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("cowgan.training.state_files.write_serialised", full)
        with pytest.raises(CowganError, match="No space left"):
            start_run(run, bank, config, "cpu")
    assert (run / "run.json").exists()
    with pytest.raises(CowganError) as refusal:
        resume_run(run, device="cpu")
    assert "start the run again" in single_sentence(refusal)
    start_run(run, bank, config.with_changes(steps=2), "cpu")
    assert read_description(run).counters.step == 2


def test_a_run_is_exported_twice_to_the_same_bytes(bank: Bank, tmp_path: Path) -> None:
    config = preset("modern", TINY_NETWORK).with_changes(batch=2, accumulate=1, steps=1)
    start_run(tmp_path / "run", bank, config, "cpu")
    exports = [tmp_path / f"{i}.safetensors" for i in range(6)]
    for path in exports:
        export_run(tmp_path / "run", path)
    assert len({path.read_bytes() for path in exports}) == 1
    assert load(exports[0]).card.name == "run"


def test_stopping_saves_first(bank: Bank, tmp_path: Path) -> None:
    config = preset("modern", TINY_NETWORK).with_changes(batch=2, accumulate=1, steps=9)
    with pytest.raises(Cancelled):
        start_run(tmp_path / "run", bank, config, "cpu", progress=StopAt(4))
    assert read_description(tmp_path / "run").counters.step == 4


def test_the_result_opens_as_a_model(uninterrupted: UninterruptedRun, tmp_path: Path) -> None:
    result = finish("export", uninterrupted.folder, tmp_path / "model.safetensors")
    assert result.returncode == 0, result.stderr
    model = load(tmp_path / "model.safetensors")
    assert model.config == TINY_NETWORK
    assert f"{uninterrupted.steps}" in model.card.description
    volumes = model.synthesis(model.mapping(torch.randn(2, TINY_NETWORK.latent_dim)))
    assert volumes.shape == (2, 1, 16, 16, 16)
    assert volumes.isfinite().all()


def test_a_sample_sheet_is_drawn(uninterrupted: UninterruptedRun) -> None:
    from PIL import Image

    picture = uninterrupted.folder / "samples" / f"step_{uninterrupted.steps:07d}.png"
    with Image.open(picture) as sheet:
        assert sheet.size == (512, 512)
        assert np.ptp(np.asarray(sheet)) > 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("--out", "new"),
        ("--resume", "missing"),
        ("--out", "a", "--resume", "b"),
        (),
        ("--out", "new", "--bank", "missing"),
    ],
)
def test_invalid_arguments_are_reported_in_one_sentence(tmp_path: Path, arguments) -> None:
    result = cowgan("train", *arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert result.stderr.rstrip().splitlines()[-1].endswith(".")
    assert list(tmp_path.iterdir()) == []


def test_a_bank_of_another_size_is_refused(bank: Bank, tmp_path: Path, single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        start_run(tmp_path / "run", bank, preset("modern", NetworkConfig(32, 16, 1, 8)), "cpu")
    assert "16 x 16 x 16" in single_sentence(refusal)
    assert not (tmp_path / "run").exists()


def test_a_coarse_network_sees_averages_of_the_bank(bank: Bank) -> None:
    side = BankSubset(bank, (8, 4, 4), bank.training)
    (coarse,) = side.read([2])
    (fine,) = bank.read([bank.training[2]])
    assert coarse.shape == (1, 8, 4, 4)
    assert coarse[0, 3, 1, 2] == pytest.approx(fine[0, 6:8, 4:8, 8:12].mean(), rel=1e-5)
    assert side.spacing_mm == pytest.approx(np.multiply(bank.spacing_mm, (2, 4, 4)))


def test_a_state_that_lacks_a_setting_is_damaged(
    bank: Bank, tmp_path: Path, single_sentence
) -> None:
    config = preset("modern", TINY_NETWORK).with_changes(batch=2, accumulate=1, steps=1)
    start_run(tmp_path / "run", bank, config, "cpu")
    path = tmp_path / "run" / STATE_FILE
    content = path.read_bytes()
    # In JSON within JSON, of the same length.
    damaged = content.replace(b'\\"batch\\"', b'\\"catch\\"')
    assert damaged != content
    (tmp_path / "run" / PREVIOUS_FILE).unlink()
    path.write_bytes(damaged)
    with pytest.raises(CowganError) as refusal:
        export_run(tmp_path / "run", tmp_path / "model.safetensors")
    assert "damaged" in single_sentence(refusal)


def test_a_run_is_not_resumed_with_another_bank(
    bank: Bank, tmp_path: Path, single_sentence
) -> None:
    config = preset("modern", TINY_NETWORK).with_changes(batch=2, accumulate=1, steps=1)
    start_run(tmp_path / "run", bank, config, "cpu")
    other = make_bank(tmp_path / "other", 5)
    with pytest.raises(CowganError) as refusal:
        resume_run(tmp_path / "run", other, "cpu", steps=2)
    assert "another bank" in single_sentence(refusal)
    with pytest.raises(CowganError, match="holds a run already"):
        start_run(tmp_path / "run", bank, config, "cpu")


DAMAGED = {
    "empty": b"",
    "deep": b"[" * 500 + b"]" * 500,
    "mistyped": b'{"bank": 5, "spacing_mm": [1, 1, 1]}',
    "no numbers": b'{"bank": "b", "bank_sha256": "", "init_from": null, "spacing_mm": "123", '
    b'"written_by": ""}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_description_of_a_run_is_reported_in_one_sentence(
    tmp_path, content, single_sentence
) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(CowganError) as refusal:
        read_run(tmp_path)
    assert "run.json is damaged" in single_sentence(refusal)


@pytest.mark.parametrize(
    "content",
    [
        b"\xff",
        b"batch = '8'",
        b"batch = true",
        b"steps = 1.5",
        b"flip = nan",
        b"loss = 'none'",
        b"unheard = 1",
        b"network = 5",
        b"network.depth = '16'",
        b"network.unheard = 1",
        b"batch = " + b"[" * 5000,
        b"batch = 1979-05-27",
        b"steps = 1" + b"0" * 400,
    ],
    ids=lambda content: content[:20],
)
def test_damaged_settings_are_reported_in_one_sentence(
    tmp_path: Path, content, single_sentence
) -> None:
    (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(CowganError) as refusal:
        read_config(tmp_path / "config.toml", TrainingConfig())
    single_sentence(refusal)


def test_a_setting_of_another_version_is_named(tmp_path: Path, single_sentence) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbfbatch = 3\r\nunheard_weight = 0.0\r\n")
    with pytest.raises(CowganError) as refusal:
        read_config(path, TrainingConfig())
    assert "sets unheard_weight, which this version does not have" in single_sentence(refusal)
    path.write_bytes(b"\xef\xbb\xbfbatch = 3\r\n")
    assert read_config(path, TrainingConfig()).batch == 3


@pytest.mark.parametrize(
    "description",
    [
        "{",
        "[" * 500 + "]" * 500,
        '{"config": 5, "counters": {}, "scaler": {}, "bank_sha256": "", "written_by": ""}',
        '{"config": {}, "counters": {"step": "4"}}',
    ],
    ids=lambda text: text[:40],
)
def test_a_state_whose_description_is_damaged_is_reported_in_one_sentence(
    tmp_path: Path, description, single_sentence
) -> None:
    metadata = {"format": "cowgan-training-state", "version": "1", "description": description}
    save_file({}, tmp_path / STATE_FILE, metadata)
    with pytest.raises(CowganError) as refusal:
        read_description(tmp_path)
    assert "is damaged" in single_sentence(refusal)
