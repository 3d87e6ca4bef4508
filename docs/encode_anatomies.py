"""Write where the encoder of the bundled model sees the people whom it was trained on.

Usage: python docs/encode_anatomies.py BANK

The bank holds simulated TOF MRA of the arteries of many subjects (`cowgan simulate-bank`); the
first volume of every subject of its training side is encoded.
"""

import argparse
from pathlib import Path

from rich.progress import track

from cowgan.bank.bank import Bank
from cowgan.checkpoint import BUNDLED, load_bundled
from cowgan.data.subjects import first_of_each
from cowgan.latent.anatomy_codes import anatomies_path, encode_anatomies, save_anatomies

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bank", type=Path)
    bank = Bank.open(parser.parse_args().bank)
    subjects = [bank.cases[place].subject for place in bank.training]
    places = [int(bank.training[first]) for first in first_of_each(subjects)]
    people = ((bank.cases[place].subject, bank.volume(place)) for place in track(places))
    save_anatomies(encode_anatomies(load_bundled(), people), anatomies_path(BUNDLED))
