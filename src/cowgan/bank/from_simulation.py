"""Training banks of simulated TOF MRA, from anatomies or phantoms."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cowgan.bank.anatomies import VesselMap
from cowgan.bank.bank import Bank
from cowgan.bank.joined_halves import JoinedHalves, fitting_halves
from cowgan.bank.scaling import scale
from cowgan.bank.split import SplitRule
from cowgan.bank.writing import BankOptions, LabelledVolume, write_bank
from cowgan.errors import CowganError
from cowgan.pool import map_in_order
from cowgan.progress import Progress, Silent, advance
from cowgan.simulate import make_anatomy, simulate_tof
from cowgan.simulate.deformation import Deformation, DeformationLimits
from cowgan.volume import DEFAULT_SPACING_MM, Volume

_anatomy = lru_cache(maxsize=1)(make_anatomy)
"""The last phantom, of which occupancy, labels and further copies are needed in turn."""


class Arteries(Protocol):
    """The arteries of which TOF MRA is simulated; picklable."""

    @property
    def name(self) -> str:
        """Case name, from which the subject is derived."""

    @property
    def occupancy(self) -> NDArray[np.float32]:
        """Share of each voxel that is artery, 0 to 1, shape (32, 128, 128)."""

    @property
    def label_scheme(self) -> str | None:
        """Scheme of the labels, by its name in `LABEL_SCHEMES`; none without labels."""

    @property
    def labels(self) -> NDArray[np.uint8] | None:
        """Label map on the same voxels."""

    @property
    def provenance(self) -> dict[str, Any]:
        """Origin of the arteries."""


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
        return _anatomy(self.seed).occupancy

    @property
    def label_scheme(self) -> str:
        """The 13 arteries."""
        return "topcow2024"

    @property
    def labels(self) -> NDArray[np.uint8]:
        """Label map on the same voxels."""
        return _anatomy(self.seed).labels

    @property
    def provenance(self) -> dict[str, Any]:
        """The seed."""
        return {"phantom_seed": self.seed}


@dataclass(frozen=True)
class SimulationOptions:
    """Simulation settings of a bank.

    Parameters
    ----------
    per_anatomy : int
        Volumes of each anatomy, with different intensities.
    deformation : DeformationLimits, optional
        Limits of the random deformation of each volume; none by default.
    seed : int
        Together with anatomy and copy, determines intensities and deformations: the volumes of
        an anatomy do not depend on the rest of the bank, unless it is joined with others.
    joined : int
        Further volumes of each training anatomy, at most, whose right half is another one's that
        fits; see `cowgan.bank.joined_halves`. Phantoms are not joined.
    """

    per_anatomy: int = 1
    deformation: DeformationLimits | None = None
    seed: int = 0
    joined: int = 0

    def __post_init__(self) -> None:
        if self.per_anatomy < 1:
            raise CowganError(f"At least 1 volume per anatomy is needed, not {self.per_anatomy}.")
        if self.joined < 0:
            raise CowganError(f"Joined volumes per anatomy must be 0 or more, not {self.joined}.")


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
        Such as from `cowgan.bank.anatomies.read_anatomies`, or `PhantomArteries`. All copies
        of one are on the same side of the split. If all have labels of one scheme, so does
        the bank.
    target : path-like
        The bank's folder.
    simulation : SimulationOptions, optional
        Simulation settings.
    options, progress
        As for `cowgan.bank.writing.write_bank`. The bank is the same for any number
        of processes.
    origin : dict, optional
        Further entries on the origin for ``bank.json``.

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
        The user cancelled; no files are left behind.
    """
    simulation = simulation or SimulationOptions()
    anatomies = list(anatomies)
    schemes = {arteries.label_scheme for arteries in anatomies}
    label_scheme = schemes.pop() if len(schemes) == 1 else None
    joined = _joined(anatomies, simulation.joined, (options or BankOptions()).split)
    recipes = [
        SimulationRecipe(each, copy, simulation, label_scheme)
        for arteries in anatomies
        for copy, each in enumerate([arteries] * simulation.per_anatomy + joined[arteries.name])
    ]
    origin = {"kind": "simulation", **asdict(simulation), **(origin or {})}
    return write_bank(Path(target), recipes, options, origin, progress)


def _joined(anatomies: Sequence[Arteries], most: int, rule: SplitRule) -> dict[str, list[Arteries]]:
    """Return, by name, anatomies with halves of others; both people are trained on."""
    found: dict[str, list[Arteries]] = {arteries.name: [] for arteries in anatomies}
    if most:
        sides = rule.assign(found)
        people = [
            each
            for each in anatomies
            if isinstance(each, VesselMap) and sides[each.name].split == "training"
        ]
        for person, halves in zip(people, fitting_halves(people, most), strict=True):
            found[person.name] = [
                JoinedHalves(person, people[half.index], half.mirrored) for half in halves
            ]
    return found


@dataclass(frozen=True)
class SimulationRecipe:
    """One simulated volume of one anatomy, with its labels if asked for."""

    arteries: Arteries
    copy: int
    simulation: SimulationOptions
    label_scheme: str | None = None

    @property
    def name(self) -> str:
        """The anatomy's name."""
        return self.arteries.name

    def make(self) -> Volume:
        """Deform the anatomy if asked to, simulate and scale."""
        seed = case_seed(self.simulation.seed, self.name, self.copy)
        try:
            occupancy = self.arteries.occupancy
            labels = None if self.label_scheme is None else self.arteries.labels
            made_from = {"anatomy": self.arteries.provenance}
            limits = self.simulation.deformation
            if limits is not None:
                deformation = Deformation.draw(occupancy.shape, seed, limits)
                if labels is not None:
                    labels = deformation.apply_to_labels(labels, occupancy)
                occupancy = deformation.apply(occupancy)
                made_from["deformation"] = deformation.record
            tof = scale(simulate_tof(occupancy, DEFAULT_SPACING_MM, seed=seed), "robust")
        except CowganError as error:
            raise CowganError(f"The anatomy {self.name}: {error.sentence}", error.detail) from error
        tof = replace(tof, provenance={**tof.provenance, **made_from})
        if labels is None or self.label_scheme is None:
            return tof
        return LabelledVolume(**vars(tof), labels=labels, label_scheme=self.label_scheme)


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
    """Separate anatomies whose Circle of Willis is off the centre of the volume.

    Parameters
    ----------
    anatomies : sequence of VesselMap
        Their order is kept.
    largest_mm : float
        Largest distance along any axis; see `VesselMap.off_centre_mm`.
    jobs : int
        Number of processes.
    progress : Progress, optional
        Updated after every anatomy.

    Returns
    -------
    kept, dropped : list of VesselMap

    Raises
    ------
    Cancelled
        The user cancelled.
    """
    progress = progress or Silent()
    kept: list[VesselMap] = []
    dropped: list[VesselMap] = []
    offsets_mm = map_in_order(attrgetter("off_centre_mm"), anatomies, jobs)
    for anatomy, offset_mm in zip(anatomies, offsets_mm, strict=True):
        (kept if offset_mm <= largest_mm else dropped).append(anatomy)
        advance(progress, len(kept) + len(dropped), len(anatomies), anatomy.name)
    return kept, dropped
