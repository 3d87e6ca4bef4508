import numpy as np
import pytest

from cowgan.evaluation.similarity import (
    correlation_rows,
    mean_and_nearest,
    nearest,
    nearest_of_other_subjects,
    with_mirror_images,
)


def pictures(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((count, 6, 4), np.float32)


def test_mean_and_nearest_correlation_are_those_of_numpy() -> None:
    some = pictures(5)
    table = np.corrcoef(some.reshape(5, -1).astype(np.float64))
    mean, closest = mean_and_nearest(correlation_rows(some))
    assert mean == pytest.approx(table[np.triu_indices(5, 1)].mean())
    assert closest == pytest.approx(np.max(table - 2 * np.eye(5), 1).mean())


def test_a_set_that_repeats_itself_has_higher_correlations() -> None:
    varied = pictures(6)
    repeated = varied[:1] + 0.05 * pictures(6, 1)
    assert mean_and_nearest(correlation_rows(repeated))[0] > 0.9
    assert mean_and_nearest(correlation_rows(varied))[0] < 0.2


@pytest.mark.parametrize("grey", [0.0, 0.1, 0.5])
def test_the_correlation_with_a_single_grey_level_is_undefined(grey: float) -> None:
    some = pictures(4)
    some[2] = grey
    assert np.isnan(mean_and_nearest(correlation_rows(some))).all()


def test_a_copy_is_found_whichever_side_is_up() -> None:
    training = pictures(7)
    references = correlation_rows(with_mirror_images(training))
    generated = [training[4], training[2][:, ::-1], 3 * training[5] + 1]
    likeness, found = nearest(correlation_rows(generated), references)
    assert likeness == pytest.approx(1)
    assert found.tolist() == [4, 7 + 2, 5]


def test_volumes_of_the_same_subject_do_not_count_as_nearest() -> None:
    some = pictures(3)
    rows = correlation_rows([some[0], some[0] + 0.01 * some[1], some[2]])
    found = nearest_of_other_subjects(rows, ["a", "a", "b"], rows, ["a", "a", "b"])
    table = rows @ rows.T
    assert found == pytest.approx([table[0, 2], table[1, 2], table[2, :2].max()])
