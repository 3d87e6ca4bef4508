"""The protocol of a study, fixed before reading starts."""

from dataclasses import asdict, dataclass, field
from typing import Any

from cowgan.errors import CowganError
from cowgan.randomness import MAX_SEED
from cowgan.turing.design.trials import Rules

MIN_CASES = 10
MAX_READERS = 99
LEAST_LEVELS = 256
"""With fewer grey levels, dither would be seen."""


@dataclass(frozen=True)
class Protocol:
    """Every choice of a study.

    Parameters
    ----------
    seed : int
        Decides, with the study's secret salt, which real volumes are taken, the seeds of
        generated ones and the order of each reader.
    readers : int
        Packages to make.
    cases : int
        Volumes that are read, half of them generated; in 2AFC, twice the pairs.
    repeats : int
        Trials that come a second time, for the agreement of a reader with himself.
    repeat_distance : int
        Fewest trials from one to the other.
    repeat_first : float
        A trial that will be repeated first comes within this share of all trials.
    block : int
        Trials in which both answers are right equally often.
    longest_run : int
        Most trials in a row with the same right answer.
    practice : int
        Further volumes, half of them generated, whose answer is revealed.
    impressions : int
        Further volumes, half of them generated, whose quality is asked for before the
        purpose is explained.
    psi : float
        Truncation of generated volumes.
    crop : tuple of int
        Voxels that are cut off at both ends of (z, x, y), of every volume alike.
    percentiles : tuple of float
        Percentiles of each volume that become black and white.
    grey_levels : int
        Steps from black to white, 256 to 65536.
    margin_auc : float
        Equivalence is claimed if the 90 % interval of the mean AUC lies within 0.5 plus or
        minus this.
    rules : Rules
        Of reading.

    Raises
    ------
    CowganError
        A value is not possible.
    """

    seed: int
    readers: int = 5
    cases: int = 100
    repeats: int = 10
    repeat_distance: int = 15
    repeat_first: float = 0.6
    block: int = 10
    longest_run: int = 4
    practice: int = 6
    impressions: int = 0
    psi: float = 1.0
    crop: tuple[int, int, int] = (0, 0, 0)
    percentiles: tuple[float, float] = (1.0, 99.8)
    grey_levels: int = 4096
    margin_auc: float = 0.14
    rules: Rules = field(default_factory=Rules)

    def __post_init__(self) -> None:
        # Both sides of a 2AFC trial must be right equally often.
        unit = 2 if self.rules.design == "rating" else 4
        if self.cases < MIN_CASES or self.cases % unit:
            raise CowganError(
                f"A study needs at least {MIN_CASES} cases, divisible by {unit}, not {self.cases}."
            )
        if not 1 <= self.readers <= MAX_READERS:
            raise CowganError(f"A study has 1 to {MAX_READERS} readers, not {self.readers}.")
        for name, number in (("practice", self.practice), ("impression", self.impressions)):
            if number < 0 or number % 2:
                raise CowganError(
                    f"Half of the {name} volumes are generated, so their number must be even, "
                    f"not {number}."
                )
        if self.repeats < 0 or self.repeats % 2 or self.repeats > self.reading_units // 2:
            raise CowganError(
                f"The number of repeats must be even and at most half of the {self.reading_units} "
                f"trials, not {self.repeats}."
            )
        if self.block < 2 or self.block % 2 or self.longest_run < 1 or self.repeat_distance < 1:
            raise CowganError(
                "Blocks need an even number of trials, and runs and distances at least 1."
            )
        if not 0 <= self.seed <= MAX_SEED:
            raise CowganError("The seed is a whole number from 0 to 2^64 - 1.")
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise CowganError("The two percentiles must rise within 0 to 100.")
        if not LEAST_LEVELS <= self.grey_levels <= 2**16:
            raise CowganError(
                f"There can be {LEAST_LEVELS} to 65536 grey levels, not {self.grey_levels}."
            )
        if min(self.crop) < 0:
            raise CowganError("The numbers of voxels to cut off must not be negative.")

    @property
    def reading_units(self) -> int:
        """Different trials of the reading: volumes, or pairs of them."""
        return self.cases if self.rules.design == "rating" else self.cases // 2

    @property
    def volumes_per_class(self) -> int:
        """Volumes that each class must supply."""
        return (self.cases + self.practice + self.impressions) // 2

    def to_dict(self) -> dict[str, Any]:
        """Return every value, as JSON."""
        content = asdict(self)
        return {**content, "crop": list(self.crop), "percentiles": list(self.percentiles)}


def default_repeats(cases: int, rules: Rules) -> int:
    """Return a tenth of the trials as an even number, and none if fewer than 40 are read."""
    trials = cases if rules.design == "rating" else cases // 2
    return trials // 20 * 2 if trials >= 40 else 0


def default_practice(cases: int, available: float) -> int:
    """Return 6 volumes, or what is left of so many per class once `cases` are read."""
    return int(max(0, min(6, 2 * (available - cases // 2))))
