"""Evaluate the bundled model against simulated phantoms, and print what the report says.

Usage: python evaluate_model.py [FOLDER]

FOLDER then holds a bank of phantoms and `report/report.html`. With so few volumes only large
differences are seen: phantoms are geometric, and the model learned from real anatomies.
"""

import sys
from pathlib import Path

from cowgan.bank.bank import Bank
from cowgan.bank.from_simulation import PhantomArteries, simulate_bank
from cowgan.bank.split import SplitRule
from cowgan.bank.writing import BankOptions
from cowgan.checkpoint import BUNDLED
from cowgan.cli.console import progress_bar
from cowgan.evaluation.evaluate import Sets, evaluate
from cowgan.evaluation.evaluation_files import write_evaluation
from cowgan.evaluation.evaluation_report import verdict
from cowgan.evaluation.volume_sets import GeneratedVolumes, open_training
from cowgan.features.efficientnet import EfficientNetFeatures

# Multiprocessing needs this guard.
if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "evaluation")
    folder.mkdir(parents=True, exist_ok=True)
    phantoms = [PhantomArteries(seed) for seed in range(12)]
    options = BankOptions(SplitRule(holdout=0.0), jobs=2, overwrite=True)
    simulate_bank(phantoms, folder / "bank", None, options)
    print(Bank.open(folder / "bank"))

    sets = Sets(GeneratedVolumes(BUNDLED, 12), *open_training(folder / "bank"))
    found = evaluate(sets, [EfficientNetFeatures()], progress_bar, folder / "features")
    for sentence in (verdict(found).title, *verdict(found).sentences):
        print(sentence)
    for result in found.main.results:
        generated, real = result.generated.median, result.real.median
        print(f"{result.measure.title:28} {generated:9.3f}  real {real:.3f}")
    print(write_evaluation(found, folder / "report"))
