"""Pictures of the best and the worst test case of an experiment."""

from collections.abc import Sequence

import numpy as np

from cowgan.segmentation.classes import Classes
from cowgan.segmentation.comparison_report import ShownCase
from cowgan.segmentation.experiment import ArmTask, read_scores
from cowgan.segmentation.label_pictures import label_picture
from cowgan.segmentation.labelled_cases import LabelledCases, as_volume
from cowgan.segmentation.metrics import mean_over_arteries
from cowgan.segmentation.segmenter import Segmenter
from cowgan.segmentation.segmenter_files import load_segmenter


def extreme_cases(tasks: Sequence[ArmTask], test: LabelledCases) -> list[ShownCase]:
    """Return the test cases with the highest and the lowest mean Dice over finished networks.

    Parameters
    ----------
    tasks : sequence of ArmTask
        Finished, of one repetition, in the order of the arms.
    test : LabelledCases
        The test set.

    Raises
    ------
    CowganError
        A network or its scores cannot be read.
    """
    scores = [read_scores(task.scores_file) for task in tasks]
    dice = {
        case.name: [mean_over_arteries(of_cases[case.name], "dice") for of_cases in scores]
        for case in test.cases
    }
    ordered = sorted(test.cases, key=lambda case: float(np.mean(dice[case.name])))
    segmenters = [Segmenter([load_segmenter(task.model_file)], task.device) for task in tasks]
    shown = []
    for kind, case in (("Best", ordered[-1]), ("Worst", ordered[0])):
        image = as_volume(case.image, test.spacing_mm)
        truth, *predictions = (
            label_picture(labels, test.scheme, test.spacing_mm, f"Axial view of {what}")
            for what, labels in (
                (f"the truth of {case.name}", Classes.of(test.scheme).learned(case.labels)),
                *(
                    (f"{task.arm.name} of {case.name}", segmenter(image).labels)
                    for task, segmenter in zip(tasks, segmenters, strict=True)
                ),
            )
        )
        pairs = zip(predictions, dice[case.name], strict=True)
        shown.append(ShownCase(f"{kind} case, {case.name}", truth, tuple(pairs)))
    return shown
