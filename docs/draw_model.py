"""Draw volumes of sixteen consecutive seeds in napari's 3D view.

Usage: python docs/draw_model_in_3d.py MODEL PICTURE (needs a display)
"""

import sys
from pathlib import Path

import napari
import numpy as np
from PIL import Image
from qtpy.QtTest import QTest

from cowgan.checkpoint import load
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume.contact_sheet import contact_sheet
from napari_cowgan.explorer.layer import VolumeLayer
from napari_cowgan.viewer.camera import look_from

TILE = 380
COLUMNS = 4
FROM_THE_FRONT_AND_ABOVE = ((-0.6, -0.8, 0.2), (-0.8, 0.6, 0.0))
"""View and up direction of the camera, in the frame (inferior, posterior, left)."""

if __name__ == "__main__":
    model, picture = Path(sys.argv[1]), Path(sys.argv[2])
    synthesizer = Synthesizer(load(model))
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1100, 900)
    QTest.qWait(1000)
    layer = VolumeLayer(viewer)
    tiles = []
    for seed in range(16):
        layer.show(synthesizer.render(LatentState(seed=seed)))
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
    Image.fromarray(contact_sheet(tiles, COLUMNS)).save(picture)
    print(picture)
