"""Circle of Willis phantoms with ground truth."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.arteries import Artery
from cowgan.randomness import stream
from cowgan.simulate.circle import Centreline, draw_circle
from cowgan.simulate.disease import Disease, DiseasedArteries, Lesion, check_disease, diseased
from cowgan.simulate.parameters import TofParameters
from cowgan.simulate.rasterise import depth_mm, inside_view, rasterise
from cowgan.simulate.tof import simulate_tof
from cowgan.simulate.variants import COMPLETE, check_variants, draw_variants
from cowgan.volume import DEFAULT_SPACING_MM, Volume

SHAPE = (32, 128, 128)
"""Voxels of a phantom along (z, x, y): the region of interest of the paper."""


@dataclass(frozen=True)
class ArteryTruth:
    """Ground truth of one artery inside the field of view.

    Parameters
    ----------
    present : bool
        Whether any part of it is in the field of view.
    length_mm : float
        Length of its centreline, except parts inside a wider artery at a junction.
    radius_mm : float
        Mean radius along that centreline; 0 if absent.
    """

    present: bool
    length_mm: float
    radius_mm: float


@dataclass(frozen=True)
class PhantomTruth:
    """Ground truth of a phantom.

    Parameters
    ----------
    seed : int
        Seed of the phantom.
    variants : tuple of str
        Its anatomical variants; empty for a complete circle.
    arteries : dict of Artery to ArteryTruth
        All 13 classes.
    volume_mm3 : float
        Volume of all arteries, aneurysms included, inside the field of view.
    lesions : tuple of Lesion
        Its lesions; empty for healthy arteries.
    """

    seed: int
    variants: tuple[str, ...]
    arteries: dict[Artery, ArteryTruth]
    volume_mm3: float
    lesions: tuple[Lesion, ...] = ()

    @property
    def variant(self) -> str:
        """The variants as one text."""
        return ", ".join(self.variants) or COMPLETE

    @property
    def length_mm(self) -> float:
        """Length of all arteries."""
        return sum(artery.length_mm for artery in self.arteries.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the truth as JSON-ready values; arteries by abbreviation."""
        return {
            "seed": self.seed,
            "variant": self.variant,
            "volume_mm3": self.volume_mm3,
            "length_mm": self.length_mm,
            "arteries": {
                artery.abbreviation: {"label": int(artery), **asdict(truth)}
                for artery, truth in self.arteries.items()
            },
            "lesions": [asdict(lesion) for lesion in self.lesions],
        }


@dataclass(frozen=True, eq=False)
class Anatomy:
    """The arteries of a phantom.

    Parameters
    ----------
    occupancy : ndarray, shape (z, x, y), float32
        Share of each voxel that is artery.
    labels : ndarray, shape (z, x, y), uint8
        `Artery` values; 0 is background.
    truth : PhantomTruth
        Ground truth.
    aneurysms : ndarray, shape (z, x, y), bool
        Which voxels of the arteries are aneurysm.
    """

    occupancy: NDArray[np.float32]
    labels: NDArray[np.uint8]
    truth: PhantomTruth
    aneurysms: NDArray[np.bool_]


def make_phantom(
    seed: int,
    variant: str | Iterable[str] | None = None,
    params: TofParameters | None = None,
    disease: str | Iterable[Disease] = (),
) -> tuple[Volume, NDArray[np.uint8], PhantomTruth]:
    """Make a Circle of Willis phantom and its simulated TOF MRA.

    Parameters
    ----------
    seed : int
        Determines anatomy, tissue and noise.
    variant : str or iterable of str, optional
        Anatomical variants, see `cowgan.simulate.variants.FREQUENCIES`; "complete" for
        none. By default drawn with those frequencies.
    params : TofParameters, optional
        By default drawn with the seed.
    disease : str or iterable of Disease
        Lesions, see `cowgan.simulate.disease.check_disease`; none by default.

    Returns
    -------
    volume : Volume
        32 x 128 x 128 voxels, as `simulate_tof` gives them.
    labels : ndarray, shape (z, x, y), uint8
        On the same grid; TopCoW values, see `cowgan.anatomy.arteries.Artery`. An aneurysm has
        that of the artery that carries it.
    truth : PhantomTruth
        Presence, length and radius of each artery, and the lesions.

    Raises
    ------
    CowganError
        The variants are unknown or exclude each other, or a lesion is impossible.
    """
    anatomy = make_anatomy(seed, variant, disease)
    return simulated(anatomy, params), anatomy.labels, anatomy.truth


