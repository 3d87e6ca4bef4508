"""Draw volumes of sixteen consecutive seeds: axial MIPs, and napari's 3D view.

Usage: python docs/draw_model.py MODEL (needs a display)

Writes bundled_seeds.png and bundled_3d.png to docs/images.
"""

import sys
from pathlib import Path

import napari
import numpy as np
from PIL import Image
from qtpy.QtTest import QTest

from cowgan.checkpoint import load
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import mip
from cowgan.volume.contact_sheet import contact_sheet
from cowgan.volume.intensity import to_grey
from napari_cowgan.explorer.layer import VolumeLayer
from napari_cowgan.viewer.camera import look_from

IMAGES = Path(__file__).parent / "images"
TILE = 380
COLUMNS = 4
FROM_THE_FRONT_AND_ABOVE = ((-0.6, -0.8, 0.2), (-0.8, 0.6, 0.0))
"""View and up direction of the camera, in the frame (inferior, posterior, left)."""

if __name__ == "__main__":
    synthesizer = Synthesizer(load(Path(sys.argv[1])))
    volumes = [synthesizer.render(LatentState(seed=seed)) for seed in range(16)]
    sheet = contact_sheet([mip(volume) for volume in volumes], 8, 2)
    Image.fromarray(to_grey(sheet, 0, 1)).save(IMAGES / "bundled_seeds.png")
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1100, 900)
    QTest.qWait(1000)
    layer = VolumeLayer(viewer)
    tiles = []
    for volume in volumes:
        layer.show(volume)
        layer.layer.rendering = "mip"
        look_from(viewer, "coronal")
        viewer.scene.camera.set_view_direction(*FROM_THE_FRONT_AND_ABOVE)
        viewer.scene.camera.zoom *= 1.6
        QTest.qWait(300)
        shot = Image.fromarray(viewer.screenshot(flash=False)).convert("RGB")
        edge = min(shot.size)
        left, top = (shot.width - edge) // 2, (shot.height - edge) // 2
        tiles.append(
            np.asarray(shot.crop((left, top, left + edge, top + edge)).resize((TILE, TILE)))
        )
    viewer.close()
    Image.fromarray(contact_sheet(tiles, COLUMNS)).save(IMAGES / "bundled_3d.png")
