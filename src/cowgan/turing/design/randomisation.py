"""The randomisation of a study, reproducible from its secret salt."""

from dataclasses import dataclass

import numpy as np

from cowgan.turing.design.protocol import Protocol
from cowgan.turing.design.trial_lists import plan_reader
from cowgan.turing.design.trials import Phase, Trial
from cowgan.turing.design.truth_key import Role, secret_stream


@dataclass(frozen=True)
class Randomisation:
    """Random choices that follow from salt and protocol.

    Parameters
    ----------
    salt : bytes
        Secret of the study.
    protocol : Protocol
        Design of the study, with its seed.
    """

    salt: bytes
    protocol: Protocol

    def roles(self) -> list[Role]:
        """Return the roles of the volumes that the sources supply, real ones first."""
        protocol = self.protocol
        count = protocol.volumes_per_class
        digits = len(str(2 * count))
        numbering = self._stream("roles").permutation(2 * count) + 1
        names = [f"C{number:0{digits}d}" for number in numbering]
        numbers: dict[Phase, int] = {
            "reading": protocol.cases,
            "practice": protocol.practice,
            "impression": protocol.impressions,
        }
        phases = [phase for phase, number in numbers.items() for _ in range(number // 2)]
        return [
            *(Role(names.pop(), "real", phase) for phase in phases),
            *(Role(names.pop(), "generated", phase) for phase in phases),
        ]

    def trials(self, reader: str) -> tuple[Trial, ...]:
        """Return the trials of a reader, with the names that cases have within the study."""
        return plan_reader(self.roles(), self.protocol, self._stream(f"order/{reader}"))

    def real(self) -> np.random.RandomState:
        """Return the generator that selects real volumes."""
        return self._stream("real")

    def generated(self) -> np.random.RandomState:
        """Return the generator of seeds of generated volumes, or that selects their files."""
        return self._stream("generated")

    def dither(self, role: Role) -> np.random.RandomState:
        """Return the generator of one volume's dither."""
        return self._stream(f"dither/{role.name}")

    def _stream(self, purpose: str) -> np.random.RandomState:
        return secret_stream(f"turing/{purpose}", self.salt, self.protocol.seed)
