"""Draw the montages in the documentation.

Usage: python docs/make_figures.py [ANATOMIES.npz]

Writes phantoms.png and disease.png in docs/images. With a file of real anatomies (``occupancy``,
uint8, shape (n, x, y, z), RAS order) it also draws simulated TOF on twelve of them, as a PNG of
that file's name in the current folder: real anatomies must not be committed.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cowgan.simulate import make_phantom, simulate_tof
from cowgan.volume import Volume, mip
from cowgan.volume.contact_sheet import contact_sheet

_TILE = 256
_MARGIN = 4
_TITLE = 26
_COLUMNS = 6


def tile(volume: Volume, title: str) -> Image.Image:
    """Return the axial MIP above the middle slice, with a title."""
    white = np.percentile(volume.data, 99.9)
    middle = volume.data[volume.shape[0] // 2].T[::-1]
    sheet = Image.new("L", (_TILE, 2 * _TILE + _TITLE), 0)
    ImageDraw.Draw(sheet).text((4, 5), title, fill=255, font=ImageFont.load_default(14))
    for row, picture in enumerate((mip(volume), middle)):
        grey = Image.fromarray((255 * np.clip(picture / white, 0, 1)).astype(np.uint8))
        sheet.paste(
            grey.resize((_TILE, _TILE), Image.Resampling.BICUBIC), (0, _TITLE + row * _TILE)
        )
    return sheet


def montage(tiles: list[Image.Image]) -> Image.Image:
    """Return the tiles in rows of six."""
    return Image.fromarray(contact_sheet([np.asarray(one) for one in tiles], _COLUMNS, _MARGIN))


def phantoms() -> Image.Image:
    """Return twelve phantoms, most of them with a variant."""
    variants = [
        "complete",
        "absent R-PCom",
        "absent L-PCom",
        "hypoplastic R-PCom",
        "hypoplastic L-PCom",
        "fetal R-PCA",
        "fetal L-PCA",
        "absent R-A1",
        "absent L-A1",
        "absent ACom",
        "double ACom",
        "third A2",
    ]
    return montage([tile(make_phantom(i, name)[0], name) for i, name in enumerate(variants)])


def disease() -> Image.Image:
    """Return one phantom, healthy and with lesions."""
    lesions = [
        "",
        "aneurysm ACom 6 mm",
        "aneurysm L-MCA 8 mm",
        "aneurysm BA 7 mm",
        "aneurysm R-ICA 9 mm",
        "aneurysm L-PCom 5 mm",
        "stenosis L-M1 70 %",
        "stenosis R-P2 70 %",
        "stenosis L-A1 60 %",
        "occlusion R-M1",
        "occlusion L-ICA",
        "occlusion R-P2",
    ]
    return montage(
        [
            tile(make_phantom(3, "complete", disease=wanted)[0], wanted or "healthy")
            for wanted in lesions
        ]
    )


def real_anatomies(path: Path) -> Image.Image:
    """Return simulated TOF on twelve real anatomies."""
    occupancy = np.load(path)["occupancy"]
    tiles = []
    for i in np.linspace(0, len(occupancy) - 1, 12).astype(int):
        las = occupancy[i].transpose(2, 0, 1)[:, ::-1] / np.float32(255)
        tiles.append(tile(simulate_tof(las, seed=int(i)), f"anatomy {i}"))
    return montage(tiles)


if __name__ == "__main__":
    images = Path(__file__).parent / "images"
    for name, draw in (("phantoms.png", phantoms), ("disease.png", disease)):
        draw().save(images / name)
        print(images / name)
    if len(sys.argv) > 1:
        target = Path(f"{Path(sys.argv[1]).stem}.png")
        real_anatomies(Path(sys.argv[1])).save(target)
        print(target)
