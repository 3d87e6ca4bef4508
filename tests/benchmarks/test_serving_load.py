"""Fifty people who read in the browser at the same time, with volumes of the paper's size."""

import random
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import turing_studies
from reading_pages import Page, free_port, start_server
from turing_studies import freeze, protocol

from cowgan.turing.serving.links import new_tokens

READERS = 50
CASES = 10
BETWEEN_ACTIONS_S = (0.5, 1.5)


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(turing_studies, "SHAPE", (32, 128, 128))
    small = protocol(readers=READERS, cases=CASES, repeats=0, practice=0, impressions=0)
    return freeze(tmp_path, small, accept_leak="random noise")


def test_fifty_readers_at_once(benchmark, report, study):
    """Time from the request to its answer, of clients that share the computer with the server."""
    port = free_port()
    server = start_server(study.folder, port)
    seconds = {"commit": [], "volume": [], "other": []}
    tokens = new_tokens(study.folder, study.readers)

    def read(reader: str) -> None:
        chance = random.Random(reader)
        page = Page.entered(port, tokens[reader])
        page.start()
        while page.state["state"] != "finished":
            for name in page.state["upcoming"] if page.state["state"] == "loading" else ():
                start = time.perf_counter()
                assert page.browser.ask("GET", f"/api/volumes/{name}").status == 200
                seconds["volume"].append(time.perf_counter() - start)
            time.sleep(chance.uniform(*BETWEEN_ACTIONS_S))
            kind = "commit" if page.state["state"] == "rated" else "other"
            start = time.perf_counter()
            page.step(chance.choice("RG"), chance.randint(1, 5))
            seconds[kind].append(time.perf_counter() - start)
            page.browser.received.clear()

    def all_read() -> None:
        threads = [threading.Thread(target=read, args=(reader,)) for reader in study.readers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    try:
        benchmark.pedantic(all_read, rounds=1)
    finally:
        server.kill()
        server.wait()
    assert len(seconds["commit"]) == READERS * CASES
    names = {"commit": 'Answer to "saved"', "volume": "A volume", "other": "Another step"}
    for kind, values in seconds.items():
        p95 = 1e3 * np.percentile(values, 95)
        milliseconds = [1e3 * value for value in values]
        topic = f"{READERS} readers at once, 32 x 128 x 128 voxels"
        report(topic, names[kind], milliseconds, "ms", f"p95 {p95:.0f} ms")
