"""Vessels as features: what is measured of them, and how far it differs between two sets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError
from cowgan.evaluation.subject_differences import (
    Difference,
    Group,
    Summary,
    compare_groups,
    holm,
    summary,
)
from cowgan.features.extractor import Recipe
from cowgan.features.store import FeatureBank
from cowgan.measure import Method, find_vessels, measure_mask
from cowgan.measure.communicating import sides_joined
from cowgan.measure.wall import wall_slope_per_mm
from cowgan.volume import Volume


@dataclass(frozen=True)
class Column:
    """A quantity that is measured in every volume.

    Parameters
    ----------
    key : str
        For programs.
    title : str
        For people.
    unit : str
        Empty for counts.
    group : str
        What it describes, for figures and tables.
    digits : int
        Decimals that are worth printing.
    may_lack : bool
        Whether a volume may have no such quantity, which is kept as 0 and left out of comparisons:
        no angle without a branch point, for example. Otherwise 0 is a value like any other.
    """

    key: str
    title: str
    unit: str
    group: str
    digits: int = 2
    may_lack: bool = False


COLUMNS = (
    Column("fraction", "Vessel voxels", "%", "Amount and calibre"),
    Column("length", "Length of all vessels", "mm", "Amount and calibre", digits=0),
    Column("radius_mean", "Mean radius", "mm", "Amount and calibre", may_lack=True),
    Column("radius_median", "Median radius", "mm", "Amount and calibre", may_lack=True),
    Column("radius_sd", "Spread of radii (SD)", "mm", "Amount and calibre", may_lack=True),
    Column("wall_slope", "Slope of walls", "contrast/mm", "Amount and calibre", may_lack=True),
    Column("branch_length", "Mean branch length", "mm", "Course", 1, may_lack=True),
    Column("tortuosity", "Tortuosity", "path/chord", "Course", may_lack=True),
    Column("turning", "Turning", "rad/mm", "Course", 3, may_lack=True),
    Column("branch_points", "Branch points", "", "Course", digits=1),
    Column("branching_angle", "Branching angle", "°", "Course", 0, may_lack=True),
    Column("murray_ratio", "Murray ratio", "", "Course", may_lack=True),
    Column("pieces", "Pieces", "", "Connections"),
    Column("specks", "Pieces below 20 mm³", "", "Connections"),
    Column("largest_piece", "Largest piece", "% of voxels", "Connections", digits=1),
    Column("loops", "Loops", "", "Connections"),
    Column("sides_joined", "Sides with a PCom", "of 2", "Connections"),
)
"""The features of `VesselFeatures`, in order."""


class VesselFeatures:
    """An extractor: the vessels of a volume in physical units, see `COLUMNS`.

    A volume without vessels has zeros only.

    Parameters
    ----------
    method : {"hysteresis", "frangi", "sato"}
        How vessels are found, see `cowgan.measure.find_vessels`.
    """

    dimensions = len(COLUMNS)

    def __init__(self, method: Method = "hysteresis") -> None:
        self._method = method
        self.recipe = Recipe(
            "Vessel measurements",
            version=1,
            settings={"method": method, "columns": ", ".join(column.key for column in COLUMNS)},
        )

    def __call__(self, volume: Volume) -> NDArray[np.float32]:
        """Return one row."""
        mask = find_vessels(volume, self._method).mask
        measured = measure_mask(mask, volume.spacing_mm)
        values = {
            "fraction": 100 * measured.voxels / mask.size,
            "length": measured.length_mm,
            "branch_length": measured.tortuosity.mean_length_mm,
            "radius_mean": measured.radius.mean_mm,
            "radius_median": measured.radius.median_mm,
            "radius_sd": measured.radius.sd_mm,
            "wall_slope": wall_slope_per_mm(volume, mask),
            "tortuosity": measured.tortuosity.median_distance_metric,
            "turning": measured.tortuosity.turning_rad_per_mm,
            "branching_angle": measured.branching.angle_deg,
            "murray_ratio": measured.branching.murray_ratio,
            "branch_points": measured.branching.points,
            "loops": measured.loops,
            "pieces": measured.components,
            "specks": measured.pieces.specks,
            "largest_piece": measured.pieces.largest_percent,
            "sides_joined": sides_joined(mask),
        }
        return np.array([[values[column.key] for column in COLUMNS]], np.float32)


@dataclass(frozen=True)
class VesselDifference:
    """How far one quantity differs between real and generated volumes.

    Parameters
    ----------
    column : Column
        The quantity.
    real, generated : Summary, optional
        Of the volumes that have it; None if none does.
    difference : Difference, optional
        None if too few subjects have it.
    p_holm : float, optional
        The p value of the difference, corrected for the number of quantities (Holm 1979).
    """

    column: Column
    real: Summary | None
    generated: Summary | None
    difference: Difference | None
    p_holm: float | None


def compare_vessels(
    real: FeatureBank, generated: FeatureBank, seed: int = 0
) -> list[VesselDifference]:
    """Compare the vessels of real and generated volumes, quantity by quantity.

    Parameters
    ----------
    real, generated : FeatureBank
        Features of `VesselFeatures`.
    seed : int
        Seed of permutations and splits, see `compare_groups`.

    Returns
    -------
    list of VesselDifference
        One for each of `COLUMNS`.

    Raises
    ------
    CowganError
        The features are not those of one `VesselFeatures`.
    """
    if real.recipe != generated.recipe or real.features.shape[1:] != (1, len(COLUMNS)):
        raise CowganError(
            f"The features of {real.title} and {generated.title} are no vessel measurements of "
            "one kind; measure both again."
        )
    pairs = [(values_of(real, column), values_of(generated, column)) for column in COLUMNS]
    differences = [compare_groups(one, other, seed) for one, other in pairs]
    corrected = iter(holm([found.p for found in differences if found]))
    return [
        VesselDifference(
            column,
            summary(one),
            summary(other),
            found,
            next(corrected) if found else None,
        )
        for column, (one, other), found in zip(COLUMNS, pairs, differences, strict=True)
    ]


def values_of(bank: FeatureBank, column: Column) -> Group:
    """Return one quantity of the volumes that have it."""
    values = bank.rows[:, COLUMNS.index(column)].astype(np.float64)
    has = values > 0 if column.may_lack else np.ones(len(values), bool)
    return Group(values[has], np.array(bank.subjects)[has])
