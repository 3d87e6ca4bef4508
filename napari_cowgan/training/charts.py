"""Charts of the columns of a run's log, for each kind of run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cowgan.anatomy.label_colours import label_colours
from cowgan.anatomy.label_schemes import LABEL_SCHEMES
from cowgan.evaluation.measures import MEASURES, Measure
from cowgan.segmentation.validation import MEAN_DICE, dice_column
from napari_cowgan.training.runs import RunKind


@dataclass(frozen=True)
class Curve:
    """One column of the log."""

    column: str
    name: str
    colour: str | None = None
    """The colour of an artery; None for one of the theme."""


@dataclass(frozen=True)
class Chart:
    """Curves that share an axis."""

    title: str
    unit: str
    curves: Sequence[Curve]
    rising: bool = False
    """Whether curves end high, so that the legend is placed below them."""


def _held_out(measure: Measure) -> Chart:
    """Return the chart of a measure of `HoldoutMetrics` in `cowgan.training`."""
    key, unit = measure.key, measure.title.split(" (")[0]
    curves = Curve(key, "Generated"), Curve(f"{key}_of_reals", "Trained on")
    return Chart(f"{unit} (held-out)", unit, curves, rising=measure.reading != "low")


_SPEED = Chart("Speed", "Images per second", (Curve("images_per_s", "Images per second"),))
_OF_GENERATORS = {
    "losses": Chart(
        "Losses",
        "Loss",
        (Curve("discriminator", "Discriminator"), Curve("generator", "Generator")),
    ),
    "terms": Chart(
        "Other loss terms",
        "Loss term",
        (
            Curve("penalty", "Slope penalty"),
            Curve("path", "Path length"),
        ),
    ),
    "anatomy": Chart(
        "Anatomy",
        "Error",
        (
            Curve("anchor", "Of generated arteries"),
            Curve("paired", "Of reconstructed volumes"),
        ),
    ),
    **{measure.key: _held_out(measure) for measure in MEASURES},
    "balance": Chart(
        "Balance",
        "Share",
        (Curve("judged_real", "Reals judged real"), Curve("augment", "Augmentation")),
    ),
    "speed": _SPEED,
}


def _arteries() -> Sequence[Curve]:
    """Return the Dice of the labels of every scheme, of which a log has those of one."""
    named = {
        dice_column(scheme, value): Curve(dice_column(scheme, value), scheme.labels[value], colour)
        for scheme in LABEL_SCHEMES.values()
        for value, colour in label_colours(scheme).items()
    }
    return tuple(named.values())


_OF_SEGMENTATION = {
    "loss": Chart("Loss", "Loss", (Curve("loss", "Loss"),)),
    "dice": Chart("Mean Dice", "Dice", (Curve(MEAN_DICE, "Mean of arteries"),), True),
    "arteries": Chart("Dice by artery", "Dice", _arteries(), True),
    "rate": Chart("Learning rate", "Learning rate", (Curve("rate", "Learning rate"),)),
    "speed": _SPEED,
}

CHARTS: Mapping[RunKind, Mapping[str, Chart]] = {
    "generator": _OF_GENERATORS,
    "segmentation": _OF_SEGMENTATION,
}
"""The charts of each kind of run, by the names that are remembered."""
