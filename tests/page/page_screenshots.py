"""Draw the page for reading in the browser in every state, for people to look at.

Usage: ``python tests/page/page_screenshots.py [FOLDER]``.
"""

import sys
import tempfile
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

import page_browser
from page_browser import Reader
from playwright.sync_api import Browser
from reading_pages import served

from cowgan.checkpoint import BUNDLED
from cowgan.simulate import make_phantom
from cowgan.turing.design.protocol import Protocol
from cowgan.turing.design.sources import CheckpointSource, FolderSource
from cowgan.turing.design.trials import Rules
from cowgan.turing.serving.links import new_tokens
from cowgan.turing.study.creation import new_study
from cowgan.turing.study.study import Study
from cowgan.volume import write_nifti

SIZES = {
    "1280x800": {"viewport": {"width": 1280, "height": 800}},
    "1920x1080": {"viewport": {"width": 1920, "height": 1080}},
    "3840x2160": {"viewport": {"width": 3840, "height": 2160}},
    "tablet": {"viewport": {"width": 1024, "height": 768}, "has_touch": True, "is_mobile": True},
}


def make_studies(folder: Path) -> tuple[Study, Study]:
    """Make a study of single volumes with all phases, and one of pairs; a reader for each size."""
    for seed in range(8):
        write_nifti(make_phantom(seed)[0], folder / "real" / f"phantom-{seed}.nii.gz")
    real, generated = FolderSource(folder / "real"), CheckpointSource(BUNDLED, 0.8, "cpu")
    common = {"readers": len(SIZES), "repeats": 0, "block": 2, "seed": 1}
    protocols = (
        Protocol(cases=10, practice=2, impressions=2, rules=Rules(break_trials=2), **common),
        Protocol(cases=12, practice=2, rules=Rules("2afc"), **common),
    )
    rating, pairs = (
        new_study(folder / name, real, generated, protocol, accept_leak="for pictures")
        for name, protocol in zip(("rating", "pairs"), protocols, strict=True)
    )
    return rating, pairs


class Photographer:
    """Opens the page in one size, and saves what it shows."""

    def __init__(self, browser: Browser, folder: Path, size: str) -> None:
        self._context = browser.new_context(**SIZES[size])
        self._folder = folder
        self._size = size

    def open(self, study: Study, port: int, place: int) -> Reader:
        name = study.readers[place]
        token = new_tokens(study.folder, [name])[name]
        return Reader(self._context, f"http://127.0.0.1:{port}/#{token}").open()

    def save(self, reader: Reader, name: str) -> None:
        reader.page.wait_for_timeout(250)
        path = self._folder / f"page-{self._size}-{name}.png"
        reader.page.screenshot(path=path)
        print(path)

    def close(self) -> None:
        self._context.close()


def shoot_rating(camera: Photographer, reader: Reader) -> None:
    for title, name in (
        ("How good", "impression-instructions"),
        ("Taking part", "consent"),
        ("First, some", "practice-instructions"),
    ):
        camera.save(reader.go_to(title), name)
        if name == "consent":
            camera.save(reader.go_to_case(1, "Image"), "impression")
    reader.go_to_case(1, "Practice").press("g", "3", "Enter")
    reader.page.locator("#verdict").wait_for()
    camera.save(reader, "feedback")
    camera.save(reader.go_to("The reading"), "reading-instructions")
    camera.save(reader.go_to("Case 1"), "ready")
    camera.save(reader.go_to_case(1), "viewing")
    reader.press("g", "4", "PageUp")
    reader.page.mouse.click(*reader.at(30, -60))
    reader.page.mouse.click(*reader.at(-70, 40))
    reader.page.click("text=Vessel ends")
    camera.save(reader, "marking")
    reader.press("m")
    camera.save(reader, "mip")
    reader.page.click("text=Front")
    camera.save(reader, "mip-front")
    reader.drag(40, 60)
    camera.save(reader, "mip-turned")
    reader.press("m")
    reader.drag(200, -60)
    camera.save(reader, "windowed")
    reader.press("Tab")
    camera.save(reader, "focus")
    reader.press("F1")
    camera.save(reader, "help")
    reader.press("Escape")
    camera.save(reader, "pause")
    reader.press("p")
    reader.context.set_offline(True)
    reader.page.locator("#connection").wait_for()
    camera.save(reader, "no-connection")
    reader.press("Enter", "Enter")
    reader.go_to_case(2).press("r", "2", "Enter")
    reader.wait_for_title("Your last answers", sent=False)
    camera.save(reader, "answers-not-arrived")
    reader.context.set_offline(False)
    camera.save(reader.go_to("Time for"), "break")
    second = Reader(reader.context, reader.link.partition("#")[0]).open()
    second.wait_for_title("This reading is open")
    camera.save(second, "elsewhere")
    second.press("Enter")
    camera.save(second.go_to("Finished"), "finish")
    second.page.click("text=Save receipt")
    camera.save(second, "receipt-saved")


def shoot_pairs(camera: Photographer, reader: Reader) -> None:
    camera.save(reader.go_to("First, some"), "pairs-instructions")
    reader.go_to_case(1, "Practice").press("ArrowRight", "4")
    camera.save(reader, "pairs")
    reader.press("m")
    camera.save(reader, "pairs-mip")


def shoot_problems(camera: Photographer, reader: Reader) -> None:
    reader.page.goto("about:blank")
    reader.context.clear_cookies()
    reader.page.goto(reader.link.partition("#")[0])
    reader.wait_for_title("Please open", sent=False)
    camera.save(reader, "no-link")


def shoot(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work, page_browser.browser() as browser:
        studies = make_studies(Path(work))
        with served(studies[0].folder) as port, served(studies[1].folder) as pairs_port:
            for place, size in enumerate(SIZES):
                camera = Photographer(browser, folder, size)
                shoot_rating(camera, camera.open(studies[0], port, place))
                reader = camera.open(studies[1], pairs_port, place)
                shoot_pairs(camera, reader)
                shoot_problems(camera, reader)
                camera.close()


if __name__ == "__main__":
    shoot(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()))
