"""Make the pictures of windows in the documentation from screenshots.

Usage: python tests/gui/screenshots.py FOLDER; python tests/page/page_screenshots.py FOLDER;
python docs/crop_screenshots.py FOLDER

Writes explorer.png, drag.png, segmentation.png, study.png, study-links.png, reading.png,
reading-pairs.png, reading-browser.png and reading-tablet.png to docs/images.
"""

import sys
from pathlib import Path

from PIL import Image

IMAGES = Path(__file__).parent / "images"
STUDY_STATES = ("audit-mip", "audit-features", "result")
STUDY_PANEL = (1226, 40, 1600, 940)
"""Left, top, right and bottom of the panel in a window of 1600 x 1000 pixels."""
DRAG = (333, 20, 1600, 980)
"""Image and panel in such a window."""
GAP = 14
READING_SIZE = (960, 600)
TABLET_SIZE = (768, 576)


def write_picture(picture: Image.Image, name: str) -> None:
    """Save a picture in 256 colours, chosen so that the few coloured pixels keep theirs."""
    path = IMAGES / name
    picture.convert("RGB").quantize(method=Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    print(path, f"{path.stat().st_size / 1000:.0f} kB")


def side_by_side(pictures: list[Image.Image]) -> Image.Image:
    """Return pictures of one size in a row."""
    width, height = pictures[0].size
    row = Image.new("RGB", (len(pictures) * (width + GAP) - GAP, height), "white")
    for column, picture in enumerate(pictures):
        row.paste(picture, (column * (width + GAP), 0))
    return row


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    write_picture(Image.open(folder / "dark-start.png"), "explorer.png")
    write_picture(Image.open(folder / "dark-drag-done.png").crop(DRAG), "drag.png")
    # In all colours: thirteen arteries leave too few for the greys of the image.
    arteries = Image.open(folder / "dark-segmentation-phantom.png").convert("RGB")
    arteries.save(IMAGES / "segmentation.png", optimize=True)
    panels = [
        Image.open(folder / f"dark-study-{state}.png").crop(STUDY_PANEL) for state in STUDY_STATES
    ]
    write_picture(side_by_side(panels), "study.png")
    write_picture(Image.open(folder / "dark-study-links-group.png"), "study-links.png")
    tablet = Image.open(folder / "page-tablet-mip-front.png")
    write_picture(tablet.resize(TABLET_SIZE, Image.Resampling.LANCZOS), "reading-tablet.png")
    for shot, name in (
        ("reading-1280x800-marking", "reading.png"),
        ("reading-1280x800-pairs-mip", "reading-pairs.png"),
        ("page-1280x800-marking", "reading-browser.png"),
    ):
        window = Image.open(folder / f"{shot}.png")
        write_picture(window.resize(READING_SIZE, Image.Resampling.LANCZOS), name)
