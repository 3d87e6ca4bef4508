"""Comparison of segmentations of the same subjects: means, and paired differences of them.

What is compared is an arm: the predictions of one network, or an arm of an experiment, averaged
over its seeds. Everything here works on one value per subject.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean, median

from cowgan.errors import CowganError
from cowgan.estimates import Interval
from cowgan.evaluation.subject_differences import holm
from cowgan.segmentation.bootstrap import difference_p, mean_interval
from cowgan.segmentation.subject_values import MEAN, Quantity, SubjectValues

COMPARED = ("dice", "hd95_mm")
"""The metrics of the planned comparisons."""

MAIN = Quantity(MEAN, "dice")
"""What decides; the other quantities are secondary."""


@dataclass(frozen=True, eq=False)
class Arm:
    """Segmentations that are compared with others.

    Parameters
    ----------
    name : str
        Short name.
    values : mapping of Quantity to mapping of str to float
        Value of each quantity in each subject that has it; see
        `cowgan.segmentation.subject_values.values_by_subject` with `only_true`.
    missing : mapping of str to (int, int)
        Of each artery, the cases in which it is in the truth only, and in the prediction only;
        known of all arms or of none.
    """

    name: str
    values: SubjectValues
    missing: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class ArmMean:
    """A quantity in one arm.

    Parameters
    ----------
    arm, artery, metric : str
        What was measured.
    n : int
        Number of subjects.
    mean, median : float
        Over subjects.
    interval : Interval or None
        Of the mean; None for few subjects.
    """

    arm: str
    artery: str
    metric: str
    n: int
    mean: float
    median: float
    interval: Interval | None


@dataclass(frozen=True)
class ArmDifference:
    """How far a quantity differs between an arm and the reference, in the same subjects.

    Parameters
    ----------
    arm, reference, artery, metric : str
        What was compared.
    n : int
        Number of subjects that have the quantity in both.
    difference : float
        Mean of arm minus reference.
    interval : Interval or None
        Of the difference; None for few subjects.
    p : float or None
        Two-sided, by the paired bootstrap; None for few subjects.
    p_holm : float or None
        The same, corrected for the number of comparisons (Holm 1979): of the main quantity in all
        arms, or of all other quantities in all arms.
    within_margin : bool or None
        Whether the interval lies within the margin of equivalence; None without either.
    """

    arm: str
    reference: str
    artery: str
    metric: str
    n: int
    difference: float
    interval: Interval | None
    p: float | None
    p_holm: float | None
    within_margin: bool | None

    @property
    def quantity(self) -> Quantity:
        """What was compared."""
        return Quantity(self.artery, self.metric)


def arm_means(arms: Sequence[Arm], seed: int = 0) -> list[ArmMean]:
    """Return the mean of each quantity in each arm, without those that no subject has."""
    return [
        ArmMean(
            arm.name,
            *quantity,
            n=len(values),
            mean=fmean(values),
            median=median(values),
            interval=mean_interval(values, seed),
        )
        for arm in arms
        for quantity, subjects in arm.values.items()
        if (values := list(subjects.values()))
    ]


def compare_arms(
    arms: Sequence[Arm], margins: Mapping[str, float] | None = None, seed: int = 0
) -> list[ArmDifference]:
    """Compare every arm with the first, quantity by quantity.

    Parameters
    ----------
    arms : sequence of Arm
        The reference and at least one other.
    margins : mapping of str to float, optional
        Margin of equivalence of each metric that has one.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    list of ArmDifference
        By arm, then in the order of the reference's quantities; those that no subject has in both
        arms are left out.

    Raises
    ------
    CowganError
        There are fewer than two arms, or two of one name.
    """
    names = [arm.name for arm in arms]
    if len(names) < 2:
        raise CowganError("A comparison needs at least two predictions.")
    if twice := {name for name in names if names.count(name) > 1}:
        raise CowganError(f"Two predictions are called {min(twice)}; give each a name of its own.")
    reference, *others = arms
    found = [
        difference
        for arm in others
        for difference in _differences(arm, reference, margins or {}, seed)
    ]
    corrected: dict[int, float] = {}
    for main in (True, False):
        family = {
            place: one.p
            for place, one in enumerate(found)
            if one.p is not None and (one.quantity == MAIN) == main
        }
        corrected.update(zip(family, holm(list(family.values())), strict=True))
    return [replace(one, p_holm=corrected.get(place)) for place, one in enumerate(found)]


def _differences(
    arm: Arm, reference: Arm, margins: Mapping[str, float], seed: int
) -> Iterator[ArmDifference]:
    for quantity, of_reference in reference.values.items():
        of_arm = arm.values.get(quantity, {})
        pairs = [of_arm[name] - value for name, value in of_reference.items() if name in of_arm]
        if not pairs:
            continue
        interval, p = mean_interval(pairs, seed), difference_p(pairs, seed)
        margin = margins.get(quantity.metric)
        yield ArmDifference(
            arm.name,
            reference.name,
            *quantity,
            n=len(pairs),
            difference=fmean(pairs),
            interval=interval,
            p=None if p is None else p.p,
            p_holm=None,
            within_margin=(
                None
                if margin is None or interval is None
                else -margin < interval.low and interval.high < margin
            ),
        )


def quantities_of(arms: Sequence[Arm], metric: str) -> list[Quantity]:
    """Return the quantities of a metric that any subject has: the mean over arteries, then all."""
    found = [
        quantity
        for quantity in arms[0].values
        if quantity.metric == metric and any(arm.values.get(quantity) for arm in arms)
    ]
    return sorted(found, key=lambda quantity: quantity.artery != MEAN)
