import checkpoint_files as files
import pytest

from cowgan.checkpoint import Checkpoint
from cowgan.synthesis import Synthesizer


@pytest.fixture(autouse=True)
def _fast_small_networks(single_threaded: None) -> None:
    pass


@pytest.fixture(scope="session")
def checkpoint() -> Checkpoint:
    return files.lively()


@pytest.fixture
def synthesizer(checkpoint) -> Synthesizer:
    return Synthesizer(checkpoint, "cpu", "exact")
