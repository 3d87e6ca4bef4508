"""The experiment on what synthetic data is worth for segmentation (Aydin et al. 2024).

Every network is a task of its own with a folder of its own, so that tasks can run in several
processes or on a cluster, and an experiment that was interrupted goes on where it was.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

from cowgan.documents import toml_text
from cowgan.errors import CowganError
from cowgan.files import atomic_path, read_text
from cowgan.segmentation.comparison import COMPARED, Arm
from cowgan.segmentation.experiment_config import ExperimentConfig, PlannedArm
from cowgan.segmentation.experiment_data import ExperimentData
from cowgan.segmentation.metrics import ArteryScore
from cowgan.segmentation.segmentation_run import resume_segmenter, train_segmenter
from cowgan.segmentation.segmenter import Segmenter
from cowgan.segmentation.segmenter_files import MODEL_FILE, load_segmenter
from cowgan.segmentation.subject_values import CaseScores, Quantity, averaged, values_by_subject
from cowgan.segmentation.validation import score_cases
from cowgan.tables import read_table, write_table
from cowgan.training.remote_control import request
from cowgan.training.state_files import has_state

CONFIG_FILE = "experiment.toml"
SCORES_FILE = "scores.csv"
_RUN = "run"


@dataclass(frozen=True)
class ArmTask:
    """One network of the experiment; picklable.

    Parameters
    ----------
    config : ExperimentConfig
        Settings.
    arm : PlannedArm
        What it learns from.
    seed : int
        Number of the repetition.
    folder : Path
        Folder of the experiment.
    device : str
        Device of all networks.
    """

    config: ExperimentConfig
    arm: PlannedArm
    seed: int
    folder: Path
    device: str = "auto"

    @property
    def own_folder(self) -> Path:
        """Where its run and its scores are."""
        return self.folder / self.arm.name / f"repetition_{self.seed}"

    @property
    def scores_file(self) -> Path:
        """Table of its scores on the test set."""
        return self.own_folder / SCORES_FILE

    @property
    def model_file(self) -> Path:
        """The trained network."""
        return self.own_folder / _RUN / MODEL_FILE

    @property
    def done(self) -> bool:
        """Whether it has its scores."""
        return self.scores_file.is_file()

    def __call__(self) -> None:
        """Train the network, unless it is trained, and score it on the test set.

        Raises
        ------
        CowganError
            The bank or the generator does not suit the experiment, or training failed.
        """
        if self.done:
            return
        teacher = None
        if self.arm.needs_teacher:
            teacher = replace(self, arm=PlannedArm(self.arm.teacher, self.arm.teacher)).model_file
        data = ExperimentData(self.config, self.seed)
        cases = data.learned_from(self.arm, teacher, self.device)
        run = self.own_folder / _RUN
        # Nothing is chosen by a validation, for which small arms have no subjects to spare.
        settings = replace(self.config.training, validate_every=0, seed=self.seed)
        if has_state(run):
            resume_segmenter(run, cases, self.device)
        else:
            train_segmenter(run, cases, settings, self.device)
        segmenter = Segmenter([load_segmenter(self.model_file)], self.device)
        scored = score_cases(segmenter, data.test)
        write_scores(self.scores_file, {case: one.rows for case, one in scored.items()})

    def stop(self) -> None:
        """Ask its network to save its state and stop training, in whichever process that is."""
        run = self.own_folder / _RUN
        # It may have ended meanwhile.
        with suppress(CowganError):
            request(run, "stop")


def plan(config: ExperimentConfig, folder: Path, device: str = "auto") -> list[list[ArmTask]]:
    """Return the tasks of an experiment in two stages: teachers, and what needs them.

    The settings are kept in the folder.

    Raises
    ------
    CowganError
        The folder holds an experiment of other settings.
    """
    folder = Path(folder)
    text = toml_text(asdict(config))
    path = folder / CONFIG_FILE
    if path.exists() and read_text(path, 2**20) != text:
        raise CowganError(f"{folder} holds an experiment of other settings; choose another folder.")
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    tasks = [
        ArmTask(config, arm, seed, folder, device)
        for seed in range(config.seeds)
        for arm in config.arms
    ]
    return [[task for task in tasks if task.arm.needs_teacher == later] for later in (False, True)]


def read_arms(stages: Sequence[Sequence[ArmTask]]) -> dict[PlannedArm, Arm]:
    """Return the scores of finished arms, averaged over repetitions, as they are compared.

    Arms without scores in every repetition are left out.
    """
    tasks: dict[PlannedArm, list[ArmTask]] = {}
    for task in (task for stage in stages for task in stage):
        tasks.setdefault(task.arm, []).append(task)
    found = {}
    for planned, repetitions in tasks.items():
        if all(task.done for task in repetitions):
            values: dict[Quantity, dict[str, list[float]]] = {}
            for task in repetitions:
                scores = read_scores(task.scores_file)
                for quantity, subjects in values_by_subject(
                    scores, COMPARED, only_true=True
                ).items():
                    for subject, value in subjects.items():
                        values.setdefault(quantity, {}).setdefault(subject, []).append(value)
            found[planned] = Arm(planned.name, averaged(values))
    return found


def write_scores(path: Path, scores: CaseScores) -> None:
    """Write the rows of all cases as a table."""
    columns = ["case", *(field.name for field in fields(ArteryScore))]
    rows = ({"case": case, **asdict(row)} for case, of in scores.items() for row in of)
    write_table(path, columns, rows)


def read_scores(path: Path) -> dict[str, list[ArteryScore]]:
    """Read what `write_scores` wrote.

    Raises
    ------
    CowganError
        The file is unreadable or damaged.
    """
    _, rows = read_table(path)
    kinds = get_type_hints(ArteryScore)
    found: dict[str, list[ArteryScore]] = {}
    for row in rows:
        try:
            values = {
                field.name: _value(row[field.name], str(kinds[field.name]))
                for field in fields(ArteryScore)
            }
            found.setdefault(row["case"], []).append(ArteryScore(**values))
        except (KeyError, ValueError, TypeError) as error:
            raise CowganError(f"{path} is damaged or was changed by hand.", repr(error)) from error
    return found


def _value(text: str, kind: str) -> Any:
    if not text:
        return None
    for of in ("int", "float"):
        if of in kind:
            return int(text) if of == "int" else float(text)
    return text
