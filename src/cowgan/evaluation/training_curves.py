"""Measures over the steps of a training run, from its log."""

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cowgan.errors import CowganError
from cowgan.files import read_text
from cowgan.report.blocks import Drawing
from cowgan.report.drawing import GENERATED, REAL, draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOG_FILE = "log.csv"
_LARGEST_LOG = 2**28
_MEASURES = {
    "kernel_distance": "Kernel distance",
    "recall": "Recall",
    "coverage": "Coverage",
}


@dataclass(frozen=True)
class TrainingCurves:
    """How a run came nearer to held-out subjects.

    Parameters
    ----------
    title : str
        Name of the run.
    steps : tuple of int
        Steps at which it was measured.
    generated, real : dict of str to tuple of float
        Each measure at these steps, of generated volumes and of real training volumes.
    """

    title: str
    steps: tuple[int, ...]
    generated: dict[str, tuple[float, ...]]
    real: dict[str, tuple[float, ...]]

    @classmethod
    def of_run(cls, run: Path) -> "TrainingCurves":
        """Read the log of a run.

        Raises
        ------
        CowganError
            The folder holds no log, or the run was not measured against a holdout.
        """
        path = Path(run) / _LOG_FILE
        if not path.exists():
            raise CowganError(f"{run} holds no training run: {_LOG_FILE} is missing.")
        rows = list(csv.DictReader(read_text(path, _LARGEST_LOG).splitlines()))
        measured = [row for row in rows if row.get("kernel_distance")]
        try:
            steps = tuple(int(row["step"]) for row in measured)
            generated, real = (
                {name: tuple(float(row[name + end]) for row in measured) for name in _MEASURES}
                for end in ("", "_of_reals")
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CowganError(f"{path} is damaged.", repr(error)) from error
        if not steps:
            raise CowganError(f"{run} was not measured against held-out subjects.")
        return cls(Path(run).name, steps, generated, real)

    def drawing(self) -> Drawing:
        """Draw each measure over the steps."""

        def paint(figure: "Figure") -> None:
            for axes, (name, title) in zip(
                figure.subplots(1, len(_MEASURES)), _MEASURES.items(), strict=True
            ):
                axes.plot(self.steps, self.generated[name], color=GENERATED, label="generated")
                axes.plot(self.steps, self.real[name], "--", color=REAL, label="real")
                positive = min((*self.generated[name], *self.real[name]), default=math.nan) > 0
                if name == "kernel_distance" and positive:
                    axes.set_yscale("log")
                    axes.yaxis.set_major_formatter("{x:g}")
                axes.set(xlabel="step", title=title)
            figure.axes[0].legend()

        return draw(paint, 2.2)
