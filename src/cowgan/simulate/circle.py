"""Random artery centrelines and radii of a Circle of Willis.

Points are (z, x, y) in mm from the centre of the volume, towards superior, left and
anterior; side is +1 for the left and -1 for the right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline, PchipInterpolator

from cowgan.anatomy.arteries import Artery

Points = NDArray[np.float64]

MEAN_RADIUS_MM = {
    "ICA": 2.0,
    "BA": 1.6,
    "M1": 1.4,
    "M2": 0.95,
    "A1": 1.2,
    "A2": 1.2,
    "P1": 1.05,
    "P2": 1.05,
    "PCom": 0.7,
    "ACom": 0.7,
}
"""Alastruey et al., J Biomech 2007;40:1794-1805; M2, which that model lacks, from the cube law for
two equal branches of M1."""

_RADIUS_SD = 0.12
_HYPOPLASTIC_MM = (0.3, 0.5)
_FETAL_PCOM_MM = (0.9, 1.15)
PCOM_ORIGIN = 0.86
"""Where the PCom leaves the ICA, as a share of the number of its points."""

_STEP_MM = 0.1
_PLACE_SD_MM = 0.9
_ANCHOR_SD_MM = 0.7
_SIZE_SD = 0.05
_TILT_SD_DEG = 3.0


@dataclass(frozen=True, eq=False)
class Centreline:
    """A centreline sampled every `_STEP_MM`, with radii.

    Parameters
    ----------
    artery : Artery
        Label class.
    points_mm : ndarray, shape (n, 3)
        Along (z, x, y), from the centre of the volume.
    radius_mm : ndarray, shape (n,)
        Inner radius.
    segment : str
        Part of the artery, such as ``"L-M1"``.
    """

    artery: Artery
    points_mm: Points
    radius_mm: NDArray[np.float64]
    segment: str


class _Drawing:
    """Builder of the centrelines of one circle, with random size and tilt."""

    def __init__(self, random: np.random.RandomState) -> None:
        self.lines: list[Centreline] = []
        self._random = random
        self._width = 1 + 0.05 * random.standard_normal()
        self._tortuosity = random.uniform(0.3, 1.3)
        size = 1 + _SIZE_SD * random.standard_normal(3)
        tilt = np.radians(_TILT_SD_DEG * random.standard_normal(3))
        self._frame = _rotation(tilt) @ np.diag(size)

    def anchor(self, z: float, x: float, y: float) -> Points:
        """Return a randomly displaced point at which arteries meet."""
        return np.array([z, x, y]) + _ANCHOR_SD_MM * self._draw(3)

    def radius(self, segment: str) -> float:
        """Draw a radius around the published mean."""
        return float(MEAN_RADIUS_MM[segment] * self._width * (1 + _RADIUS_SD * self._draw()))

    def hypoplastic(self) -> float:
        """Draw the radius of a hypoplastic artery."""
        return float(self._random.uniform(*_HYPOPLASTIC_MM))

    def fetal_pcom(self) -> float:
        """Draw the radius of a PCom that supplies the PCA."""
        return float(self._random.uniform(*_FETAL_PCOM_MM))

    def line(
        self,
        artery: Artery,
        segment: str,
        through: Sequence[Points | tuple[float, float, float]],
        radii: Sequence[float],
    ) -> Points:
        """Draw an artery through points and return its course before rotation.

        Tuples are approximate positions; arrays are met exactly. Radii are spread evenly along
        the course.
        """
        points = np.array(
            [
                point if isinstance(point, np.ndarray) else point + _PLACE_SD_MM * self._draw(3)
                for point in through
            ]
        )
        course = _resampled(points)
        course = course + self._meander(course)
        at = np.linspace(0, 1, len(course))
        radius = PchipInterpolator(np.linspace(0, 1, len(radii)), radii)(at)
        # Real vessels are not perfect tubes.
        radius = radius * (
            1 + 0.04 * np.sin(2 * np.pi * (at * len(course) * _STEP_MM / 7 + self._draw()))
        )
        self.lines.append(Centreline(artery, course @ self._frame.T, radius, segment))
        return course

    def _meander(self, course: Points) -> Points:
        """Return sinusoidal displacements that vanish at both ends."""
        n = len(course)
        length_mm = n * _STEP_MM
        along = np.arange(n) * _STEP_MM
        fade = np.clip(np.minimum(along, length_mm - along) / 5, 0, 1)[:, None]
        waves = np.zeros((n, 3))
        for wave_mm in (24, 13, 8):
            phase = 2 * np.pi * (along[:, None] / wave_mm + self._random.uniform(size=3))
            waves += 0.016 * wave_mm * self._draw(3) * np.sin(phase)
        return self._tortuosity * fade**2 * waves

    def _draw(self, *shape: int) -> NDArray[np.float64]:
        return np.clip(self._random.standard_normal(shape), -2.5, 2.5)


def draw_circle(variants: Sequence[str], random: np.random.RandomState) -> list[Centreline]:
    """Return the centrelines of one circle.

    Parameters
    ----------
    variants : sequence of str
        Names from `cowgan.simulate.variants.FREQUENCIES`.
    random : RandomState
        Source of all other variation.

    Returns
    -------
    list of Centreline
        Several may belong to one artery; they extend beyond the field of view.
    """
    drawing = _Drawing(random)
    tip = drawing.anchor(-0.5, 0, -3.5)
    basilar = drawing.radius("BA")
    drawing.line(
        Artery.BA,
        "BA",
        [(-24, 0, -9), (-14, 0, -8), (-7, 0, -6), tip],
        [1.05 * basilar, basilar, 0.95 * basilar],
    )
    junctions = [_side(drawing, side, tip, variants) for side in (-1, 1)]
    _anterior_communicating(drawing, junctions, variants)
    return drawing.lines


def _side(drawing: _Drawing, side: int, tip: Points, variants: Sequence[str]) -> Points:
    """Draw one half of the circle and return where its A1, A2 and the ACom meet."""
    letter = "L" if side > 0 else "R"
    ica, mca, pca, pcom, aca = (
        Artery[f"{letter}_{name}"] for name in ("ICA", "MCA", "PCA", "PCOM", "ACA")
    )
    top = drawing.anchor(1, 9.5 * side, 8)
    carotid = drawing.radius("ICA")
    siphon = drawing.line(
        ica,
        f"{letter}-ICA",
        [
            (-25, 11 * side, 3),
            (-15, 12 * side, 4),
            (-10.5, 13 * side, 10),
            (-8.5, 12.5 * side, 17),
            (-4.5, 12 * side, 20),
            (-1.5, 11 * side, 15),
            top,
        ],
        [1.2 * carotid, 1.15 * carotid, 1.1 * carotid, carotid],
    )
    fork = drawing.anchor(1, 26 * side, 10)
    middle, branch = drawing.radius("M1"), drawing.radius("M2")
    drawing.line(
        mca,
        f"{letter}-M1",
        [top, (2.5, 14 * side, 8.5), (2, 20 * side, 9), fork],
        [middle, 0.93 * middle],
    )
    for course in (
        [(4, 30 * side, 13), (8, 33 * side, 10), (13, 36 * side, 4)],
        [(-1, 30 * side, 8), (1, 34 * side, 2), (5, 38 * side, -6)],
    ):
        drawing.line(mca, f"{letter}-M2", [fork, *course], [branch, 0.8 * branch])

    meeting = drawing.anchor(3.5, 1.6 * side, 17)
    anterior, distal = drawing.radius("A1"), drawing.radius("A2")
    if f"absent {letter}-A1" not in variants:
        drawing.line(
            aca,
            f"{letter}-A1",
            [top, (3, 6 * side, 11), (2.5, 3 * side, 14.5), meeting],
            [anterior] * 2,
        )
    drawing.line(
        aca,
        f"{letter}-A2",
        [meeting, (5.5, 1.6 * side, 21), (8.5, 1.5 * side, 25), (14, 1.5 * side, 27)],
        [0.9 * distal, 0.85 * distal],
    )

    joint = drawing.anchor(0.3, 8 * side, -6.5)
    posterior, connecting = drawing.radius("P1"), drawing.radius("PCom")
    first = posterior
    if f"fetal {letter}-PCA" in variants:
        connecting, first = drawing.fetal_pcom(), drawing.hypoplastic()
    elif f"hypoplastic {letter}-PCom" in variants:
        connecting = drawing.hypoplastic()
    drawing.line(pca, f"{letter}-P1", [tip, (0.3, 3.5 * side, -3.2), joint], [first, first])
    drawing.line(
        pca,
        f"{letter}-P2",
        [
            joint,
            (1.5, 13 * side, -13),
            (3, 15.5 * side, -20),
            (4.5, 14.5 * side, -27),
            (6, 12 * side, -34),
            (7, 11 * side, -43),
        ],
        [posterior, 0.95 * posterior, 0.75 * posterior],
    )
    if f"absent {letter}-PCom" not in variants:
        start = siphon[int(PCOM_ORIGIN * len(siphon))]
        drawing.line(
            pcom,
            f"{letter}-PCom",
            [start, (-2, 9.3 * side, 5), (-1, 8.5 * side, -1), joint],
            [connecting, connecting],
        )
    return meeting


def _anterior_communicating(
    drawing: _Drawing, junctions: Sequence[Points], variants: Sequence[str]
) -> None:
    right, left = junctions
    if "absent ACom" in variants:
        return
    radius = drawing.radius("ACom")
    middle = (right + left) / 2
    bowed = middle + np.array([0.2, 0, 0.4])
    drawing.line(Artery.ACOM, "ACom", [right, bowed, left], [radius, radius])
    if "double ACom" in variants:
        apart = np.array([1.4, 0, 2.6])
        second = 0.8 * radius
        drawing.line(
            Artery.ACOM,
            "ACom",
            [right + apart, middle + 1.1 * apart, left + apart],
            [second, second],
        )
    if "third A2" in variants:
        distal = 0.75 * drawing.radius("A2")
        drawing.line(
            Artery.THIRD_A2,
            "3rd-A2",
            [bowed, (6, 0, 20), (9, 0, 23), (14, 0, 25)],
            [distal, 0.9 * distal],
        )


def _resampled(points: Points) -> Points:
    """Return a smooth curve through points, resampled at even steps."""
    # Centripetal parameters prevent loops between close points.
    knots = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1) ** 0.5)])
    fine = CubicSpline(knots, points)(np.linspace(0, knots[-1], 40 * len(points)))
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(fine, axis=0), axis=1))])
    steps = np.linspace(0, along[-1], max(round(along[-1] / _STEP_MM), 1) + 1)
    return np.column_stack([np.interp(steps, along, axis) for axis in fine.T])


def _rotation(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        one = np.eye(3)
        first, second = [i for i in range(3) if i != axis]
        one[first, first] = one[second, second] = np.cos(angle)
        one[first, second], one[second, first] = -np.sin(angle), np.sin(angle)
        turn = one @ turn
    return turn
