"""Put trained segmentation networks into the package, with what they have never seen.

Usage: python docs/bundle_segmenters.py RUN...

A run is the folder of ``cowgan segment train``; its label scheme decides which network it becomes.
docs/segmentation.md has the commands that trained them.
"""

import sys
from dataclasses import replace
from pathlib import Path

from cowgan.anatomy.label_schemes import LABEL_SCHEMES
from cowgan.segmentation.bundled_segmenters import BUNDLED_SEGMENTERS, find_segmenter
from cowgan.segmentation.segmenter_files import load_segmenter, save_segmenter

LIMITS = {
    "territories": "The cases are TOF MRA simulated on the artery masks of people of IXI (sites "
    "Guys and HH); their labels are derived from risc-mi/cerebral-artery-annotation (Apache-2.0 "
    "with Commons Clause), so that the weights are not for sale. It has never seen a real MR "
    "intensity, nor any disease.",
    "topcow2024": "The cases are phantoms: TOF MRA simulated on drawn arteries. It has never seen "
    "the arteries of a person, a real MR intensity, nor any disease.",
}


def bundle(run: Path) -> Path:
    """Write the network of a run to the package and return its file."""
    model = load_segmenter(find_segmenter(run))
    scheme = next(name for name, scheme in LABEL_SCHEMES.items() if scheme is model.scheme)
    description = f"{model.card.description} {LIMITS[scheme]}"
    card = replace(model.card, name=scheme, description=description)
    save_segmenter(replace(model, card=card), BUNDLED_SEGMENTERS[scheme])
    return BUNDLED_SEGMENTERS[scheme]


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        file = bundle(Path(argument))
        print(f"{file}: {file.stat().st_size / 1e6:.1f} MB")
