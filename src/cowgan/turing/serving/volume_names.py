"""Random names of volumes, so that no address tells which volume it is."""

import secrets
from collections.abc import Sequence

from cowgan.turing.design.trials import Trial

_BYTES = 16


class VolumeNames:
    """Names that last for one start of a page."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def of(self, trial: Trial | None) -> list[str]:
        """Return the names of a trial's volumes, in order."""
        return [self._name(case) for case in (trial.cases if trial else ())]

    def case(self, name: str, trials: Sequence[Trial | None]) -> str | None:
        """Return which volume of some trials a name means; None if it means none."""
        cases = [case for trial in trials if trial for case in trial.cases]
        return next((case for case in cases if self._names.get(case) == name), None)

    def _name(self, case: str) -> str:
        return self._names.setdefault(case, secrets.token_urlsafe(_BYTES))
