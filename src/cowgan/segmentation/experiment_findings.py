"""All that an experiment has found so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.errors import CowganError
from cowgan.segmentation.comparison import Arm
from cowgan.segmentation.comparison_report import ShownCase
from cowgan.segmentation.experiment import ArmTask, read_arms
from cowgan.segmentation.experiment_config import ExperimentConfig, PlannedArm
from cowgan.segmentation.experiment_data import ExperimentData
from cowgan.segmentation.experiment_pictures import extreme_cases
from cowgan.segmentation.threshold_baseline import ThresholdBaseline


@dataclass(frozen=True, eq=False)
class ExperimentFindings:
    """What the report of an experiment tells.

    Parameters
    ----------
    config : ExperimentConfig
        Settings.
    scheme : LabelScheme
        Meaning of the labels.
    arms : mapping of PlannedArm to Arm
        See `cowgan.segmentation.experiment.read_arms`.
    baseline : ThresholdBaseline
        What one threshold reaches that was chosen on the largest real arm.
    cases : mapping of int to sequence of ShownCase
        Pictures of the first repetition, by the number of subjects whose labels are known.
    """

    config: ExperimentConfig
    scheme: LabelScheme
    arms: Mapping[PlannedArm, Arm]
    baseline: ThresholdBaseline
    cases: Mapping[int, Sequence[ShownCase]]

    @classmethod
    def of(
        cls, config: ExperimentConfig, stages: Sequence[Sequence[ArmTask]]
    ) -> "ExperimentFindings":
        """Read the scores of finished arms, and picture their best and worst cases.

        Raises
        ------
        CowganError
            No arm is finished, or a file of the experiment cannot be read.
        """
        arms = read_arms(stages)
        if not arms:
            raise CowganError("No arm of the experiment has been trained in every repetition yet.")
        data = ExperimentData(config, 0)
        first = [task for stage in stages for task in stage if task.seed == 0 and task.arm in arms]
        cases = {}
        for teacher in config.teachers:
            group = [task for task in first if task.arm.teacher == teacher]
            if group:
                cases[teacher] = extreme_cases(group, data.test)
        baseline = ThresholdBaseline.of(data.real(max(config.real)), data.test)
        return cls(config, data.test.scheme, arms, baseline, cases)

    def group(self, teacher: int) -> list[Arm]:
        """Return the arms that know the labels of as many subjects, the real one first."""
        return [arm for planned, arm in self.arms.items() if planned.teacher == teacher]
