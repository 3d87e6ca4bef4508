"""Whether the time that a volume takes to come tells what it is."""

import random
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from reading_pages import free_port, start_server, started
from turing_studies import protocol

from cowgan.checkpoint import BUNDLED
from cowgan.simulate import make_phantom
from cowgan.turing.design.sources import CheckpointSource, FolderSource
from cowgan.turing.study.creation import new_study
from cowgan.turing.study.study import Study
from cowgan.volume import write_nifti

READER = "sub-R01"
CASES = 40
PAIRS = 400
BETWEEN_REQUESTS_S = 0.06
"""The server answers 20 a second in the long run."""
_RESAMPLES = 2000


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Return a study of simulated and generated volumes of the paper's size."""
    for seed in range(CASES // 2):
        write_nifti(make_phantom(seed)[0], tmp_path / "real" / f"phantom-{seed}.nii.gz")
    small = protocol(readers=1, cases=CASES, repeats=0, practice=0, impressions=0)
    real, generated = FolderSource(tmp_path / "real"), CheckpointSource(BUNDLED, 0.8, "cpu")
    return new_study(tmp_path / "study", real, generated, small, accept_leak="for timing")


@pytest.mark.timeout(1200)
def test_times_of_both_kinds_are_alike(benchmark, report, study):
    """Both kinds in turn, so that they meet the same load, at every place where they follow."""
    port = free_port()
    server = start_server(study.folder, port)
    chance = random.Random(0)
    trials = study.manifest(READER).trials
    truths = [study.key.case(READER, trial.cases[0]).truth for trial in trials]
    places = places_of_both(truths)
    seconds = {truth: np.zeros((len(places), -(-PAIRS // len(places)))) for truth in truths}

    def fetch_in_turn() -> None:
        page = started(port, study.folder)
        for row, place in enumerate(places):
            while page.go_to("ready")["trial"]["number"] <= place:
                page.step()
            names = [*page.state["trial"]["volumes"], *page.state["upcoming"]]
            two = dict(zip(truths[place:], names, strict=False))
            for column in range(seconds["real"].shape[1]):
                for truth in chance.sample([*two], 2):
                    time.sleep(BETWEEN_REQUESTS_S)
                    start = time.perf_counter()
                    reply = page.browser.ask("GET", f"/api/volumes/{two[truth]}")
                    seconds[truth][row, column] = time.perf_counter() - start
                    assert reply.status == 200
                page.browser.received.clear()

    try:
        benchmark.pedantic(fetch_in_turn, rounds=1)
    finally:
        server.kill()
        server.wait()
    topic = "Time until a volume has come, on loopback"
    for truth, values in seconds.items():
        report(topic, truth, [*(1e3 * values).ravel()], "ms", f"{values.size} requests")
    area, low, high = clustered_area(*seconds.values())
    interval = f"{area:.3f}, 95% interval {low:.3f} to {high:.3f}"
    report(topic, "AUC of a request", [area], "", interval)
    later = (np.subtract(*seconds.values()) > 0).mean()
    report(topic, "share of pairs", [later], "", f"{next(iter(seconds))} later in {later:.1%}")
    # Two intervals in forty do not hold a half by chance.
    assert low < 0.55
    assert high > 0.45


def places_of_both(truths: list[str]) -> list[int]:
    """Return trials that are followed by one of the other kind, each case in one pair only."""
    places: list[int] = []
    for place in range(len(truths) - 1):
        if truths[place] != truths[place + 1] and place - 1 not in places[-1:]:
            places.append(place)
    return places


def clustered_area(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[float, float, float]:
    """Return the area under the ROC curve, and its interval from resampling of places.

    Parameters
    ----------
    first, second : ndarray, shape (place, request)
        Times of both kinds.
    """
    later = first[:, None, :, None], second[None, :, None, :]
    shares = (np.greater(*later) + np.equal(*later) / 2).mean(axis=(2, 3))
    chance = np.random.default_rng(0)
    drawn = chance.multinomial(len(first), np.full(len(first), 1 / len(first)), _RESAMPLES)
    areas = np.einsum("sp,pq,sq->s", drawn, shares, drawn) / len(first) ** 2
    low, high = np.percentile(areas, [2.5, 97.5])
    return float(shares.mean()), float(low), float(high)
