"""Interpolate between two seeds and save the axial MIPs side by side.

Usage: python interpolate_seeds.py [PICTURE.png]
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from skimage.io import imsave

from cowgan.checkpoint import load_bundled
from cowgan.synthesis import LatentState, Synthesizer, between_seeds
from cowgan.volume import mip

picture = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "walk.png"
checkpoint = load_bundled()
walk = between_seeds(checkpoint, LatentState(seed=0, psi=0.8), end_seed=1, steps=6)
strip = np.hstack([mip(volume) for volume in Synthesizer(checkpoint).render_many(walk)])
imsave(picture, (255 * strip).astype(np.uint8))
print(picture)
