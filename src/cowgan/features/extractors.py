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
    weights : WeightsFile or str
        Its weights, or where they are if there is nothing to fetch.
    """

    sees: str
    weights: WeightsFile | str


EXTRACTORS = {
    "efficientnet": KnownExtractor(
        "projections and slices, by a network of photographs", "in a package of the extra evaluate"
    ),
    "coarse-vessels": KnownExtractor("arteries and MIPs at low resolution", "not needed"),
    "medicalnet": KnownExtractor("the volume, by a network of medical images", MEDICALNET),
    "inception": KnownExtractor("up to 32 axial slices, by a network of photographs", INCEPTION),
    "dinov2": KnownExtractor(
        "projections and slices, by a network of photographs without labels",
        "in a folder of yours: config.json and model.safetensors, as of facebook/dinov2-base",
    ),
}


def weights_file(name: str) -> WeightsFile:
    """Return the file of weights that an extractor needs.

    Raises
    ------
    CowganError
        There is no such extractor, or its weights are not to be fetched.
    """
    require_choice("extractor", name, EXTRACTORS)
    weights = EXTRACTORS[name].weights
    if isinstance(weights, str):
        raise CowganError(f"There is nothing to fetch for {name}; its weights are {weights}.")
    return weights


def open_extractor(name: str, weights: Path | None = None) -> Extractor:
    """Return an extractor.

    Parameters
    ----------
    name : str
        A key of `EXTRACTORS`.
    weights : Path, optional
        File of weights, by default the one that ``cowgan features fetch`` keeps; the folder of
        weights of DINOv2, which has no default.

    Raises
    ------
    CowganError
        There is no such extractor, its weights or the package with them are missing or damaged,
        or weights were given to an extractor that takes none.
    """
    require_choice("extractor", name, EXTRACTORS)
    if name == "dinov2":
        if weights is None:
            raise CowganError(
                "The extractor dinov2 takes a folder of weights: config.json and model.safetensors."
            )
        from cowgan.features.dinov2 import Dinov2Features

        return Dinov2Features(weights)
    if isinstance(EXTRACTORS[name].weights, str) and weights is not None:
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
