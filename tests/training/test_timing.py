"""The time of a run, from steps of each kind."""

import pytest

from cowgan.errors import Cancelled
from cowgan.networks import NetworkConfig
from cowgan.training.config import preset
from cowgan.training.timing import StepTime, duration, measure_step_time
from cowgan.training.trainer import Trainer

NETWORK = NetworkConfig(16, 16, 1, 16, latent_dim=32, style_depth=2)


class Stopped:
    """Progress that cancels after some steps."""

    def __init__(self, after: int) -> None:
        self._after = after
        self.done = 0

    @property
    def cancelled(self) -> bool:
        return self.done >= self._after

    def report(self, done: int, total: int, message: str = "") -> None:
        self.done = done


@pytest.fixture
def terms(monkeypatch, single_threaded) -> list[frozenset[str]]:
    """Return a list that receives the occasional terms of each completed step."""
    seen = []
    step = Trainer.step

    def noted(trainer: Trainer) -> dict[str, float]:
        metrics = step(trainer)
        seen.append(frozenset(metrics) & {"penalty", "path"})
        return metrics

    monkeypatch.setattr(Trainer, "step", noted)
    # None is repeated.
    monkeypatch.setattr("cowgan.training.timing._ENOUGH_S", 0.0)
    return seen


@pytest.mark.parametrize("name", ["paper", "modern"])
def test_steps_of_each_kind_are_measured(name, terms):
    config = preset(name, NETWORK).with_changes(batch=2, accumulate=1, precision="fp32")
    found = measure_step_time(config, "cpu")
    assert {kind for kind in terms if len(kind) < 2} == {
        frozenset(),
        frozenset({"penalty"}),
        frozenset({"path"}),
    }
    assert frozenset({"penalty", "path"}) not in terms
    assert found.steps == len(terms)
    assert found.plain_s > 0


def test_a_linear_start_is_measured_as_it_trains(terms):
    config = preset("projected", NETWORK).with_changes(batch=2, precision="fp32")
    assert measure_step_time(config, "cpu").steps == len(terms) == 1
    assert set(terms) == {frozenset()}


def test_the_measurement_can_be_cancelled(terms):
    config = preset("modern", NETWORK).with_changes(batch=2, accumulate=1)
    with pytest.raises(Cancelled):
        measure_step_time(config, "cpu", Stopped(after=2))
    assert len(terms) == 2


@pytest.mark.parametrize("steps", [1, 16, 17, 100, 6000])
@pytest.mark.parametrize("name", ["paper", "modern", "projected"])
def test_the_time_of_a_run_is_the_sum_of_its_steps(name, steps):
    config = preset(name, NETWORK).with_changes(steps=steps)
    cost = StepTime(
        2.0, 3.0 if config.penalty_weight else 0.0, 5.0 if config.path_weight else 0.0, 9
    )
    expected = 0.0
    for step in range(steps):
        penalised = step % config.penalty_every == 0
        path = step >= config.path_from and step % config.path_every == 0
        expected += cost.plain_s + penalised * cost.penalty_s + path * cost.path_s
    assert cost.run_s(config) == pytest.approx(expected)
    assert duration(expected / steps) in cost.summary(config)
    assert "9 were measured" in cost.summary(config)
