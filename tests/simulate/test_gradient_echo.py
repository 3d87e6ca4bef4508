import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowgan.simulate.gradient_echo import after_pulses, steady_state, t1_ms

angles = st.floats(0.05, 1.2)
times = st.floats(5, 60)
t1s = st.floats(200, 4500)


@given(angles, times, t1s, st.integers(0, 40))
def test_blood_follows_the_bloch_equations_pulse_by_pulse(
    angle: float, repetition_time_ms: float, t1: float, pulses: int
) -> None:
    longitudinal = 1.0
    for _ in range(pulses):
        after_pulse = longitudinal * np.cos(angle)
        longitudinal = 1 + (after_pulse - 1) * np.exp(-repetition_time_ms / t1)
    expected = longitudinal * np.sin(angle)
    assert after_pulses(pulses, angle, repetition_time_ms, t1) == pytest.approx(expected, rel=1e-9)


@given(angles, times, t1s)
def test_blood_that_stays_becomes_like_tissue(angle: float, tr_ms: float, t1: float) -> None:
    resting = steady_state(angle, tr_ms, t1)
    assert after_pulses(1e6, angle, tr_ms, t1) == pytest.approx(resting, rel=1e-6)


def test_signal_is_largest_at_the_ernst_angle() -> None:
    flip_angles = np.radians(np.linspace(1, 89, 881))
    best = flip_angles[steady_state(flip_angles, 23.0, 1084.0).argmax()]
    assert best == pytest.approx(np.arccos(np.exp(-23.0 / 1084.0)), abs=np.radians(0.1))


def test_relaxation_times_are_the_published_ones() -> None:
    assert t1_ms("blood", 1.5) == pytest.approx(1441)
    assert t1_ms("blood", 3.0) == pytest.approx(1932)
    assert t1_ms("white matter", 3.0) == pytest.approx(1084)
    assert 884 < t1_ms("white matter", 2.0) < 1084
