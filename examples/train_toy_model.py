"""Train a toy model on a bank of phantoms, stop, resume, and open the result.

Takes about two minutes on two processor cores. Usage: python train_toy_model.py [FOLDER]
"""

import sys
import tempfile
from pathlib import Path

from cowgan.bank.from_simulation import PhantomArteries, simulate_bank
from cowgan.checkpoint import load
from cowgan.networks import NetworkConfig
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.training.config import preset
from cowgan.training.run import export_run, resume_run, start_run

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    bank = simulate_bank([PhantomArteries(seed) for seed in range(12)], folder / "bank")
    print(f"{bank}: {len(bank.training)} to train on, {len(bank.holdout)} held out")

    # The published architecture at 16 x 16 x 16 voxels: a coarse view of the bank.
    network = NetworkConfig(16, 16, network_capacity=4, fmap_max=32, latent_dim=64)
    config = preset("projected", network).with_changes(batch=4, steps=30, save_every=10)
    start_run(folder / "run", bank, config)
    resume_run(folder / "run", steps=60)
    print(f"Losses: {folder / 'run' / 'log.csv'}, pictures: {folder / 'run' / 'samples'}")

    export_run(folder / "run", folder / "toy.safetensors")
    volume = Synthesizer(load(folder / "toy.safetensors")).render(LatentState(seed=1))
    print(f"{folder / 'toy.safetensors'} makes {volume}")
