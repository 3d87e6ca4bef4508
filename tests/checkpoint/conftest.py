import pytest


@pytest.fixture(autouse=True)
def _fast_small_networks(single_threaded: None) -> None:
    pass
