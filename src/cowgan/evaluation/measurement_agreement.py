"""LimitsOfAgreement of measurements with the truth of phantoms.

``python -m cowgan.evaluation.measurement_agreement --phantoms 50`` prints the tables of
docs/measurement.md.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer
from numpy.typing import ArrayLike

from cowgan.anatomy.arteries import Artery
from cowgan.measure import Measurements, measure_labels, measure_mask, vessel_mask
from cowgan.measure.mask import Method
from cowgan.progress import Progress, Silent, advance
from cowgan.simulate.phantom import PhantomTruth, make_phantom

_NORMAL_95 = 1.96


@dataclass(frozen=True)
class LimitsOfAgreement:
    """Bias and 95 % limits of agreement of a quantity (Bland and Altman 1986).

    Parameters
    ----------
    n : int
        Number of pairs.
    true_mean : float
        Mean of the true values.
    bias : float
        Mean of measured minus true.
    limits : tuple of float
        Bias minus and plus 1.96 standard deviations of the differences.
    """

    n: int
    true_mean: float
    bias: float
    limits: tuple[float, float]


@dataclass(frozen=True)
class AgreementReport:
    """LimitsOfAgreement of measurements with the truth of phantoms.

    Parameters
    ----------
    arteries : dict of Artery to dict of str to LimitsOfAgreement
        ``"length_mm"`` and ``"radius_mm"`` of each, from the label map.
    missed : dict of Artery to int
        Number of label maps in which an artery is present but not in the truth, or the reverse.
    labels, tof : dict of str to LimitsOfAgreement
        All arteries together: from the label map as one mask, and from the TOF volume alone;
        ``"volume_mm3"``, ``"length_mm"``, ``"radius_mm"``, and from TOF the ``"components"``
        and ``"loops"`` of the label map.
    dice : tuple of float
        Overlap of each vessel mask with its label map.
    """

    arteries: dict[Artery, dict[str, LimitsOfAgreement]]
    missed: dict[Artery, int]
    labels: dict[str, LimitsOfAgreement]
    tof: dict[str, LimitsOfAgreement]
    dice: tuple[float, ...]


def bland_altman(true: ArrayLike, measured: ArrayLike) -> LimitsOfAgreement:
    """Compare paired values, two or more of each."""
    known = np.asarray(true, dtype=np.float64)
    difference = np.asarray(measured, dtype=np.float64) - known
    bias, spread = float(difference.mean()), _NORMAL_95 * float(difference.std(ddof=1))
    return LimitsOfAgreement(len(known), float(known.mean()), bias, (bias - spread, bias + spread))


def measure_agreement(
    seeds: Iterable[int], method: Method = "hysteresis", progress: Progress | None = None
) -> AgreementReport:
    """Measure phantoms and compare with their truth.

    Parameters
    ----------
    seeds : iterable of int
        Seeds of two or more phantoms, with the variants they draw.
    method : {"hysteresis", "frangi", "sato"}
        How vessels are found in the TOF volumes.
    progress : Progress, optional
        Receives the number of phantoms done.
    """
    numbers, progress = list(seeds), progress or Silent()
    of_artery: defaultdict[Artery, _Pairs] = defaultdict(_Pairs)
    missed = dict.fromkeys(Artery, 0)
    of_labels, of_tof, dice = _Pairs(), _Pairs(), []
    for done, seed in enumerate(numbers):
        advance(progress, done, len(numbers))
        volume, labels, truth = make_phantom(seed)
        measured = measure_labels(labels, volume.spacing_mm)
        for artery, known in truth.arteries.items():
            found = measured.get(artery)
            if known.present and found is not None:
                of_artery[artery].add("length_mm", known.length_mm, found.length_mm)
                of_artery[artery].add("radius_mm", known.radius_mm, found.radius.mean_mm)
            elif known.present or found is not None:
                missed[artery] += 1
        whole = measure_mask(labels, volume.spacing_mm)
        mask = vessel_mask(volume, method)
        seen = measure_mask(mask, volume.spacing_mm)
        for pairs, one in ((of_labels, whole), (of_tof, seen)):
            pairs.add_all(truth, one)
        of_tof.add("components", whole.components, seen.components)
        of_tof.add("loops", whole.loops, seen.loops)
        arteries = labels > 0
        dice.append(2 * float((mask & arteries).sum()) / float(mask.sum() + arteries.sum()))
    advance(progress, len(numbers), len(numbers))
    return AgreementReport(
        {artery: of_artery[artery].compare() for artery in Artery if artery in of_artery},
        missed,
        of_labels.compare(),
        of_tof.compare(),
        tuple(dice),
    )


class _Pairs:
    """True and measured values by quantity."""

    def __init__(self) -> None:
        self._values: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)

    def add(self, quantity: str, true: float, measured: float) -> None:
        self._values[quantity].append((true, measured))

    def add_all(self, truth: PhantomTruth, measured: Measurements) -> None:
        arteries = truth.arteries.values()
        weighted = sum(artery.length_mm * artery.radius_mm for artery in arteries)
        self.add("volume_mm3", truth.volume_mm3, measured.volume_mm3)
        self.add("length_mm", truth.length_mm, measured.length_mm)
        self.add("radius_mm", weighted / truth.length_mm, measured.radius.mean_mm)

    def compare(self) -> dict[str, LimitsOfAgreement]:
        """Return the agreement of each quantity with at least two pairs."""
        return {
            quantity: bland_altman(*zip(*pairs, strict=True))
            for quantity, pairs in self._values.items()
            if len(pairs) > 1
        }


_NAMES = {
    "volume_mm3": ("volume, mm³", 0),
    "length_mm": ("length, mm", 1),
    "radius_mm": ("mean radius, mm", 3),
    "components": ("pieces", 2),
    "loops": ("loops", 2),
}
"""Title and decimals of each quantity in a table."""


def format_report(report: AgreementReport) -> str:
    """Return the tables as Markdown."""
    lines = ["| | quantity | n | true mean | bias | 95 % limits of agreement |", "|---" * 6 + "|"]
    rows = [
        (artery.abbreviation, quantity, agreement)
        for artery, agreements in report.arteries.items()
        for quantity, agreement in agreements.items()
    ]
    rows += [("all, labels", *item) for item in report.labels.items()]
    rows += [("all, TOF", *item) for item in report.tof.items()]
    for title, quantity, one in rows:
        name, digits = _NAMES[quantity]
        low, high = one.limits
        lines.append(
            f"| {title} | {name} | {one.n} | {one.true_mean:.{digits}f} | {one.bias:+.{digits}f} | "
            f"{low:+.{digits}f} to {high:+.{digits}f} |"
        )
    dice = np.array(report.dice)
    missed = [f"{artery.abbreviation} {n}" for artery, n in report.missed.items() if n]
    lines.append("")
    lines.append(
        f"Dice of the vessel mask of {len(dice)} TOF volumes: mean {dice.mean():.3f}, "
        f"standard deviation {dice.std(ddof=1):.3f}, least {dice.min():.3f}."
    )
    lines.append(f"Present in truth or labels only: {', '.join(missed) or 'none'}.")
    return "\n".join(lines)


def _main(
    phantoms: Annotated[int, typer.Option(help="How many, from seed 0 on.", min=2)] = 50,
    method: Annotated[str, typer.Option(help="hysteresis, frangi or sato.")] = "hysteresis",
) -> None:
    """Print the agreement of measurements with the truth of phantoms."""
    report = format_report(measure_agreement(range(phantoms), method))  # type: ignore[arg-type]
    typer.echo(report)  # noqa: TID251 - numbers only


if __name__ == "__main__":
    typer.run(_main)
