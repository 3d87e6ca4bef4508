"""Metrics, TensorBoard and status of a run in training."""

import csv
from pathlib import Path

import pytest
import torch
from training_banks import make_bank, random_volumes

from cowgan.networks import NetworkConfig
from cowgan.training.config import preset
from cowgan.training.metrics import SAMPLES, MipCorrelation
from cowgan.training.remote_control import RunStatus
from cowgan.training.run import resume_run, start_run
from cowgan.training.tensorboard import TENSORBOARD_FOLDER

NETWORK = NetworkConfig(16, 16, 1, 8)
CONFIG = preset("modern", NETWORK).with_changes(
    batch=2, accumulate=1, steps=4, save_every=2, metrics_every=2
)


class Brightest:
    """A custom metric."""

    names = ("brightest",)

    def __call__(self, volumes: torch.Tensor) -> dict[str, float]:
        assert volumes.shape == (SAMPLES, 1, *NETWORK.volume_shape)
        return {"brightest": float(volumes.max())}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """Return a run of four steps that was stopped at the second and resumed."""
    folder = tmp_path_factory.mktemp("run")
    bank = make_bank(folder / "bank")
    torch.set_num_threads(1)
    start_run(folder / "run", bank, CONFIG.with_changes(steps=3), "cpu", metrics=[Brightest()])
    # Its newest state is that of step 2, as after a kill during step 3.
    previous = folder / "run" / "state.previous.safetensors"
    previous.replace(folder / "run" / "state.safetensors")
    resume_run(folder / "run", bank, "cpu", steps=4, metrics=[Brightest()])
    return folder / "run"


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "log.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_mip_correlation_is_that_logged_by_earlier_versions() -> None:
    found = MipCorrelation(random_volumes(24, 0))(random_volumes(30, 2))
    assert found == pytest.approx(
        {
            "mip_correlation": -0.009133522790900869,
            "mip_correlation_nearest": 0.47508269894949734,
            "mip_correlation_of_reals": -0.0007595830936316134,
            "mip_correlation_nearest_of_reals": 0.4534263094204732,
        },
        rel=1e-9,
    )


def test_metrics_are_logged_in_the_rows_of_their_steps(run: Path) -> None:
    table = rows(run)
    assert [row["step"] for row in table] == ["1", "2", "3", "4"]
    for name in ("mip_correlation", "mip_correlation_nearest_of_reals", "brightest"):
        assert [bool(row[name]) for row in table] == [False, True, False, True]
    assert all(0 < float(row["mip_correlation_of_reals"]) < 1 for row in table[1::2])


def test_tensorboard_shows_every_row_of_the_log_once(run: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = accumulator.EventAccumulator(str(run / TENSORBOARD_FOLDER))
    events.Reload()
    table = rows(run)
    scalars = events.Scalars("discriminator")
    assert [event.step for event in scalars] == [1, 2, 3, 4]
    assert [event.value for event in scalars] == pytest.approx(
        [float(row["discriminator"]) for row in table]
    )
    measured = events.Scalars("brightest")
    assert [event.step for event in measured] == [2, 4]
    assert [image.step for image in events.Images("samples")] == [4]


def test_without_tensorboard_the_log_is_there(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("cowgan.training.tensorboard.tensorboard_available", lambda: False)
    config = CONFIG.with_changes(steps=1)
    start_run(tmp_path / "run", make_bank(tmp_path / "bank"), config, "cpu")
    assert len(rows(tmp_path / "run")) == 1
    assert not (tmp_path / "run" / TENSORBOARD_FOLDER).exists()


def test_the_pace_in_words() -> None:
    assert RunStatus("starting", 1).pace == ""
    assert RunStatus("training", 1, images_per_s=2.04, peak_memory_mb=1536).pace == (
        "2.0 images/s, 1.5 GB"
    )
