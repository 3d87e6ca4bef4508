"""A training bank of simulated TOF MRA, from anatomies or phantoms."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cowgan.bank.anatomies import VesselMap
from cowgan.bank.bank import Bank
from cowgan.bank.scaling import scale
from cowgan.bank.writing import BankOptions, write_bank
from cowgan.errors import CowganError
from cowgan.pool import map_in_order
from cowgan.progress import Progress, Silent, advance
from cowgan.simulate import make_anatomy, simulate_tof
from cowgan.simulate.deformation import DeformationLimits, deform
from cowgan.volume import DEFAULT_SPACING_MM, Volume


class Arteries(Protocol):
    """What a TOF MRA is simulated of; picklable."""

    @property
    def name(self) -> str:
        """By which the subject is found."""

    @property
    def occupancy(self) -> NDArray[np.float32]:
        """Share of each voxel that is artery, 0 to 1, shape (32, 128, 128)."""

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the arteries come from."""


@dataclass(frozen=True)
class PhantomArteries:
    """The arteries of `cowgan.simulate.make_phantom`."""

    seed: int

    @property
    def name(self) -> str:
        """The seed, as a case name."""
        return f"phantom-{self.seed:06d}"

    @property
    def occupancy(self) -> NDArray[np.float32]:
        """Share of each voxel that is artery, 0 to 1."""
        return make_anatomy(self.seed).occupancy

    @property
    def provenance(self) -> dict[str, Any]:
        """The seed, which decides everything."""
        return {"phantom_seed": self.seed}


@dataclass(frozen=True)
class SimulationOptions:
    """How volumes are simulated.

    Parameters
    ----------
    per_anatomy : int
        Volumes of each anatomy, with other intensities each time.
    deformation : DeformationLimits, optional
        Varies the anatomy of each volume within these limits; not by default.
    seed : int
        Decides intensities and variations, together with anatomy and copy: an anatomy
        gives the same volumes whatever else is in the bank.
    """

    per_anatomy: int = 1
    deformation: DeformationLimits | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.per_anatomy < 1:
            raise CowganError(f"At least 1 volume per anatomy is needed, not {self.per_anatomy}.")


def simulate_bank(
    anatomies: Iterable[Arteries],
    target: Path,
    simulation: SimulationOptions | None = None,
    options: BankOptions | None = None,
    progress: Progress | None = None,
    origin: dict[str, Any] | None = None,
) -> Bank:
    """Make a bank of simulated TOF MRA.

    Parameters
    ----------
    anatomies : iterable of Arteries
        For example what `cowgan.bank.anatomies.read_anatomies` returned, or
        `PhantomArteries`. All copies of one are on one side of the split.
    target : path-like
        The bank's folder.
    simulation : SimulationOptions, optional
        How many volumes, and how they vary.
    options, progress
        As for `cowgan.bank.writing.write_bank`. The bank is the same for any number
        of processes.
    origin : dict, optional
        What else ``bank.json`` should say about how the bank was made.

    Returns
    -------
    Bank
        Copies of one anatomy follow each other. Intensities are scaled like those of
        scans: percentile 0.1 to 0 and 99.9 to 1.

    Raises
    ------
    CowganError
        An anatomy has no arteries, or see `cowgan.bank.writing.write_bank`.
    Cancelled
        The person stopped; nothing is left behind.
    """
    simulation = simulation or SimulationOptions()
    recipes = [
        SimulationRecipe(arteries, copy, simulation)
        for arteries in anatomies
        for copy in range(simulation.per_anatomy)
    ]
    origin = {"kind": "simulation", **asdict(simulation), **(origin or {})}
    return write_bank(Path(target), recipes, options, origin, progress)


@dataclass(frozen=True)
class SimulationRecipe:
    """One simulated volume of one anatomy."""

    arteries: Arteries
    copy: int
    simulation: SimulationOptions

    @property
    def name(self) -> str:
        """The anatomy's name."""
        return self.arteries.name

    def make(self) -> Volume:
        """Vary the anatomy if wanted, simulate and scale."""
        seed = case_seed(self.simulation.seed, self.name, self.copy)
        try:
            occupancy = self.arteries.occupancy
            made_from = {"anatomy": self.arteries.provenance}
            if self.simulation.deformation is not None:
                occupancy, record = deform(occupancy, seed, self.simulation.deformation)
                made_from["deformation"] = record
            tof = scale(simulate_tof(occupancy, DEFAULT_SPACING_MM, seed=seed), "robust")
        except CowganError as error:
            raise CowganError(f"The anatomy {self.name}: {error.sentence}", error.detail) from error
        return replace(tof, provenance={**tof.provenance, **made_from})


def case_seed(seed: int, name: str, copy: int) -> int:
    """Return the seed of one volume, 0 to 2^53 - 1, which every JSON reader keeps exact."""
    digest = hashlib.sha256(f"{seed}/{copy}/{name}".encode()).digest()
    return int.from_bytes(digest[:8]) >> 11


def keep_centred(
    anatomies: Sequence[VesselMap],
    largest_mm: float,
    jobs: int = 1,
    progress: Progress | None = None,
) -> tuple[list[VesselMap], list[VesselMap]]:
    """Set anatomies apart whose Circle of Willis lies off the middle of the volume.

    Parameters
    ----------
    anatomies : sequence of VesselMap
        In any order, which is kept.
    largest_mm : float
        Largest distance along any axis; see `VesselMap.off_centre_mm`.
    jobs : int
        Processes that look for the circles.
    progress : Progress, optional
        Told after every anatomy.

    Returns
    -------
    kept, dropped : list of VesselMap

    Raises
    ------
    Cancelled
        The person stopped.
    """
    progress = progress or Silent()
    kept: list[VesselMap] = []
    dropped: list[VesselMap] = []
    offsets_mm = map_in_order(attrgetter("off_centre_mm"), anatomies, jobs)
    for anatomy, offset_mm in zip(anatomies, offsets_mm, strict=True):
        (kept if offset_mm <= largest_mm else dropped).append(anatomy)
        advance(progress, len(kept) + len(dropped), len(anatomies), anatomy.name)
    return kept, dropped
