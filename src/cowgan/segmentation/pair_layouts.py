"""Folder layouts of images with label maps: nnU-Net v2, and derivatives in BIDS."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cowgan import __version__
from cowgan.anatomy.label_colours import label_colours
from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.data.bids import DESCRIPTION
from cowgan.files import atomic_path, write_json
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.nnunet_dataset import dataset_description
from cowgan.tables import TableWriter

_BIDS_VERSION = "1.10.0"


class PairLayout(Protocol):
    """Where pairs lie in a folder, and what describes them."""

    meaning: str
    """What the values of its label maps are, for their provenance."""

    def paths(self, seed: int) -> tuple[Path, Path]:
        """Return image and label map of a seed, below the folder."""

    def stored(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the values to store for labels of the scheme."""

    def describe_labels(self, labels: Path) -> None:
        """Write what belongs beside a label map."""

    def describe(self, folder: Path, count: int, licence: str) -> None:
        """Write the description of a folder that holds a number of pairs."""


class NnunetLayout:
    """``imagesTr/NAME_0000.nii.gz``, ``labelsTr/NAME.nii.gz`` and ``dataset.json``.

    Labels are consecutive, as nnU-Net needs them; see `cowgan.segmentation.classes.Classes`.

    Parameters
    ----------
    scheme : LabelScheme
        Meaning of the labels.
    """

    def __init__(self, scheme: LabelScheme) -> None:
        self._scheme, self._classes = scheme, Classes.of(scheme)
        self.meaning = f"consecutive numbers of {scheme.name}"

    def paths(self, seed: int) -> tuple[Path, Path]:
        """Return image and label map of a seed, below the folder."""
        name = f"seed_{seed:06d}"
        return Path("imagesTr") / f"{name}_0000.nii.gz", Path("labelsTr") / f"{name}.nii.gz"

    def stored(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return classes."""
        return self._classes.of_labels(labels)

    def describe_labels(self, labels: Path) -> None:
        """Write nothing: ``dataset.json`` names the labels."""

    def describe(self, folder: Path, count: int, licence: str) -> None:
        """Write ``dataset.json``."""
        content = dataset_description(self._scheme, self._classes, count)
        write_json(folder / "dataset.json", {**content, "licence": licence})


class BidsLayout:
    """``sub-SEED/anat/sub-SEED_desc-synthetic_angio.nii.gz`` and its ``_dseg``.

    Label maps keep the values of the scheme, which ``_dseg.tsv`` beside each of them names.

    Parameters
    ----------
    scheme : LabelScheme
        Meaning of the labels.
    """

    def __init__(self, scheme: LabelScheme) -> None:
        self._scheme = scheme
        self.meaning = scheme.name

    def paths(self, seed: int) -> tuple[Path, Path]:
        """Return image and label map of a seed, below the folder."""
        subject = f"sub-{seed:06d}"
        start = Path(subject) / "anat" / f"{subject}_desc-synthetic"
        return Path(f"{start}_angio.nii.gz"), Path(f"{start}_dseg.nii.gz")

    def stored(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the labels themselves."""
        return labels

    def describe_labels(self, labels: Path) -> None:
        """Write ``_dseg.tsv``, which gives each value its name and colour."""
        colours = label_colours(self._scheme)
        with (
            atomic_path(labels.with_name(labels.name.replace(".nii.gz", ".tsv"))) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as file,
        ):
            table = TableWriter(file, ("index", "name", "color"), "\t", "\n", "n/a")
            table.write_header()
            for value, name in self._scheme.labels.items():
                table.write({"index": value, "name": name, "color": colours[value]})

    def describe(self, folder: Path, count: int, licence: str) -> None:
        """Write ``dataset_description.json``."""
        content: dict[str, Any] = {
            "Name": f"{count} generated TOF MR angiograms with artery labels",
            "BIDSVersion": _BIDS_VERSION,
            "DatasetType": "derivative",
            "License": licence,
            "GeneratedBy": [{"Name": "napari-cowgan", "Version": __version__}],
        }
        write_json(folder / DESCRIPTION, content)


LAYOUTS: Mapping[str, type[NnunetLayout] | type[BidsLayout]] = {
    "nnunet": NnunetLayout,
    "bids-derivative": BidsLayout,
}
"""Layouts by the names that commands use."""
