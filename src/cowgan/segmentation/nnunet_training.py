"""Training of an nnU-Net v2 on a dataset, in a folder of its own that can be resumed."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.data.label_maps import require_one_grid
from cowgan.documents import read_json
from cowgan.errors import Cancelled, CowganError, require_choice
from cowgan.files import absolute, write_json
from cowgan.locking import AlreadyHeld, HeldLock
from cowgan.progress import Progress, Silent, advance
from cowgan.segmentation.circle_variants import compare_circles
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.label_pairs import LabelPair, ScoredPair
from cowgan.segmentation.metrics import score
from cowgan.segmentation.nnunet_dataset import PREPROCESSED_FOLDER, RAW_FOLDER, SPLITS_FILE
from cowgan.segmentation.nnunet_interpreter import check_interpreter
from cowgan.segmentation.nnunet_model import DATASET_FILE, dataset_scheme
from cowgan.segmentation.nnunet_process import NnunetEpoch, NnunetVersions, nnunet_process
from cowgan.segmentation.score_files import write_scores
from cowgan.segmentation.validation import dice_column
from cowgan.tables import write_table
from cowgan.volume import OpenedImage, open_image

SETTINGS_FILE, LOG_FILE, EPOCHS_FILE = "nnunet.json", "nnunet.log", "log.csv"
VALIDATION_FILE = "validation.csv"
LOCK_FILE = "run.lock"
_LIMIT = 64 * 2**20
_NAME = re.compile(r"Dataset\d{3}_")
_FOLDS = 5
"""Into which nnU-Net divides the cases of a dataset that does not say how."""

Plans = Literal["default", "small"]


@dataclass(frozen=True)
class NnunetTraining:
    """What is trained, as the folder of the run keeps it.

    Parameters
    ----------
    dataset : str
        Folder of the dataset in ``nnUNet_raw``.
    epochs : int
        Length of the training.
    iterations : int
        Of an epoch.
    fold : int
        Part of the subjects that validates; from 0.
    plans : {"default", "small"}
        The network that nnU-Net plans, for a GPU; or one of 1.4 million weights on patches of at
        most 64 voxels a side, for CPUs.
    """

    dataset: str
    epochs: int = 1000
    iterations: int = 250
    fold: int = 0
    plans: Plans = "default"

    def __post_init__(self) -> None:
        require_choice("nnU-Net plan", self.plans, ("default", "small"))
        if self.epochs < 1 or self.iterations < 1 or self.fold < 0:
            raise CowganError("Epochs and iterations start at 1, folds at 0.")


@dataclass(frozen=True)
class _Fold:
    train: tuple[str, ...]
    val: tuple[str, ...]


@dataclass(frozen=True)
class _Validated:
    prediction_file: str


@dataclass(frozen=True)
class _Summary:
    metric_per_case: tuple[_Validated, ...]


def find_dataset(folder: Path) -> Path:
    """Return the folder of a dataset, given it or a folder that holds one.

    Parameters
    ----------
    folder : Path
        A folder in ``nnUNet_raw``, ``nnUNet_raw``, or the folder that holds it.

    Raises
    ------
    CowganError
        There is no dataset, or more than one.
    """
    folder = absolute(folder)
    places = ("", "*/", f"{RAW_FOLDER}/*/")
    found = [one.parent for place in places for one in sorted(folder.glob(place + DATASET_FILE))]
    found = [one for one in found if one.parent.name == RAW_FOLDER and _NAME.match(one.name)]
    if not found:
        raise CowganError(
            f"{folder} holds no dataset of nnU-Net, such as {RAW_FOLDER}/Dataset600_Name; write "
            "one with cowgan segment export-nnunet."
        )
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise CowganError(f"{folder} holds several datasets; choose one of {names}.")
    return found[0]


def train_nnunet(
    folder: Path,
    dataset: Path,
    python: Path,
    epochs: int = 1000,
    iterations: int = 250,
    fold: int = 0,
    plans: Plans | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> dict[str, ScoredPair]:
    """Train an nnU-Net without mirroring in a new folder, to the end, and score its validation.

    Parameters
    ----------
    folder : Path
        Folder of the run; must not hold one. It can be given to
        `cowgan.segmentation.nnunet_model.open_nnunet`.
    dataset : Path
        See `find_dataset`. It is planned and preprocessed unless it has been.
    python : Path
        Interpreter that has nnU-Net.
    epochs, iterations, fold
        See `NnunetTraining`.
    plans : {"default", "small"}, optional
        See `NnunetTraining`; by default small without a GPU.
    device : str
        "auto", "cpu", "cuda", "cuda:1", "mps".
    progress : Progress, optional
        Reports cases, then iterations with epoch and pseudo-Dice, then cases. Cancelling it keeps
        the last complete epoch.

    Returns
    -------
    dict of str to ScoredPair
        Scores of each validation case, which ``validation.csv`` holds.

    Raises
    ------
    CowganError
        The folder holds a run, the dataset or the fold does not exist, or nnU-Net failed.
    Cancelled
        The user cancelled; the run can be resumed.
    """
    folder, progress = absolute(folder), progress or Silent()
    found = find_dataset(dataset)
    if (folder / SETTINGS_FILE).exists():
        raise CowganError(f"{folder} holds a run already; resume it, or choose another folder.")
    versions = check_interpreter(python, progress)
    chosen = choose_device(device, versions)
    small = plans is None and chosen == "cpu"
    training = NnunetTraining(
        str(found), epochs, iterations, fold, plans or ("small" if small else "default")
    )
    _require_fold(training)
    dataset_scheme(found)
    with _locked(folder):
        write_json(folder / SETTINGS_FILE, asdict(training))
        return _train(folder, training, python, chosen, progress)


def resume_nnunet(
    folder: Path, python: Path, device: str = "auto", progress: Progress | None = None
) -> dict[str, ScoredPair]:
    """Continue a run from its last complete epoch; see `train_nnunet`.

    Raises
    ------
    CowganError
        There is no run in the folder.
    """
    folder, progress = absolute(folder), progress or Silent()
    if not (folder / SETTINGS_FILE).exists():
        raise CowganError(f"{folder} holds no nnU-Net that could be continued.")
    training = read_json(folder / SETTINGS_FILE, NnunetTraining, _LIMIT)
    _require_fold(training)
    dataset_scheme(Path(training.dataset))
    chosen = choose_device(device, check_interpreter(python, progress))
    with _locked(folder):
        return _train(folder, training, python, chosen, progress)


def choose_device(device: str, versions: NnunetVersions) -> str:
    """Return a device that the interpreter of nnU-Net has; "auto" is a GPU if there is one.

    Raises
    ------
    CowganError
        It does not have the device.
    """
    if device == "auto":
        return "cuda" if versions.gpus else "cpu"
    there = ["cpu", *["mps"] * versions.mps, *["cuda"] * bool(versions.gpus)]
    there += [f"cuda:{number}" for number in range(versions.gpus)]
    if device not in there:
        raise CowganError(
            f"The Python with nnU-Net cannot use {device}, only {', '.join(there)}; its torch is "
            f"{versions.torch}."
        )
    return device


def _train(
    folder: Path, training: NnunetTraining, python: Path, device: str, progress: Progress
) -> dict[str, ScoredPair]:
    dataset = Path(training.dataset)
    scheme = dataset_scheme(dataset)
    base = dataset.parents[1]
    folders = {
        "nnUNet_raw": base / RAW_FOLDER,
        "nnUNet_preprocessed": base / PREPROCESSED_FOLDER,
        "nnUNet_results": folder,
    }
    prepare = {"action": "prepare", "dataset": dataset.name}
    train = {
        "action": "train",
        "dataset": dataset.name,
        "fold": training.fold,
        "epochs": training.epochs,
        "iterations": training.iterations,
        "plans": training.plans,
        "device": device.partition(":")[0],
    }
    with (folder / LOG_FILE).open("a+b") as log:
        with (
            _locked(folders["nnUNet_preprocessed"] / dataset.name),
            nnunet_process(python, log, progress, prepare, folders) as process,
        ):
            list(process.reports())
        try:
            with nnunet_process(python, log, progress, train, folders, device) as process:
                epochs: list[NnunetEpoch] = []
                for report in process.reports():
                    if report.epoch is not None:
                        epochs.append(report.epoch)
                        _write_epochs(folder / EPOCHS_FILE, epochs, scheme)
        except Cancelled:
            raise
        except CowganError as error:
            raise CowganError(
                f"{error.sentence} See {folder / LOG_FILE}; cowgan segment train-nnunet --resume "
                "continues from the last complete epoch.",
                error.detail,
            ) from error
    scored = score_validation(folder, dataset, training.fold, progress)
    write_scores(folder / VALIDATION_FILE, scored)
    return scored


def score_validation(
    folder: Path, dataset: Path, fold: int, progress: Progress | None = None
) -> dict[str, ScoredPair]:
    """Score what a trained nnU-Net predicted for the cases of its validation.

    Parameters
    ----------
    folder : Path
        Folder of the run.
    dataset : Path
        The dataset in ``nnUNet_raw``.
    fold : int
        The fold that was trained.
    progress : Progress, optional
        Updated after every case.

    Returns
    -------
    dict of str to ScoredPair
        By case name, with the metrics of `cowgan.segmentation.metrics`, in the label scheme of the
        dataset.

    Raises
    ------
    CowganError
        The network has not been validated, or a label map is missing or damaged.
    Cancelled
        The user cancelled.
    """
    progress = progress or Silent()
    summaries = sorted(Path(folder).glob(f"*/*/fold_{fold}/validation/summary.json"))
    if len(summaries) != 1:
        raise CowganError(f"{folder} holds no validation of one nnU-Net.")
    scheme = dataset_scheme(dataset)
    summary = read_json(summaries[0], _Summary, _LIMIT, other_versions=True)
    files = sorted(Path(one.prediction_file).name for one in summary.metric_per_case)
    scored: dict[str, ScoredPair] = {}
    for file in files:
        case = file.removesuffix(".nii.gz")
        advance(progress, len(scored), len(files), f"scoring {case}")
        pair = LabelPair(case, summaries[0].with_name(file), dataset / "labelsTr" / file)
        scored[case] = _scored(pair, scheme)
    advance(progress, len(files), len(files), "scoring")
    return scored


def _scored(pair: LabelPair, scheme: LabelScheme) -> ScoredPair:
    """Score label maps of classes, as nnU-Net numbers them."""
    predicted, truth = open_image(pair.predicted), open_image(pair.truth)
    require_one_grid(pair.case, ("prediction", predicted), ("truth", truth))
    classes = Classes.of(scheme)
    found, true = (_labels(image, classes) for image in (predicted, truth))
    rows = score(found, true, scheme, truth.spacing_mm)
    return ScoredPair(rows, compare_circles(found, true, scheme), ())


def _labels(image: OpenedImage, classes: Classes) -> NDArray[np.uint8]:
    found = image.labels()
    if found.max() >= classes.count:
        raise CowganError(
            f"{image.path.name} has the class {found.max()}, and the last one of its dataset is "
            f"{classes.count - 1}."
        )
    return classes.labels(found.astype(np.uint8))


def _write_epochs(path: Path, epochs: Sequence[NnunetEpoch], scheme: LabelScheme) -> None:
    columns = [dice_column(scheme, value) for value in Classes.of(scheme).values]
    rows: list[dict[str, Any]] = []
    for epoch in epochs:
        found = [dice for dice in epoch.dice if dice is not None]
        rows.append(
            {
                "epoch": epoch.number,
                "seconds": epoch.seconds,
                "train_loss": epoch.train_loss,
                "validation_loss": epoch.validation_loss,
                "mean_pseudo_dice": sum(found) / len(found) if found else None,
                **dict(zip(columns, epoch.dice, strict=True)),
            }
        )
    write_table(path, list(rows[0]), rows)


def _require_fold(training: NnunetTraining) -> None:
    dataset = Path(training.dataset)
    splits = dataset.parents[1] / PREPROCESSED_FOLDER / dataset.name / SPLITS_FILE
    if splits.exists():
        folds = len(read_json(splits, tuple[_Fold, ...], _LIMIT, other_versions=True))
    else:
        folds = _FOLDS
    if training.fold >= folds:
        raise CowganError(
            f"There is no fold {training.fold}; those of {dataset.name} are 0 to {folds - 1}."
        )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = HeldLock(folder / LOCK_FILE)
    except AlreadyHeld as error:
        raise CowganError(f"Another training is at work in {folder}; wait for it.") from error
    except OSError as error:
        raise CowganError(
            f"{folder} cannot hold a run: {error.strerror or error}.", repr(error)
        ) from error
    try:
        yield
    finally:
        lock.remove()
