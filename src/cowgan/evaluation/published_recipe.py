"""The measures of the paper: FID, MedicalNet distance and AUC-PRD, as Aydin et al. 2024 report."""

from dataclasses import dataclass

from cowgan.errors import CowganError
from cowgan.evaluation.distances import frechet_distance
from cowgan.evaluation.manifolds import prd_auc
from cowgan.features.extractor import Recipe
from cowgan.features.inception import InceptionFeatures
from cowgan.features.medicalnet import MedicalNetFeatures
from cowgan.features.store import FeatureBank

FEWEST_VOLUMES = 10
"""Volumes on each side that the clusters of AUC-PRD take."""


@dataclass(frozen=True)
class PublishedMeasure:
    """A measure of the paper, with all that a number needs to be compared with another.

    Parameters
    ----------
    name : str
        "FID", "MedicalNet distance" or "AUC-PRD".
    value : float
        Distances are better the lower, AUC-PRD the higher.
    recipe : Recipe
        Of the features.
    real_volumes, generated_volumes : int
        Volumes that were compared.
    real_rows, generated_rows : int
        Rows of features: one per volume, or per slice for FID.
    """

    name: str
    value: float
    recipe: Recipe
    real_volumes: int
    generated_volumes: int
    real_rows: int
    generated_rows: int


def published_measures(
    real: FeatureBank, generated: FeatureBank, seed: int = 0
) -> tuple[PublishedMeasure, ...]:
    """Return the measures that the paper computes of the features of one extractor.

    Of Inception-v3, the Fréchet distance of all slices of both sets (FID). Of MedicalNet, the
    Fréchet distance (MedicalNet distance) and the area under the precision-recall curve of
    distributions, of ten clusters (AUC-PRD), for which as many volumes are drawn from the larger
    set as the smaller has: the paper compares equal numbers. It took 1,782 volumes of each, and
    891 of each for two halves of the real ones; both distances fall as numbers grow, so compare
    only figures of equal numbers.

    Parameters
    ----------
    real, generated : FeatureBank
        Of `cowgan.features.inception.InceptionFeatures` or
        `cowgan.features.medicalnet.MedicalNetFeatures`.
    seed : int
        Decides clusters and draw of AUC-PRD; the published code draws anew at each run.

    Raises
    ------
    CowganError
        The features are of different or other extractors, or too few.
    """
    recipe = real.recipe
    if recipe.sha256 != generated.recipe.sha256:
        raise CowganError(
            f"Real features by {recipe.name} and generated ones by {generated.recipe.name} are not "
            "of one recipe and cannot be compared.",
            f"{recipe}\n{generated.recipe}",
        )
    counts = (len(real), len(generated), len(real.rows), len(generated.rows))
    if recipe.name == InceptionFeatures.name:
        fid = frechet_distance(real.rows, generated.rows)
        return (PublishedMeasure("FID", fid, recipe, *counts),)
    if recipe.name == MedicalNetFeatures.name:
        distance = frechet_distance(real.rows, generated.rows)
        area = prd_auc(real.rows, generated.rows, seed=seed)
        drawn = min(len(real), len(generated))
        return (
            PublishedMeasure("MedicalNet distance", distance, recipe, *counts),
            PublishedMeasure("AUC-PRD", area, recipe, drawn, drawn, drawn, drawn),
        )
    raise CowganError(f"The paper computes no measure of features by {recipe.name}.")
