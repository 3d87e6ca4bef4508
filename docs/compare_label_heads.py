"""Compare label heads of the bundled model with the network that labelled what they learned from.

Heads are fitted to few volumes and compared on others. The numbers in
how-to/label-generated-volumes.md are its output.
"""

import argparse
from collections.abc import Sequence
from statistics import mean

import numpy as np

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.checkpoint import load_bundled
from cowgan.measure.overlap import dice
from cowgan.segmentation.annotated_volumes import AnnotatedVolume
from cowgan.segmentation.bundled_segmenters import find_segmenter
from cowgan.segmentation.label_head_files import LabelHeadModel
from cowgan.segmentation.label_head_fitting import fit_label_head
from cowgan.segmentation.labelled_cases import LabelledCase
from cowgan.segmentation.segmenter import Segmenter
from cowgan.segmentation.segmenter_files import load_segmenter
from cowgan.segmentation.volume_labellers import HeadLabeller
from cowgan.synthesis import LatentState, Synthesizer

PSI = 0.8
COMPARED = range(100, 120)


def main() -> None:
    """Print the mean Dice of every territory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--volumes", type=int, nargs="+", default=[4, 12])
    chosen = parser.parse_args()
    synthesizer = Synthesizer(load_bundled())
    segmenter = Segmenter([load_segmenter(find_segmenter("territories"))])

    def labelled(seed: int) -> AnnotatedVolume:
        state = LatentState(seed, psi=PSI)
        volume = synthesizer.render(state)
        name = f"seed_{seed:06d}"
        case = LabelledCase(name, name, volume.data.astype(np.float16), segmenter(volume).labels)
        return AnnotatedVolume(case, state)

    learned = [labelled(seed) for seed in range(max(chosen.volumes))]
    compared = [labelled(seed) for seed in COMPARED]
    values = segmenter.classes.values
    print("volumes", *(TERRITORIES.labels[value] for value in values), "mean", "worst", sep="\t")
    for count in chosen.volumes:
        head = fit_label_head(learned[:count], TERRITORIES, synthesizer, chosen.steps)
        rows = scores(head, synthesizer, compared, values)
        means = [mean(column) for column in zip(*rows, strict=True)]
        each = [mean(row) for row in rows]
        print(count, *(f"{x:.3f}" for x in (*means, mean(each), min(each))), sep="\t")


def scores(
    head: LabelHeadModel,
    synthesizer: Synthesizer,
    volumes: Sequence[AnnotatedVolume],
    values: Sequence[int],
) -> list[list[float]]:
    """Return the Dice of each label in each volume."""
    labeller = HeadLabeller(synthesizer, head)
    found = [labeller(one.state).labels for one in volumes]
    return [
        [dice(labels == value, one.case.labels == value) for value in values]
        for labels, one in zip(found, volumes, strict=True)
    ]


if __name__ == "__main__":
    main()
