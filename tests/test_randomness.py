"""Tests that the random streams, which are part of the file format, never change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowgan.errors import CowganError
from cowgan.randomness import MAX_SEED, parse_seed, stream

seeds = st.integers(0, MAX_SEED)


@pytest.mark.parametrize(
    ("purpose", "seed", "normals"),
    [
        ("z", 0, [0.692773518679, -0.173154465615, 1.40456183206, 0.0648111562848]),
        (
            "z",
            1,
            [0.151243780275, -0.0202717576312, 1.29570956012, -0.385556935229],
        ),
        (
            "z",
            2**32,
            [1.26956724886, 2.81203973742, 0.868122423289, 0.348267226365],
        ),
        (
            "z",
            2**32 + 1,
            [-0.373558412545, 1.87252412546, -0.908330459488, 1.36589260263],
        ),
        (
            "z",
            MAX_SEED,
            [0.254189696625, -0.402548815177, -1.79705417489, -0.168135452382],
        ),
        (
            "latent statistics",
            0,
            [0.155294688412, 0.0809134179158, -0.0417539372558, 1.13067126975],
        ),
    ],
)
def test_the_first_normal_numbers_of_a_stream_are_frozen(purpose, seed, normals):
    np.testing.assert_allclose(stream(purpose, seed).standard_normal(4), normals, rtol=1e-11)


def test_the_first_uniform_numbers_of_a_stream_are_frozen():
    np.testing.assert_allclose(
        stream("noise", 0).random_sample(4),
        [0.701278924898, 0.99976243907, 0.667085642454, 0.518287523736],
    )


@given(seeds, st.integers(1, 2**32 - 1))
def test_seeds_that_share_their_low_half_give_unrelated_numbers(seed, high):
    other = seed ^ (high << 32)
    first, second = (stream("z", s).standard_normal(256) for s in (seed, other))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.45


@given(seeds)
def test_purposes_give_unrelated_numbers(seed):
    first, second = (stream(purpose, seed).random_sample(256) for purpose in ("z", "noise"))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.45


@given(seeds)
def test_each_stream_starts_at_its_beginning(seed):
    np.testing.assert_array_equal(
        stream("z", seed).standard_normal(8), stream("z", seed).standard_normal(8)
    )


@given(seeds)
def test_a_seed_is_read_as_it_is_written(seed):
    assert parse_seed(f" 000{seed}\n") == seed


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", str(MAX_SEED + 1), "9" * 9999, "1.0", "1e3", "²", "٣", "1_0", "0x1"]
)
def test_invalid_seeds_are_refused(text):
    with pytest.raises(CowganError, match="whole number from 0 to 18,446,744,073,709,551,615"):
        parse_seed(text)
