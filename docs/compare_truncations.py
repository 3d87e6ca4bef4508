"""Compare truncation towards the mean style with truncation towards the nearest cluster centre.

Usage: python docs/compare_truncations.py BANK

Measures the bundled model against twice as many people of the training side of the bank, and
keeps what it finds in docs/truncation.json, of which the table in bundled_model.md is made. Without
a bank, it prints that table.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from cowgan.bank.bank import Bank
from cowgan.checkpoint import load_bundled
from cowgan.data.subjects import first_of_each
from cowgan.documents import read_json
from cowgan.evaluation.manifolds import precision_recall_density_coverage, vendi_score
from cowgan.evaluation.volume_sets import BankVolumes
from cowgan.features.extractors import open_extractor
from cowgan.files import write_json
from cowgan.report.numbers import decimal
from cowgan.synthesis import LatentState, Synthesizer, TruncationCentre

FOUND = Path(__file__).with_name("truncation.json")
PSIS = (1.0, 0.7, 0.4)
MEASURES = ("precision", "recall", "coverage", "vendi")


def measure(bank: Path, count: int) -> None:
    """Measure and keep what is found."""
    extractor = open_extractor("efficientnet")
    people = BankVolumes(Bank.open(bank), "training")
    places = first_of_each(people.subjects)[: 2 * count]
    real = np.concatenate([extractor(people.volume(place)) for place in places])
    synthesizer = Synthesizer(load_bundled())

    def generated(psi: float, centre: TruncationCentre) -> NDArray[np.float32]:
        states = [LatentState(seed, psi=psi, centre=centre) for seed in range(count)]
        return np.concatenate([extractor(volume) for volume in synthesizer.render_many(states)])

    rows = []
    for psi in PSIS:
        for centre in get_args(TruncationCentre):
            if psi == 1 and centre != "mean":
                continue
            features = generated(psi, centre)
            found = precision_recall_density_coverage(real, features)._asdict()
            rows.append({"psi": psi, "centre": centre, **found, "vendi": vendi_score(features)})
            print(rows[-1], flush=True)
    write_json(FOUND, {"real": len(real), "generated": count, "rows": rows})


def tables() -> Iterator[str]:
    """Yield the table as Markdown."""
    found: dict[str, Any] = read_json(FOUND, dict[str, Any])
    head = "| ψ | towards | precision | recall | coverage | Vendi score |"
    lines = [head, "|---|---|---|---|---|---|"]
    for row in found["rows"]:
        towards = {"mean": "the average", "nearest": "the nearest centre"}[row["centre"]]
        towards = "no truncation" if row["psi"] == 1 else towards
        values = (decimal(row[name], 2) for name in MEASURES)
        lines.append(f"| {row['psi']} | {towards} | {' | '.join(values)} |")
    yield "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bank", type=Path, nargs="?")
    parser.add_argument("--count", type=int, default=100, help="generated volumes of each kind")
    chosen = parser.parse_args()
    if chosen.bank is not None:
        measure(chosen.bank, chosen.count)
    print("\n\n".join(tables()))
