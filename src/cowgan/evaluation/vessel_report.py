"""Measured vessels in the report of an evaluation."""

from collections.abc import Iterator, Sequence

from cowgan.evaluation.subject_differences import Summary
from cowgan.evaluation.vessel_figures import vessel_figures
from cowgan.evaluation.vessels import VesselDifference
from cowgan.features.store import FeatureBank
from cowgan.report.blocks import Block, Cell, Paragraph, Table
from cowgan.report.numbers import NOT_DEFINED, decimal, p_value


def vessel_blocks(
    differences: Sequence[VesselDifference], banks: Sequence[FeatureBank]
) -> Iterator[Block]:
    """Return the table and the figures of measured vessels.

    Parameters
    ----------
    differences : sequence of VesselDifference
        Of the generated volumes to real ones.
    banks : sequence of FeatureBank
        Vessel features of the generated volumes, the training side and the holdout, if any.
    """
    reference = banks[-1].title
    yield Paragraph(
        "Vessels are segmented and traced in all volumes in the same way. The distance is how far, "
        "on average, the distribution would have to be moved to become the real one (Wasserstein); "
        "the floor is the 95th percentile of that between real people, at the same number. p is by "
        "permutation of subjects, corrected for the number of quantities (Holm)."
    )
    yield Table(
        f"Mean and standard deviation of measured vessels: {banks[0].title}, and {reference}.",
        ("Quantity", "Generated", "Real", "Distance", "Floor", "p"),
        tuple(_row(one) for one in differences),
        (2.6, 1.5, 1.5, 0.9, 0.9, 0.9),
    )
    yield from vessel_figures(*banks)


def _row(one: VesselDifference) -> tuple[Cell, ...]:
    column, found = one.column, one.difference
    unit = f", {column.unit}" if column.unit else ""
    measured = (
        column.title + unit,
        _summary(one.generated, column.digits),
        _summary(one.real, column.digits),
    )
    if found is None:
        return (*measured, NOT_DEFINED, NOT_DEFINED, NOT_DEFINED)
    digits = column.digits + 1
    return (
        *measured,
        decimal(found.floor.generated_median, digits),
        decimal(found.floor.real_95, digits),
        p_value(one.p_holm),
    )


def _summary(of: Summary | None, digits: int) -> str:
    return NOT_DEFINED if of is None else f"{decimal(of.mean, digits)} ± {decimal(of.sd, digits)}"
