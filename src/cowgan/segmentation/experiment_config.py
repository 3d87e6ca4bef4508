"""Settings and arms of the experiment on what synthetic data is worth for segmentation."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

from cowgan.documents import checked, read_toml
from cowgan.errors import CowganError
from cowgan.segmentation.segmentation_config import SegmentationConfig
from cowgan.settings import Setting, require_valid

_OWNER = "The experiment's"
_MOST_SUBJECTS = 100_000


@dataclass(frozen=True, order=True)
class PlannedArm:
    """What a network of the experiment learns from.

    Parameters
    ----------
    teacher : int
        Labelled real subjects that are known: their labels train the teacher, and no other label
        enters the arm.
    real : int
        Of these, how many the network learns from: all or none.
    synthetic : int
        Generated volumes with labels by the teacher.
    pseudo : int
        Volumes of further real subjects with labels by the teacher.
    """

    teacher: int
    real: int
    synthetic: int = 0
    pseudo: int = 0

    @property
    def name(self) -> str:
        """Name for tables and folders, such as ``"12 real + 400 synthetic"``."""
        parts = [
            f"{count} {kind}"
            for count, kind in (
                (self.real, "real"),
                (self.synthetic, "synthetic"),
                (self.pseudo, "pseudo-labelled"),
            )
            if count
        ]
        text = " + ".join(parts)
        return text if self.real else f"{text} (teacher of {self.teacher})"

    @property
    def needs_teacher(self) -> bool:
        """Whether it learns from labels by the teacher."""
        return bool(self.synthetic or self.pseudo)


@dataclass(frozen=True)
class ExperimentConfig:
    """Settings of the experiment.

    Parameters
    ----------
    bank : str
        Bank with labels; its held-out subjects are the test set, which nothing else sees.
    model : str
        Generator of the synthetic volumes; empty for the bundled one.
    real : tuple of int
        Numbers of real subjects to learn from.
    synthetic : tuple of int
        Numbers of synthetic volumes.
    teachers : tuple of int
        Those of `real` whose networks label synthetic volumes.
    pseudo_labelled : bool
        Whether there are arms with as many further real volumes, labelled by the same teacher,
        without which the worth of a generator cannot be told from that of unlabelled data.
    training : SegmentationConfig
        Settings of every network; all take the same number of steps, and none is chosen by a
        validation.

    Raises
    ------
    CowganError
        A number is out of bounds or listed twice, or a teacher is not one of the real arms.
    """

    bank: str
    model: str = ""
    real: tuple[int, ...] = (4, 12, 48, 200)
    synthetic: tuple[int, ...] = (48, 400)
    teachers: tuple[int, ...] = (12, 48)
    pseudo_labelled: bool = True
    seeds: Annotated[
        int, Setting("Repetitions with other subjects, weights and synthetic volumes", 1, 100)
    ] = 3
    psi: Annotated[float, Setting("Truncation of synthetic volumes", 0, 3)] = 1.0
    difficulty: Annotated[
        float,
        Setting(
            "Strength of the changes of contrast, shading, noise and sharpness of all images", 0, 3
        ),
    ] = 0.0
    margin: Annotated[
        float, Setting("Difference of the mean Dice below which two arms are equivalent", 0, 1)
    ] = 0.02
    training: SegmentationConfig = field(default_factory=SegmentationConfig)

    def __post_init__(self) -> None:
        require_valid(self, _OWNER)
        for name in ("real", "synthetic", "teachers"):
            counts = getattr(self, name)
            if len(set(counts)) < len(counts) or not all(0 < n <= _MOST_SUBJECTS for n in counts):
                raise CowganError(
                    f"{_OWNER} {name} must be different numbers from 1 to {_MOST_SUBJECTS:,}."
                )
        if strange := sorted(set(self.teachers) - set(self.real)):
            raise CowganError(
                f"A teacher of {strange[0]} subjects is the network of that real arm; add "
                f"{strange[0]} to real."
            )

    @property
    def arms(self) -> list[PlannedArm]:
        """All arms; those that train a teacher come first."""
        return [*(PlannedArm(n, n) for n in sorted(self.real)), *self._arms_of_teachers()]

    def _arms_of_teachers(self) -> Iterator[PlannedArm]:
        for teacher in sorted(self.teachers):
            for count in sorted(self.synthetic):
                yield PlannedArm(teacher, 0, synthetic=count)
                yield PlannedArm(teacher, teacher, synthetic=count)
                if self.pseudo_labelled:
                    yield PlannedArm(teacher, teacher, pseudo=count)


def read_experiment(path: Path) -> ExperimentConfig:
    """Read the settings of an experiment from TOML; what it does not name has its default.

    Paths are relative to the file.

    Raises
    ------
    CowganError
        The file is unreadable, or names unknown settings or values that make no sense.
    """
    path = Path(path)
    content = read_toml(path)
    training = content.get("training", {})
    if not isinstance(training, dict):
        raise CowganError(f"{path}: training must be a table.")
    for name in ("bank", "model"):
        if isinstance(content.get(name), str) and content[name]:
            content[name] = str((path.parent / content[name]).resolve())
    if "bank" not in content:
        raise CowganError(f'{path} needs a line that names the bank: bank = "FOLDER".')
    defaults = asdict(ExperimentConfig(content["bank"] if isinstance(content["bank"], str) else ""))
    own = SegmentationConfig.from_dict(_whole(training), f"The table training in {path}")
    merged = {**defaults, **content, "training": own.to_dict()}
    return checked(merged, ExperimentConfig, str(path))


def _whole(training: dict[str, object]) -> dict[str, object]:
    """Return settings with a whole network, of which the file may name a part."""
    default = asdict(SegmentationConfig().network)
    network = training.get("network", {})
    return {**training, "network": {**default, **network} if isinstance(network, dict) else network}