def simulated(anatomy: Anatomy, params: TofParameters | None = None) -> Volume:
    """Return the TOF MRA of a phantom, see `make_phantom`."""
    tof = simulate_tof(anatomy.occupancy, DEFAULT_SPACING_MM, params, anatomy.truth.seed)
    provenance = {**tof.provenance, "phantom": anatomy.truth.to_dict()}
    return Volume(tof.data, tof.affine, provenance)


def make_anatomy(
    seed: int,
    variant: str | Iterable[str] | None = None,
    disease: str | Iterable[Disease] = (),
) -> Anatomy:
    """Make only the arteries of `make_phantom`."""
    chosen = (
        draw_variants(stream("phantom variants", seed))
        if variant is None
        else check_variants(variant)
    )
    half_view = np.array(SHAPE) * DEFAULT_SPACING_MM / 2
    drawn = draw_circle(chosen, stream("phantom", seed))
    found = diseased(drawn, check_disease(disease), half_view, stream("phantom disease", seed))
    lines = _by_artery(found.lines)
    occupancy, labels = rasterise(
        _by_artery([*found.lines, *found.domes]), SHAPE, DEFAULT_SPACING_MM
    )
    arteries = {artery: _truth(artery, lines, half_view) for artery in Artery}
    volume = float(occupancy.sum(dtype=np.float64) * np.prod(DEFAULT_SPACING_MM))
    truth = PhantomTruth(seed, chosen, arteries, volume, found.lesions)
    return Anatomy(occupancy, labels, truth, _aneurysms(found, labels > 0))


def _by_artery(lines: Iterable[Centreline]) -> dict[Artery, list[Centreline]]:
    sorted_: dict[Artery, list[Centreline]] = {}
    for line in lines:
        sorted_.setdefault(line.artery, []).append(line)
    return sorted_


def _aneurysms(found: DiseasedArteries, arteries: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return what domes add to the arteries."""
    if not found.domes:
        return np.zeros(SHAPE, np.bool_)
    _, domes = rasterise(_by_artery(found.domes), SHAPE, DEFAULT_SPACING_MM)
    _, healthy = rasterise(_by_artery(found.lines), SHAPE, DEFAULT_SPACING_MM)
    added: NDArray[np.bool_] = arteries & (domes > 0) & (healthy == 0)
    return added


def _truth(
    artery: Artery, lines: dict[Artery, list[Centreline]], half_view_mm: NDArray[np.float64]
) -> ArteryTruth:
    others = [line for other, parts in lines.items() if other != artery for line in parts]
    length, weighted = 0.0, 0.0
    for line in lines.get(artery, []):
        siblings = [part for part in lines[artery] if part is not line]
        middles = (line.points_mm[1:] + line.points_mm[:-1]) / 2
        radius = (line.radius_mm[1:] + line.radius_mm[:-1]) / 2
        own = inside_view(middles, half_view_mm) & (depth_mm(others, middles) < radius)
        if siblings:
            # Of two branches of one artery that overlap, only one is counted.
            own &= depth_mm(siblings, middles) < radius
        steps = np.linalg.norm(np.diff(line.points_mm, axis=0), axis=1)[own]
        length += float(steps.sum())
        weighted += float((steps * radius[own]).sum())
    return ArteryTruth(length > 0, length, weighted / length if length else 0.0)
