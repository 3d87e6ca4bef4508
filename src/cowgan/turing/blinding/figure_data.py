"""Pictures and numbers behind the blinding audit, for visual judgement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cowgan.progress import Progress, Silent, advance
from cowgan.turing.blinding.audit import Audit
from cowgan.turing.blinding.classifier_test import Separability
from cowgan.turing.blinding.image_features import grey_levels, texture
from cowgan.turing.design.truth_key import Key, Truth
from cowgan.turing.reading.manifest import Display
from cowgan.turing.reading.package import Package
from cowgan.turing.statistics.roc import rank_auc
from cowgan.volume import Volume, default_affine, mip

Tier = Literal["grey", "texture"]

_BINS = 64


@dataclass(frozen=True, eq=False)
class Example:
    """Two pictures of a volume, at the contrast that readers see first.

    Parameters
    ----------
    case : str
        Name within the study.
    truth : {"real", "generated"}
        What it is.
    mip : ndarray of uint8, 2D (row, column)
        Axial maximum intensity projection, hung as radiologists do, with square pixels.
    slice : ndarray of uint8, 2D (row, column)
        The slice that readers see first, hung alike.
    """

    case: str
    truth: Truth
    mip: NDArray[np.uint8]
    slice: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Histograms:
    """Grey-level histogram of each volume.

    Parameters
    ----------
    levels : ndarray, shape (n_bins,)
        Middle of each bin, from black (0) to white (1).
    real, generated : ndarray, shape (n_volumes, n_bins)
        Share of the voxels in each bin.
    """

    levels: NDArray[np.float64]
    real: NDArray[np.float64]
    generated: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeatureValues:
    """One feature of every volume.

    Parameters
    ----------
    feature : str
        Its name.
    tier : {"grey", "texture"}
        Tier B or C of the audit.
    auc : float
        Of the feature alone; above 0.5 if generated volumes have larger values.
    p : float or None
        The audit's corrected p, if it is below 0.05.
    real, generated : ndarray, 1D
        Values.
    """

    feature: str
    tier: Tier
    auc: float
    p: float | None
    real: NDArray[np.float64]
    generated: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FigureData:
    """Examples, histograms and features of both classes of a study.

    Parameters
    ----------
    examples : tuple of Example
        As many real as generated ones, real ones first.
    histograms : Histograms
        Of all volumes.
    features : tuple of FeatureValues
        Those that differ most, tier by tier, the strongest first.
    """

    examples: tuple[Example, ...]
    histograms: Histograms
    features: tuple[FeatureValues, ...]


def figure_data(
    package: Package,
    key: Key,
    found: Audit,
    examples_per_class: int = 4,
    features_per_tier: int = 4,
    progress: Progress | None = None,
) -> FigureData:
    """Read all volumes of a package as its reader gets them.

    Which ones become examples depends on their file hashes alone, not on
    appearance.

    Parameters
    ----------
    package : Package
        Any of the study.
    key : Key
        The truth.
    found : Audit
        Supplies the p of its offenders.
    examples_per_class, features_per_tier : int
        At most so many.
    progress : Progress, optional
        Called after every volume.

    Raises
    ------
    CowganError
        A file is missing or was changed.
    Cancelled
        The user cancelled.
    """
    progress, manifest = progress or Silent(), package.manifest
    n_levels = key.protocol.grey_levels
    edges = np.linspace(0, n_levels, _BINS + 1)
    examples: dict[Truth, list[Example]] = {"real": [], "generated": []}
    truths, shares, greys, textures = [], [], [], []
    names = sorted(manifest.volumes, key=lambda name: manifest.volumes[name].sha256)
    for done, name in enumerate(names, 1):
        voxels, case = package.volume(name), key.case(manifest.reader, name)
        truths.append(case.truth)
        shares.append(np.histogram(voxels, edges)[0] / voxels.size)
        greys.append(grey_levels(voxels, n_levels))
        textures.append(texture(voxels, n_levels))
        if len(examples[case.truth]) < examples_per_class:
            pictures = _pictures(voxels, manifest.display)
            examples[case.truth].append(Example(case.name, case.truth, *pictures))
        advance(progress, done, len(names))
    generated, histograms = np.array(truths) == "generated", np.array(shares)
    levels = (edges[:-1] + edges[1:]) / (2 * n_levels)
    return FigureData(
        (*examples["real"], *examples["generated"]),
        Histograms(levels, histograms[~generated], histograms[generated]),
        (
            *_most_different("grey", greys, generated, found.grey, features_per_tier),
            *_most_different("texture", textures, generated, found.texture, features_per_tier),
        ),
    )


def _pictures(
    voxels: NDArray[np.uint16], display: Display
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    low, high = display.contrast_limits
    scaled = np.interp(voxels, (low, high), (0, 1)).astype(np.float32)
    first = scaled[display.start_slice, np.newaxis]
    return _flat(scaled, display), _flat(first, display)


def _flat(scaled: NDArray[np.float32], display: Display) -> NDArray[np.uint8]:
    volume = Volume(scaled, default_affine(scaled.shape, display.spacing_mm))
    return np.rint(255 * mip(volume, isotropic=True)).astype(np.uint8)


def _most_different(
    tier: Tier,
    described: Sequence[Mapping[str, float]],
    generated: NDArray[np.bool_],
    found: Separability,
    most: int,
) -> list[FeatureValues]:
    known = {offender.feature: offender.p for offender in found.offenders}
    features = []
    for name in described[0]:
        values = np.array([one[name] for one in described])
        auc = float(rank_auc(values, generated))
        apart = values[~generated], values[generated]
        features.append(FeatureValues(name, tier, auc, known.get(name), *apart))
    return sorted(features, key=lambda feature: -abs(feature.auc - 0.5))[:most]
