"""Find latent directions, rank them by their effect, and move along the strongest.

Usage: python find_directions.py [FOLDER]
"""

import sys
import tempfile
from pathlib import Path

from cowgan.checkpoint import load_bundled
from cowgan.latent import find_directions, save_directions
from cowgan.synthesis import Edit, LatentState, Synthesizer
from cowgan.volume import write_nifti

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
checkpoint = load_bundled()
synthesizer = Synthesizer(checkpoint)
directions = find_directions(synthesizer, "pca", last_block=2, count=4)
for direction in directions:
    print(f"{direction.name}: a voxel changes by {direction.effect:.4f} per sigma")
save_directions(folder / "directions.safetensors", directions, checkpoint)

strongest = directions[0]
for sigmas in (-2.0, 0.0, 2.0):
    edit = Edit(strongest, sigmas, strongest.first_block, strongest.last_block)
    target = folder / f"strongest_{sigmas:+.0f}_sigma.nii.gz"
    write_nifti(synthesizer.render(LatentState(seed=0, psi=0.8, edits=(edit,))), target)
    print(target)
