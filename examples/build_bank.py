"""Build a training bank of simulated phantoms, print its split, and read a batch.

Usage: python build_bank.py [FOLDER]
"""

import sys
from pathlib import Path

from cowgan.bank.from_simulation import PhantomArteries, SimulationOptions, simulate_bank
from cowgan.bank.writing import BankOptions
from cowgan.simulate.deformation import DeformationLimits

# Multiprocessing needs this guard.
if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "bank")
    phantoms = [PhantomArteries(seed) for seed in range(6)]
    two_of_each = SimulationOptions(per_anatomy=2, deformation=DeformationLimits())
    bank = simulate_bank(phantoms, folder, two_of_each, BankOptions(jobs=2, overwrite=True))

    print(bank, "with SHA-256", bank.sha256)
    for side, indices in (("training", bank.training), ("holdout", bank.holdout)):
        print(f"{side:9}", sorted({bank.cases[i].subject for i in indices}))

    batch = bank.read(bank.training[:8])
    print("batch", batch.shape, batch.dtype, f"from {batch.min():.2f} to {batch.max():.2f}")
