"""What a projection shall match: the part of a scan that lies on the grid of a model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cowgan.checkpoint import Checkpoint
from cowgan.data.roi import find_centre_mm, region_around
from cowgan.errors import CowganError
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import Volume
from cowgan.volume.intensity import rescale
from cowgan.volume.resampling import resample

LEAST_COVERAGE = 0.5
"""Scans that show less of the region are refused: what is missing would be invented."""

_SAME_SPACING = 0.01
_LEVELS = (50, 99.5)
"""Percentiles of intensity that are matched: of tissue and of arteries."""
_SEEDS = 4


@dataclass(frozen=True, eq=False)
class ProjectionTarget:
    """A scan on the grid of a model.

    Attributes
    ----------
    volume : Volume
        In [0, 1], in the model's range of intensities; 0 where the scan ends.
    inside : ndarray of bool, shape (z, x, y)
        Voxels that the scan shows; only they count.
    remarks : tuple of str
        What was done to the scan.
    """

    volume: Volume
    inside: NDArray[np.bool_]
    remarks: tuple[str, ...]


def fits_grid(volume: Volume, checkpoint: Checkpoint) -> bool:
    """Return whether a volume has the shape and voxel size of a model's volumes."""
    return volume.shape == checkpoint.config.volume_shape and np.allclose(
        volume.spacing_mm, checkpoint.spacing_mm, rtol=_SAME_SPACING
    )


def projection_target(volume: Volume, synthesizer: Synthesizer) -> ProjectionTarget:
    """Bring a scan to the grid and the range of intensities of a model.

    A volume that already is on the model's grid keeps its place, and its intensities if they lie
    in [0, 1]. Of any other, the region around the Circle of Willis is found by its arteries.

    Parameters
    ----------
    volume : Volume
        A TOF MRA.
    synthesizer : Synthesizer
        Of the model.

    Raises
    ------
    CowganError
        No arteries are found, the scan shows too little of the region, or nothing in it differs in
        intensity.
    """
    checkpoint = synthesizer.checkpoint
    if fits_grid(volume, checkpoint):
        inside = np.ones(volume.shape, np.bool_)
        if volume.data.min() >= 0 and volume.data.max() <= 1:
            rescale(volume.data)  # Refuses a volume without contrast.
            return ProjectionTarget(volume, inside, ("It already is on the model's grid.",))
        data, affine = volume.data, volume.affine
        remarks = ["It already is on the model's grid."]
    else:
        grid = region_around(
            find_centre_mm(volume),
            volume.affine,
            checkpoint.config.volume_shape,
            checkpoint.spacing_mm,
        )
        part = resample(volume, grid)
        if part.coverage < LEAST_COVERAGE:
            raise CowganError(
                f"The scan shows only {part.coverage:.0%} of the region around the Circle of "
                "Willis; choose one that shows more."
            )
        data, inside, affine = part.data, part.inside, grid.affine
        remarks = [f"The scan shows {part.coverage:.0%} of the region, found by its arteries."]
    matched = _matched(rescale(data, inside=inside), inside, synthesizer)
    remarks.append("Its intensities were scaled to the model's range.")
    return ProjectionTarget(Volume(matched, affine, volume.provenance), inside, tuple(remarks))


def _matched(
    data: NDArray[np.float32], inside: NDArray[np.bool_], synthesizer: Synthesizer
) -> NDArray[np.float32]:
    """Scale intensities linearly so that tissue and arteries are as bright as the model's."""
    made = synthesizer.render_many(LatentState(seed) for seed in range(_SEEDS))
    low, high = np.mean([np.percentile(one.data, _LEVELS) for one in made], axis=0)
    own_low, own_high = np.percentile(data[inside], _LEVELS)
    factor = (high - low) / max(own_high - own_low, 1e-6)
    scaled = np.clip((data - own_low) * factor + low, 0, 1).astype(np.float32)
    return np.where(inside, scaled, np.float32(0))
