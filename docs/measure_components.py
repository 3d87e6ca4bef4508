"""Compare the vessel maps that random latents stand for with those of people.

Usage: python measure_components.py BANK

Prints the table in docs/training.md. Features are the maps themselves, without any network.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cowgan.bank.bank import Bank
from cowgan.data.subjects import first_of_each
from cowgan.evaluation.feature_rows import Standardisation
from cowgan.evaluation.measures import measure_pair
from cowgan.features.vessel_occupancy import vessel_maps
from cowgan.training.anatomical_components import AnatomicalComponents, averaged
from cowgan.training.bank_subset import BankSubset
from cowgan.training.step_inputs import batches

SHAPE = (32, 32, 32)
LATENT_DIM = 256
SAMPLES = 96
SHOWN = ("kernel_distance", "recall", "coverage", "density", "vendi_ratio")


def people(bank: Bank, indices: np.ndarray) -> Tensor:
    """Return the map of one volume of each person."""
    chosen = indices[first_of_each([bank.cases[i].subject for i in indices])]
    return maps(BankSubset(bank, SHAPE, chosen))


def maps(subset: BankSubset) -> Tensor:
    """Return vessel maps as rows."""
    return torch.cat([vessel_maps(averaged(batch)).flatten(1) for batch in batches(subset)])


def linear_combinations(rows: Tensor, count: int, z: Tensor) -> Tensor:
    """Return random linear combinations of the principal components of maps, cut off at zero."""
    _, spread, axes = torch.linalg.svd(rows - rows.mean(0), full_matrices=False)
    axes = axes[:count] * spread[:count, None] / len(rows) ** 0.5
    return (rows.mean(0) + z[:, :count] @ axes).clamp(min=0)


if __name__ == "__main__":
    bank = Bank.open(Path(sys.argv[1]))
    components = AnatomicalComponents.for_latents(LATENT_DIM)
    training = BankSubset(bank, SHAPE, bank.training)
    components.fit(batches(training))
    trained_on, held_out = people(bank, bank.training), people(bank, bank.holdout)
    z = torch.randn(SAMPLES, LATENT_DIM, generator=torch.Generator().manual_seed(0))
    compared = {
        "linear combinations": linear_combinations(maps(training), len(components.map_axes), z),
        "normal scores": components.maps_of(z),
        "training people": trained_on[:SAMPLES],
    }
    scale = Standardisation(trained_on)
    print("| maps of | " + " | ".join(SHOWN) + " | vessel, of held-out people |")
    for name, rows in compared.items():
        found = measure_pair(scale(held_out), scale(rows))
        shown = " | ".join(f"{found[key]:.2f}" for key in SHOWN)
        amount = rows.sum() / len(rows) / held_out.sum() * len(held_out)
        print(f"| {name} | {shown} | {amount:.2f} |")
    holdout = BankSubset(bank, SHAPE, bank.holdout)
    for name, group in (("training", training), ("held-out", holdout)):
        errors = []
        for batch in batches(group):
            found = components(batch)
            # The free entries fill each latent up to its length.
            free = (LATENT_DIM - found.square().sum(1, keepdim=True)).clamp(min=0)
            count = LATENT_DIM - components.count
            z = torch.cat([found, (free / count).sqrt().expand(-1, count)], 1)
            off = components.appearance(batch) - components.appearance_of(z)
            errors.append(components.mean_error(off.square()))
        print(f"Appearance left unexplained, {name}: {float(torch.cat(errors).mean()):.2f}")
