"""Write the volumes of a bank that have halves of two people, to compare them with whole people.

Usage: python docs/joined_volumes.py BANK FOLDER
"""

import sys
from pathlib import Path

from cowgan.bank.bank import Bank
from cowgan.volume import write_nifti


def main() -> None:
    """Write one volume of each person whose left half was joined."""
    source, target = map(Path, sys.argv[1:])
    bank = Bank.open(source)
    target.mkdir(parents=True)
    written: set[str] = set()
    for place in bank.training:
        case = bank.cases[place]
        halves = case.provenance["anatomy"]
        if "left_half" in halves and case.subject not in written:
            written.add(case.subject)
            write_nifti(bank.volume(int(place)), target / f"{case.name}.nii.gz")
    print(f"{len(written)} volumes")


if __name__ == "__main__":
    main()
