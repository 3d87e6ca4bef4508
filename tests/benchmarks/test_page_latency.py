"""From Enter to the next image, in a real browser on the computer that serves it."""

from pathlib import Path

import numpy as np
import page_browser
import pytest
import turing_studies
from page_browser import READER, Reader
from reading_pages import served
from turing_studies import freeze, protocol

from cowgan.turing.serving.links import new_tokens

CASES = 20


def test_the_next_image(benchmark, report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image is drawn; for 0.15 s of that time, the page is black on purpose."""
    monkeypatch.setattr(turing_studies, "SHAPE", (32, 128, 128))
    small = protocol(readers=1, cases=CASES, repeats=0, practice=0, impressions=0)
    study = freeze(tmp_path, small, accept_leak="random noise")
    link = new_tokens(study.folder, [READER])[READER]
    with (
        page_browser.browser() as browser,
        served(study.folder) as port,
        browser.new_context(viewport={"width": 1280, "height": 800}) as context,
    ):
        reader = Reader(context, f"http://127.0.0.1:{port}/#{link}").open()
        benchmark.pedantic(lambda: reader.go_to("Finished"), rounds=1)
    entered_ns, waited_ms = 0, []
    for record in page_browser.records(study):
        if record.kind == "proceed":
            entered_ns = record.mono_ns
        elif record.kind == "shown":
            waited_ms.append((record.mono_ns - entered_ns) / 1e6)
    assert len(waited_ms) == CASES
    p95 = np.percentile(waited_ms, 95)
    topic = "Page and server on one computer, 32 x 128 x 128 voxels"
    report(topic, "From Enter to the next image", waited_ms, "ms", f"p95 {p95:.0f} ms")
