"""Real anatomies, such as those that a model was trained on, beside the model's volumes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cowgan.evaluation.replicas import FALSE_ALARMS, AnatomySearch, vessel_maps_of
from cowgan.evaluation.volume_sets import FirstVolumes, open_training
from cowgan.features.store import default_cache
from cowgan.latent.anatomy_codes import AnatomyCodes, encode_anatomies
from cowgan.latent.encoder_files import stored_encoder
from cowgan.latent.projection_target import fits_grid
from cowgan.measure.vessel_attributes import measure_vessels
from cowgan.progress import Progress, Silent, advance
from cowgan.synthesis import Synthesizer
from cowgan.volume import Volume
from cowgan.volume.volume_set import VolumeSet

FEWEST_PEOPLE = 10
"""With fewer, nothing can be said on how alike different people are."""


@dataclass(frozen=True, eq=False)
class KnownAnatomies:
    """Real anatomies, ready to be compared with.

    Attributes
    ----------
    volumes : VolumeSet
        Their volumes.
    search : AnatomySearch or None
        Finds the nearest; None without enough people to tell what is suspicious.
    codes : AnatomyCodes or None
        Their places in the latent space; None without an encoder.
    measured : dict of str to ndarray
        By key, measurements of them.
    remarks : tuple of str
        What could not be done.
    """

    volumes: VolumeSet
    search: AnatomySearch | None
    codes: AnatomyCodes | None
    measured: Mapping[str, NDArray[np.float64]]
    remarks: tuple[str, ...]


def known_anatomies(
    path: Path, synthesizer: Synthesizer, progress: Progress | None = None
) -> KnownAnatomies:
    """Read, compare, encode and measure the anatomies of a bank's training side or a folder.

    One volume of each person counts. Vessel masks are kept in the user's cache.

    Parameters
    ----------
    path : Path
        A bank, or a folder of volumes.
    synthesizer : Synthesizer
        Of the model in whose latent space they are placed.
    progress : Progress, optional
        Reports each volume, of several rounds.

    Raises
    ------
    CowganError
        There are no volumes, they differ in shape or voxel size, or one cannot be read.
    Cancelled
        The user cancelled.
    """
    progress = progress or Silent()
    volumes = FirstVolumes(open_training(path)[0])
    remarks = []
    search = None
    people = len(volumes.names)
    if people < FEWEST_PEOPLE:
        remarks.append(
            f"It takes {FEWEST_PEOPLE} people to tell how alike different people are, and there "
            f"are {people}."
        )
    else:
        maps = vessel_maps_of(volumes, default_cache(), progress=progress)
        search = AnatomySearch(maps, max(FALSE_ALARMS, 1 / people), progress)
    codes = None
    measured: Mapping[str, NDArray[np.float64]] = {}
    checkpoint = synthesizer.checkpoint
    if stored_encoder(checkpoint) is None:
        remarks.append(
            "The map marks no anatomies, because this model has no encoder; cowgan fit-encoder "
            "makes one."
        )
    elif not fits_grid(volumes.volume(0), checkpoint):
        remarks.append(
            "The map marks no anatomies, because they are not on the grid of the model's volumes."
        )
    else:
        codes = encode_anatomies(checkpoint, _reported(volumes, progress))
        measured = _measured(volumes, progress)
    return KnownAnatomies(volumes, search, codes, measured, tuple(remarks))


def _reported(volumes: VolumeSet, progress: Progress) -> Iterator[tuple[str, Volume]]:
    for index, name in enumerate(volumes.names):
        advance(progress, index, len(volumes.names), name)
        yield name, volumes.volume(index)


def _measured(volumes: VolumeSet, progress: Progress) -> Mapping[str, NDArray[np.float64]]:
    rows = [measure_vessels(volume).values for _, volume in _reported(volumes, progress)]
    return {key: np.array([row[key] for row in rows], dtype=np.float64) for key in rows[0]}
