"""Write the distribution of measurements over real anatomies that the explorer compares with.

Usage: python docs/measure_anatomies.py BANK [--every 1]

The bank holds simulated TOF MRA of the arteries of many subjects (`cowgan simulate-bank`); one
volume of every subject is measured, and only quantiles are kept.
"""

import argparse
from pathlib import Path

from rich.progress import track

from cowgan.bank.bank import Bank
from cowgan.segmentation.artery_attributes import artery_segmenter, measured_values
from cowgan.segmentation.reference_anatomies import REFERENCE, ReferenceAnatomies

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bank", type=Path)
    parser.add_argument("--every", type=int, default=1, help="measure every n-th subject")
    arguments = parser.parse_args()
    bank, segmenter = Bank.open(arguments.bank), artery_segmenter()
    firsts: dict[str, int] = {}
    for index, case in enumerate(bank.cases):
        firsts.setdefault(case.subject, index)
    chosen = list(firsts.values())[:: arguments.every]
    measured = [measured_values(bank.volume(index), segmenter) for index in track(chosen)]
    source = "simulated TOF MRA of the arteries of IXI subjects"
    ReferenceAnatomies.of(source, measured).write(REFERENCE)
