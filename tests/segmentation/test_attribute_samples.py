"""Generated volumes that are measured, kept and continued."""

from types import SimpleNamespace

import numpy as np
import pytest

from cowgan.checkpoint import Checkpoint, load, save
from cowgan.errors import Cancelled
from cowgan.networks import NetworkConfig
from cowgan.segmentation import attribute_samples
from cowgan.segmentation.attribute_samples import kept_samples, known_samples, measured_samples
from cowgan.synthesis import LatentState, Synthesizer

pytestmark = pytest.mark.usefixtures("single_threaded")


class Labels:
    """Finds no artery; counts how often it is asked."""

    def __init__(self, sha256: str = "a") -> None:
        self.models = [SimpleNamespace(sha256=sha256)]
        self.asked = 0

    def __call__(self, volume, *, keep_probabilities: bool = False):
        self.asked += 1
        return SimpleNamespace(labels=np.zeros(volume.data.shape, np.uint8))


class Stop:
    """Cancels after some volumes."""

    def __init__(self, after: int) -> None:
        self.after, self.done = after, 0

    def report(self, done: int, total: int, message: str = "") -> None:
        self.done = done

    @property
    def cancelled(self) -> bool:
        return self.done >= self.after


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    config = NetworkConfig(16, 8, 4, 16, latent_dim=12, style_depth=2)
    return Synthesizer(Checkpoint.random(config, seed=4, discriminator=False), "cpu", "exact")


def test_a_cancelled_run_is_continued_where_it_stopped(synthesizer, tmp_path):
    kept, first = tmp_path / "kept.json", Labels()
    with pytest.raises(Cancelled):
        measured_samples(synthesizer, first, 8, kept, Stop(3))
    assert first.asked == 3
    second = Labels()
    found = measured_samples(synthesizer, second, 8, kept)
    assert second.asked == 5
    whole = measured_samples(synthesizer, Labels(), 8)
    assert found.seeds == whole.seeds == tuple(range(8))
    for key, values in whole.values.items():
        np.testing.assert_array_equal(found.values[key], values)


def test_volumes_are_written_before_the_end_of_a_run(synthesizer, tmp_path, monkeypatch):
    """A process that is killed loses only what it measured since the last part."""
    monkeypatch.setattr(attribute_samples, "_PER_PART", 2)
    kept, sizes = tmp_path / "kept.json", []

    class Watch(Stop):
        def report(self, done: int, total: int, message: str = "") -> None:
            sizes.append(kept.stat().st_size if kept.exists() else 0)

    measured_samples(synthesizer, Labels(), 5, kept, Watch(99))
    assert sizes[1] == 0 < sizes[2] < sizes[4]


def test_what_another_network_measured_is_measured_again(synthesizer, tmp_path):
    kept = tmp_path / "kept.json"
    measured_samples(synthesizer, Labels("a"), 3, kept)
    other = Labels("b")
    measured_samples(synthesizer, other, 3, kept)
    assert other.asked == 3


def test_volumes_are_those_that_the_explorer_shows_for_the_seeds(synthesizer):
    shown = []

    class Keep(Labels):
        def __call__(self, volume, *, keep_probabilities: bool = False):
            shown.append(volume.provenance["state"])
            return super().__call__(volume)

    measured_samples(synthesizer, Keep(), 2)
    assert shown == [LatentState(0).to_dict(), LatentState(1).to_dict()]


def test_what_was_measured_of_a_model_is_known_later(synthesizer, tmp_path, monkeypatch):
    monkeypatch.setattr(attribute_samples, "user_cache_path", lambda *_, **__: tmp_path)
    save(synthesizer.checkpoint, tmp_path / "model.safetensors")
    saved = load(tmp_path / "model.safetensors")
    assert known_samples(saved) is None
    measured_samples(Synthesizer(saved, "cpu", "exact"), Labels(), 3, kept_samples(saved))
    assert known_samples(saved).seeds == (0, 1, 2)
    assert known_samples(synthesizer.checkpoint) is None
