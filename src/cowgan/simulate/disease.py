"""Disease of phantoms: saccular aneurysms, stenoses and occlusions, with their truth."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.arteries import Artery
from cowgan.errors import CowganError
from cowgan.simulate.circle import PCOM_ORIGIN, Centreline, Points
from cowgan.simulate.rasterise import inside_view

Kind = Literal["aneurysm", "stenosis", "occlusion"]

_SIDES = ("R-", "L-")
SITES: dict[Kind, tuple[str, ...]] = {
    "aneurysm": (
        "ACom",
        "BA",
        *(side + name for side in _SIDES for name in ("ICA", "MCA", "PCom")),
    ),
    "stenosis": (
        "BA",
        *(side + name for side in _SIDES for name in ("ICA", "M1", "A1", "P1", "P2")),
    ),
    "occlusion": tuple(side + name for side in _SIDES for name in ("ICA", "M1", "A2", "P2")),
}
"""Where each kind may be. Aneurysms sit at the tip of the basilar artery, at the end of the ICA,
at the fork of the MCA, at the origin of the PCom, or on the ACom."""

_SIZES = {"aneurysm": (2.0, 12.0), "stenosis": (20.0, 95.0)}
_UNITS = {"aneurysm": "mm", "stenosis": "%"}
_DIAMETER_MM = (5.7, 3.6)
"""Mean and standard deviation of unruptured aneurysms: UCAS Japan, N Engl J Med 2012;366:2474."""

_NECK = (0.5, 0.8)
_NARROWING = (50.0, 90.0)
_NARROW_MM = (4.0, 10.0)
_DISTAL = {"M1": ("M2",)}
_TANGENT_POINTS = 20
_PATTERN = re.compile(r"(\w+) ([\w-]+)(?: (\d+(?:\.\d+)?) ?(mm|%)?)?")


@dataclass(frozen=True)
class Disease:
    """A lesion to be made.

    Parameters
    ----------
    kind : {"aneurysm", "stenosis", "occlusion"}
        What it is.
    site : str
        One of `SITES`.
    size : float, optional
        Diameter of an aneurysm in mm, or how much of its diameter a stenosis takes, in percent;
        drawn by default. An occlusion has none.
    """

    kind: Kind
    site: str
    size: float | None = None


@dataclass(frozen=True)
class Lesion:
    """Ground truth of a lesion.

    Parameters
    ----------
    kind : {"aneurysm", "stenosis", "occlusion"}
        What it is.
    site : str
        One of `SITES`.
    place_mm : tuple of float
        Centre of an aneurysm, narrowest place, or where the flow ends; along (z, x, y) from the
        centre of the volume, towards superior, left and anterior.
    size : float
        Diameter of an aneurysm in mm, or how much of the diameter is lost, in percent.
    extent_mm : float
        Width of an aneurysm's neck, length of a stenosis, or length of what is not filled.
    """

    kind: Kind
    site: str
    place_mm: tuple[float, float, float]
    size: float
    extent_mm: float


@dataclass(frozen=True, eq=False)
class DiseasedArteries:
    """Arteries with lesions.

    Parameters
    ----------
    lines : list of Centreline
        The arteries, narrowed and cut.
    domes : list of Centreline
        Aneurysms: a point with a radius, of the artery that carries it.
    lesions : tuple of Lesion
        The truth, in the order of the request.
    """

    lines: list[Centreline]
    domes: list[Centreline]
    lesions: tuple[Lesion, ...]


def check_disease(wanted: str | Iterable[Disease]) -> tuple[Disease, ...]:
    """Return the requested lesions.

    Parameters
    ----------
    wanted : str or iterable of Disease
        A text lists kind, site and perhaps size, separated by commas, such as ``"aneurysm ACom
        6 mm, stenosis L-M1 70 %, occlusion R-M1"``.

    Raises
    ------
    CowganError
        A lesion is unknown or impossible, or a site is named twice.
    """
    if isinstance(wanted, str):
        chosen = tuple(_parsed(one.strip()) for one in wanted.split(",") if one.strip())
    else:
        chosen = tuple(wanted)
    for one in chosen:
        if one.site not in SITES[one.kind]:
            known = ", ".join(SITES[one.kind])
            raise CowganError(f"There is no {one.kind} at {one.site!r}; choose among {known}.")
        _check_size(one)
    sites = [one.site for one in chosen]
    for site in sites:
        if sites.count(site) > 1:
            raise CowganError(f"Only one lesion is possible at {site}.")
    return chosen


def diseased(
    lines: Sequence[Centreline],
    wanted: Sequence[Disease],
    half_view_mm: NDArray[np.float64],
    random: np.random.RandomState,
) -> DiseasedArteries:
    """Return arteries with lesions.

    Parameters
    ----------
    lines : sequence of Centreline
        Healthy arteries.
    wanted : sequence of Disease
        Checked lesions.
    half_view_mm : ndarray, shape (3,)
        Half of the field of view, within which all lesions are.
    random : RandomState
        Draws what the request leaves open.

    Raises
    ------
    CowganError
        A site is absent from this circle, or a lesion would lie outside the field of view.
    """
    changed, domes, lesions = list(lines), [], []
    for one in wanted:
        if one.kind == "aneurysm":
            dome, lesion = _aneurysm(changed, one, random)
            if not inside_view(dome.points_mm, half_view_mm).all():
                raise CowganError(f"The {_text(one)} would lie outside the field of view.")
            domes.append(dome)
        elif one.kind == "stenosis":
            lesion = _narrow(changed, one, half_view_mm, random)
        else:
            lesion = _occlude(changed, one, half_view_mm, random)
        lesions.append(lesion)
    return DiseasedArteries(changed, domes, tuple(lesions))


def _parsed(text: str) -> Disease:
    match = _PATTERN.fullmatch(text)
    if match is None or match[1] not in get_args(Kind):
        raise CowganError(
            f"{text!r} is no lesion; write for example “aneurysm ACom 6 mm”, “stenosis L-M1 70 %” "
            "or “occlusion R-M1”."
        )
    kind: Kind = match[1]  # type: ignore[assignment]
    if match[4] is not None and match[4] != _UNITS.get(kind):
        raise CowganError(f"The size of {text!r} must be in {_UNITS.get(kind, 'no unit')}.")
    return Disease(kind, match[2], None if match[3] is None else float(match[3]))


def _check_size(one: Disease) -> None:
    if one.size is None:
        return
    if one.kind == "occlusion":
        raise CowganError(f"An occlusion has no size, but that at {one.site} has {one.size:g}.")
    low, high = _SIZES[one.kind]
    if not low <= one.size <= high:
        unit = _UNITS[one.kind]
        raise CowganError(
            f"The size of the {one.kind} at {one.site} must lie between {low:g} and {high:g} "
            f"{unit}, not {one.size:g}."
        )


def _text(one: Disease) -> str:
    return f"{one.kind} at {one.site}"


def _segment(lines: Sequence[Centreline], segment: str, one: Disease) -> int:
    """Return the index of the first line of a segment."""
    for index, line in enumerate(lines):
        if line.segment == segment:
            return index
    raise CowganError(f"This circle has no {segment}, so the {_text(one)} is impossible.")


def _aneurysm(
    lines: Sequence[Centreline], one: Disease, random: np.random.RandomState
) -> tuple[Centreline, Lesion]:
    diameter = one.size
    if diameter is None:
        mean, sd = _DIAMETER_MM
        spread = np.log1p((sd / mean) ** 2)
        drawn = mean * np.exp(np.sqrt(spread) * random.standard_normal() - spread / 2)
        diameter = float(np.clip(drawn, 3, _SIZES["aneurysm"][1]))
    radius, neck = diameter / 2, diameter * random.uniform(*_NECK)
    artery, base, wall, direction = _origin(lines, one)
    direction = direction + 0.2 * random.standard_normal(3)
    direction /= np.linalg.norm(direction)
    # The sphere cuts the wall of the artery in a circle as wide as the neck.
    centre = base + direction * (wall + np.sqrt(radius**2 - (neck / 2) ** 2))
    dome = Centreline(artery, centre[None], np.array([radius]), one.site)
    return dome, Lesion("aneurysm", one.site, _place(centre), diameter, neck)


def _origin(lines: Sequence[Centreline], one: Disease) -> tuple[Artery, Points, float, Points]:
    """Return the artery that carries an aneurysm, where, its radius, and the way out."""
    if one.site == "ACom":
        line = lines[_segment(lines, "ACom", one)]
        middle = len(line.points_mm) // 2
        along = line.points_mm[-1] - line.points_mm[0]
        along /= np.linalg.norm(along)
        up_front = np.array([0.6, 0.0, 0.8])
        way = up_front - (up_front @ along) * along
        return line.artery, line.points_mm[middle], float(line.radius_mm[middle]), way
    if one.site.endswith("PCom"):
        branch = lines[_segment(lines, one.site, one)]
        carotid = lines[_segment(lines, one.site.replace("PCom", "ICA"), one)]
        base = branch.points_mm[0]
        nearest = int(np.argmin(np.linalg.norm(carotid.points_mm - base, axis=1)))
        outwards = np.array([0.0, 0.8 if one.site.startswith("L") else -0.8, -0.3])
        way = _unit(branch.points_mm[_TANGENT_POINTS] - base) + outwards
        return carotid.artery, base, float(carotid.radius_mm[nearest]), way
    line = lines[_segment(lines, one.site.replace("MCA", "M1"), one)]
    # Straight on, where the blood of the parent artery strikes the wall.
    way = line.points_mm[-1] - line.points_mm[-_TANGENT_POINTS]
    return line.artery, line.points_mm[-1], float(line.radius_mm[-1]), _unit(way)


def _narrow(
    lines: list[Centreline],
    one: Disease,
    half_view_mm: NDArray[np.float64],
    random: np.random.RandomState,
) -> Lesion:
    percent = float(random.uniform(*_NARROWING)) if one.size is None else one.size
    index, at = _drawn_place(lines, one, half_view_mm, random)
    line = lines[index]
    length = float(random.uniform(*_NARROW_MM))
    along = np.cumsum(
        np.linalg.norm(np.diff(line.points_mm, axis=0, prepend=line.points_mm[:1]), axis=1)
    )
    away = np.clip(np.abs(along - along[at]) / (length / 2), 0, 1)
    share = percent / 100 * (1 + np.cos(np.pi * away)) / 2
    lines[index] = replace(line, radius_mm=line.radius_mm * (1 - share))
    return Lesion("stenosis", one.site, _place(line.points_mm[at]), percent, length)


def _occlude(
    lines: list[Centreline],
    one: Disease,
    half_view_mm: NDArray[np.float64],
    random: np.random.RandomState,
) -> Lesion:
    if one.site.endswith("ICA"):
        # The circle fills the end of the ICA, from the PCom on.
        index = _segment(lines, one.site, one)
        line = lines[index]
        at = int(PCOM_ORIGIN * len(line.points_mm))
        kept, lost = slice(at, None), line.points_mm[: at + 1]
    else:
        index, at = _drawn_place(lines, one, half_view_mm, random)
        line = lines[index]
        kept, lost = slice(at + 1), line.points_mm[at:]
    lines[index] = replace(line, points_mm=line.points_mm[kept], radius_mm=line.radius_mm[kept])
    gone = {one.site[:2] + name for name in _DISTAL.get(one.site[2:], ())}
    lines[:] = [other for other in lines if other.segment not in gone]
    length = float(np.linalg.norm(np.diff(lost, axis=0), axis=1).sum())
    return Lesion("occlusion", one.site, _place(line.points_mm[at]), 100.0, length)


def _drawn_place(
    lines: Sequence[Centreline],
    one: Disease,
    half_view_mm: NDArray[np.float64],
    random: np.random.RandomState,
) -> tuple[int, int]:
    """Draw a point of the middle half of what the view shows of a segment."""
    index = _segment(lines, one.site, one)
    seen = np.flatnonzero(inside_view(lines[index].points_mm, half_view_mm))
    if len(seen) < _TANGENT_POINTS:
        raise CowganError(f"The {_text(one)} would lie outside the field of view.")
    return index, int(seen[int(len(seen) * random.uniform(0.25, 0.75))])


def _unit(vector: Points) -> Points:
    length: Points = vector / np.linalg.norm(vector)
    return length


def _place(point: Points) -> tuple[float, float, float]:
    z, x, y = (float(value) for value in point)
    return z, x, y
