from dataclasses import fields

import pytest

from cowgan.errors import CowganError
from cowgan.simulate import RANGES, TofParameters


def test_every_parameter_has_a_documented_range_that_holds_its_default() -> None:
    assert list(RANGES) == [field.name for field in fields(TofParameters)]
    for name, (low, high) in RANGES.items():
        assert low <= getattr(TofParameters(), name) <= high


def test_draws_stay_within_the_ranges_and_differ_by_seed() -> None:
    drawn = [TofParameters.sample(seed) for seed in range(50)]
    assert len(set(drawn)) == 50
    assert TofParameters.sample(7) == drawn[7]
    for parameters in drawn:
        for name, (low, high) in RANGES.items():
            assert low <= getattr(parameters, name) <= high


def test_parameters_survive_json() -> None:
    parameters = TofParameters.sample(3)
    assert TofParameters.from_dict(parameters.to_dict()) == parameters


@pytest.mark.parametrize(
    "wrong",
    [
        {"noise": -0.1},
        {"noise": float("nan")},
        {"repetition_time_ms": 0},
        {"siphon_loss": 1.5},
        {"flip_angle_deg": 120},
        {"field_strength_t": 0.2},
        {"noise": "much"},
    ],
)
def test_senseless_values_are_refused(wrong: dict[str, object], single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        TofParameters(**wrong)
    assert next(iter(wrong)) in single_sentence(refusal)


def test_unknown_parameters_are_named(single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        TofParameters.from_dict({"echo_train": 4})
    assert "echo_train" in single_sentence(refusal)
