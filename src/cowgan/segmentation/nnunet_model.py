"""Trained networks of nnU-Net v2, and the meaning of their labels."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cowgan.anatomy.label_schemes import LABEL_SCHEMES, LabelScheme, label_scheme
from cowgan.documents import checked, read_json
from cowgan.errors import CowganError
from cowgan.files import sha256_of
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.nnunet_runner import CONFIGURATION, FINAL

DATASET_FILE, PLANS_FILE = "dataset.json", "plans.json"
_LIMIT = 32 * 2**20
_DEPTH = 2
_CLASS = re.compile(
    r"(torch\.nn\.(modules\.\w+\.)?|dynamic_network_architectures\.architectures\.\w+\.)[A-Z]\w*"
)
"""What the network of a plan may be made of: nnU-Net calls whatever a plan names."""


@dataclass(frozen=True)
class _Description:
    labels: Mapping[str, Any]
    file_ending: str
    channel_names: Mapping[str, Any]
    label_scheme: str = ""
    label_values: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Configuration:
    spacing: tuple[float, ...]
    median_image_size_in_voxels: tuple[float, ...]
    architecture: Mapping[str, Any]


@dataclass(frozen=True)
class _Plans:
    configurations: Mapping[str, Any]
    transpose_backward: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class NnunetModel:
    """A trained nnU-Net.

    Parameters
    ----------
    folder : Path
        Holds ``dataset.json``, ``plans.json`` and a folder for each fold.
    folds : tuple of str
        Names of the folders of trained folds, whose networks are averaged.
    scheme : LabelScheme
        Meaning of the labels.
    extent_mm : tuple of float
        Median size along (z, x, y) of the images that it learned from.
    sha256 : str
        Hash of the checkpoint of the first fold.
    """

    folder: Path
    folds: tuple[str, ...]
    scheme: LabelScheme
    extent_mm: tuple[float, ...]
    sha256: str

    @property
    def name(self) -> str:
        """Name of the dataset, and of trainer, plans and configuration."""
        return "/".join(self.folder.resolve().parts[-2:])

    @property
    def classes(self) -> Classes:
        """The labels that the network tells apart."""
        return Classes.of(self.scheme)


def is_nnunet(path: Path) -> bool:
    """Return whether there is a trained nnU-Net in a folder or below it."""
    return any(_model_folders(path))


def open_nnunet(path: Path) -> NnunetModel:
    """Read what a trained nnU-Net is; its weights stay where they are.

    Parameters
    ----------
    path : Path
        Folder of the network, or one that it lies in: that of a run, or ``nnUNet_results``.

    Raises
    ------
    CowganError
        There is none or more than one, its training is not complete, its dataset was not written
        by this program, or it is damaged.
    """
    folders = list(_model_folders(path))
    if not folders:
        raise CowganError(f"{path} holds no trained nnU-Net.")
    if len(folders) > 1:
        names = ", ".join(folder.relative_to(path).as_posix() for folder in folders)
        raise CowganError(f"{path} holds several nnU-Nets; choose one of {names}.")
    folder = folders[0]
    folds = tuple(sorted(one.parent.name for one in folder.glob(f"fold_*/{FINAL}")))
    if not folds:
        raise CowganError(
            f"The training of {path} is not complete; continue it with cowgan segment "
            "train-nnunet --resume."
        )
    scheme = dataset_scheme(folder)
    sha256 = sha256_of(folder / folds[0] / FINAL)
    return NnunetModel(folder, folds, scheme, _extent_mm(folder / PLANS_FILE), sha256)


def dataset_scheme(folder: Path) -> LabelScheme:
    """Return the label scheme of a dataset, or of a network trained on it.

    Parameters
    ----------
    folder : Path
        Holds ``dataset.json``.

    Raises
    ------
    CowganError
        The file is missing or damaged, the dataset was not written by this program, or its labels
        are not those of its scheme.
    """
    path = Path(folder) / DATASET_FILE
    found = read_json(path, _Description, _LIMIT, other_versions=True)
    if found.label_scheme not in LABEL_SCHEMES:
        raise CowganError(
            f"{path} does not say which arteries its labels are; write the dataset with cowgan "
            "segment export-nnunet."
        )
    scheme = label_scheme(found.label_scheme)
    values = Classes.of(scheme).values
    names = {scheme.labels[value]: number for number, value in enumerate(values, 1)}
    if found.labels != {"background": 0, **names} or found.label_values != (0, *values):
        raise CowganError(
            f"The labels in {path} are not those of {scheme.name} as this program numbers them."
        )
    if len(found.channel_names) != 1 or found.file_ending != ".nii.gz":
        raise CowganError(f"{path} does not describe single images in NIfTI files.")
    return scheme


def _model_folders(path: Path) -> Iterator[Path]:
    """Yield the folders of networks in a folder, itself included."""
    for depth in range(_DEPTH + 1):
        for plans in sorted(Path(path).glob("*/" * depth + PLANS_FILE)):
            if (plans.parent / DATASET_FILE).exists():
                yield plans.parent


def _extent_mm(path: Path) -> tuple[float, ...]:
    """Return the median size along (z, x, y) of a plan's images; refuses a foreign network."""
    plans = read_json(path, _Plans, _LIMIT, other_versions=True)
    if CONFIGURATION not in plans.configurations:
        raise CowganError(f"{path} describes no {CONFIGURATION} network.")
    plain = plans.configurations[CONFIGURATION]
    one = checked(plain, _Configuration, str(path), other_versions=True)
    named = [one.architecture.get("network_class_name")]
    kwargs = one.architecture.get("arch_kwargs", {})
    named += [kwargs.get(key) for key in one.architecture.get("_kw_requires_import", ())]
    if not all(name is None or _CLASS.fullmatch(str(name)) for name in named):
        raise CowganError(f"{path} names a network that is not one of nnU-Net.", f"{named}")
    turned = [
        size * count
        for size, count in zip(one.spacing, one.median_image_size_in_voxels, strict=True)
    ]
    z, y, x = (turned[axis] for axis in plans.transpose_backward)
    return z, x, y
