"""Generate a few volumes with the bundled model and write them as NIfTI.

Usage: python generate_volumes.py [FOLDER]
"""

import sys
import tempfile
from pathlib import Path

from cowgan.checkpoint import load_bundled
from cowgan.synthesis import LatentState, Synthesizer, export_volumes

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
synthesizer = Synthesizer(load_bundled())
states = [LatentState(seed, psi=0.8) for seed in range(3)]
for volume in export_volumes(synthesizer, states, folder, overwrite=True):
    print(f"seed {volume.seed}: {folder / volume.file}")
