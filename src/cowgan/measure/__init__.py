"""Vessel measurements: volume, length, radii, components and loops."""

from cowgan.measure.mask import Method, Vessels, find_vessels, vessel_mask
from cowgan.measure.measurements import (
    Measurements,
    RadiusDistribution,
    measure,
    measure_labels,
    measure_mask,
)

__all__ = [
    "Measurements",
    "Method",
    "RadiusDistribution",
    "Vessels",
    "find_vessels",
    "measure",
    "measure_labels",
    "measure_mask",
    "vessel_mask",
]
