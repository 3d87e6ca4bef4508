"""Tests of features that are kept on disk."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import feature_sets
import numpy as np
import pytest
from feature_sets import Moments, Noise
from hypothesis import given
from hypothesis import strategies as st

from cowgan.errors import Cancelled, CowganError
from cowgan.features.store import FeatureStore, extract_features
from cowgan.volume import Volume


@pytest.mark.parametrize("jobs", [1, 2])
def test_features_are_those_of_each_volume_in_order(tmp_path, jobs):
    volumes = Noise([f"v{i}" for i in range(5)])
    bank = extract_features(volumes, Moments(), tmp_path, jobs)
    expected = [[volumes.volume(i).data.mean(), volumes.volume(i).data.std()] for i in range(5)]
    np.testing.assert_allclose(bank.rows, expected, rtol=1e-6)
    assert bank.features.shape == (5, 1, 2)
    assert bank.names == volumes.names


def test_no_volume_is_described_twice(tmp_path):
    first = Moments()
    few = extract_features(Noise(["a", "b", "c"]), first, tmp_path)
    again = Moments()
    more = extract_features(Noise(["c", "d", "a", "a'"]), again, tmp_path)
    assert (first.calls, again.calls) == (3, 1)
    np.testing.assert_array_equal(more.rows[[0, 2, 3]], few.rows[[2, 0, 0]])


def test_another_recipe_does_not_share_features(tmp_path):
    extract_features(Noise(["a"]), Moments(), tmp_path)
    newer = Moments(version=2)
    extract_features(Noise(["a"]), newer, tmp_path)
    assert newer.calls == 1


def test_cancelling_keeps_what_was_found(tmp_path):
    class CancelAfterThree:
        cancelled = False

        def report(self, done: int, total: int, message: str = "") -> None:
            self.cancelled = done == 3

    volumes = Noise([f"v{i}" for i in range(9)])
    with pytest.raises(Cancelled):
        extract_features(volumes, Moments(), tmp_path, progress=CancelAfterThree())
    rest = Moments()
    extract_features(volumes, rest, tmp_path)
    assert rest.calls == 6


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_a_killed_extraction_is_resumed(tmp_path):
    script = tmp_path / "main.py"
    script.write_text(
        "import sys, time\nfrom pathlib import Path\n"
        "from feature_sets import Moments, Noise\n"
        "from cowgan.features.store import extract_features\n"
        "class Slow(Moments):\n"
        "    def __call__(self, volume):\n"
        "        time.sleep(0.02)\n"
        "        return super().__call__(volume)\n"
        "extract_features(Noise([f'v{i}' for i in range(2000)]), Slow(), Path(sys.argv[1]))\n",
        encoding="utf-8",
    )
    cache = tmp_path / "cache"
    helpers = str(Path(feature_sets.__file__).parent)
    environment = {**os.environ, "PYTHONPATH": helpers}
    process = subprocess.Popen([sys.executable, script, cache], env=environment)
    deadline = time.monotonic() + 60
    while not list(cache.glob("*/[!.]*.npz")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = FeatureStore(cache, Moments()).read([f"v{i}" for i in range(2000)])
    assert 32 <= len(kept) < 2000
    rest = Moments()
    bank = extract_features(Noise([f"v{i}" for i in range(100)]), rest, cache)
    assert rest.calls == 100 - len(kept.keys() & set(bank.names))


@given(st.binary(max_size=200))
def test_a_damaged_file_is_like_a_missing_one(tmp_path_factory, content):
    cache = tmp_path_factory.mktemp("cache")
    extractor = Moments()
    store = FeatureStore(cache, extractor)
    extract_features(Noise(["a"]), extractor, cache)
    (path,) = store.folder.glob("*.npz")
    path.write_bytes(path.read_bytes()[: len(content)] + content)
    extract_features(Noise(["a"]), extractor, cache)
    assert extractor.calls == 2


def test_a_volume_that_cannot_be_described_is_named(tmp_path):
    class Refusing(Moments):
        def __call__(self, volume: Volume) -> np.ndarray:
            raise CowganError("It is empty.")

    with pytest.raises(CowganError, match=r"v7: It is empty\."):
        extract_features(Noise(["v7"]), Refusing(), tmp_path)


def test_volumes_of_another_shape_are_named_and_the_others_kept(tmp_path):
    class Slices(Moments):
        def __call__(self, volume):
            row = super().__call__(volume)
            return np.repeat(row, 1 + (self.calls == 3), 0)

    with pytest.raises(CowganError, match="c and a differ in shape"):
        extract_features(Noise("abcd"), Slices(), tmp_path)
    again = Moments()
    extract_features(Noise("abcd"), again, tmp_path)
    assert again.calls == 2


def test_features_that_are_not_finite_are_refused(tmp_path):
    class Dividing(Moments):
        def __call__(self, volume: Volume) -> np.ndarray:
            return np.full((1, 2), np.nan, np.float32)

    with pytest.raises(CowganError, match="v7"):
        extract_features(Noise(["v7"]), Dividing(), tmp_path)
