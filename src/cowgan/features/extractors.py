"""The feature extractors by name: what each sees and needs."""

from dataclasses import dataclass
from pathlib import Path

from cowgan.errors import CowganError, require_choice
from cowgan.features.extractor import Extractor
from cowgan.features.weights_files import INCEPTION, MEDICALNET, WeightsFile, default_folder


@dataclass(frozen=True)
class KnownExtractor:
    """What to know before an extractor is chosen.

    Parameters
    ----------
    sees : str
        What it describes.
    weights : WeightsFile or None
        Its weights; None if it needs none, or a package holds them.
    """

    sees: str
    weights: WeightsFile | None


EXTRACTORS = {
    "efficientnet": KnownExtractor("projections and slices, by a network of photographs", None),
    "coarse-vessels": KnownExtractor("arteries and MIPs at low resolution", None),
    "medicalnet": KnownExtractor("the volume, by a network of medical images", MEDICALNET),
    "inception": KnownExtractor("up to 32 axial slices, by a network of photographs", INCEPTION),
}


def weights_file(name: str) -> WeightsFile:
    """Return the file of weights that an extractor needs.

    Raises
    ------
    CowganError
        There is no such extractor, or it needs no file of weights.
    """
    require_choice("extractor", name, EXTRACTORS)
    weights = EXTRACTORS[name].weights
    if weights is None:
        raise CowganError(f"There are no weights of {name} to fetch: it brings what it needs.")
    return weights


def open_extractor(name: str, weights: Path | None = None) -> Extractor:
    """Return an extractor.

    Parameters
    ----------
    name : str
        A key of `EXTRACTORS`.
    weights : Path, optional
        File of weights; by default the one that ``cowgan features fetch`` keeps.

    Raises
    ------
    CowganError
        There is no such extractor, its weights or the package with them are missing or damaged,
        or weights were given to an extractor that takes none.
    """
    require_choice("extractor", name, EXTRACTORS)
    if EXTRACTORS[name].weights is None and weights is not None:
        raise CowganError(f"The extractor {name} takes no weights.")
    if name == "efficientnet":
        from cowgan.features.efficientnet import EfficientNetFeatures

        return EfficientNetFeatures()
    if name == "coarse-vessels":
        from cowgan.features.coarse_vessels import CoarseVesselFeatures

        return CoarseVesselFeatures()
    if weights is None:
        weights = default_folder() / weights_file(name).name
        if not weights.is_file():
            raise CowganError(
                f'The weights of {name} are missing; fetch them by "cowgan features fetch {name}".'
            )
    if name == "medicalnet":
        from cowgan.features.medicalnet import MedicalNetFeatures

        return MedicalNetFeatures(weights)
    from cowgan.features.inception import InceptionFeatures

    return InceptionFeatures(weights)
