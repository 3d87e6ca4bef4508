"""Simulated people, who read packages by the same steps as the reading window."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from session_walker import take_step

from cowgan.turing.design.trials import Trial
from cowgan.turing.design.truth_key import Key, Truth
from cowgan.turing.reading.package import Package
from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import State
from cowgan.turing.study.study import Study

Decide = Callable[[Trial], tuple[str, int]]
"""Answer and confidence, or in the impression phase anything and the quality."""


def play(folder: Path, decide: Decide, trials: float = np.inf, consent: bool = True) -> str | None:
    """Read so many trials, or go on with reading, and return the finish code if there is one."""
    package = Package.open(folder)
    # Seconds pass with every look at the clock.
    passed = np.random.default_rng([*folder.name.encode()]).lognormal(1, 0.5, 20_000).cumsum()
    ticks = iter((passed * 1e9).astype(np.int64).tolist())
    places = np.random.default_rng([*folder.name.encode(), 1])
    with package.journal() as journal:
        session = Session(package.manifest.course, journal, clock_ns=lambda: next(ticks))
        done, answer, level = 0, "", 0
        while session.state not in (State.FINISHED, State.DECLINED) and done < trials:
            if session.state is State.CONSENT and not consent:
                session.consent(False)
                continue
            if session.state is State.VIEWING:
                answer, level = decide(session.trial)
            elif session.state is State.RATED:
                if session.accepts("mark") and session.snapshot.answer == "G":
                    voxel = places.integers(package.manifest.display.shape).tolist()
                    session.mark(tuple(voxel), ["noise"], session.trial.cases[0])
                done += 1
            take_step(session, answer, level)
            if session.state in (State.COMMITTING, State.CLOSING):
                session.wait()
        return session.finish_code


def truth_of(key: Key, reader: str, trial: Trial) -> Truth | str:
    """Return what is right: "R" or "G", in 2AFC the side of the generated volume."""
    truths = [key.case(reader, case).truth for case in trial.cases]
    if len(truths) == 2:
        return ("left", "right")[truths.index("generated")]
    return truths[0][0].upper()


def observer(study: Study, reader: str, d_prime: float, bias: float = 0, seed: int = 0) -> Decide:
    """Return a simulated reader with a given d-prime and bias towards "generated"."""
    random = np.random.default_rng([seed, int(reader[-2:])])
    first, second = study.protocol.rules.answers

    def decide(trial: Trial) -> tuple[str, int]:
        sign = 1 if truth_of(study.key, reader, trial) == second else -1
        seen = sign * d_prime / 2 + random.standard_normal() + bias
        level = 1 + int(np.digitize(abs(seen), (0.25, 0.6, 1.0, 1.5)))
        return (second if seen > 0 else first), level

    return decide


def read_all(study: Study, d_primes: Sequence[float], bias: float = 0, seed: int = 0) -> None:
    """Let every reader of a study read the package in the study's own folder."""
    for reader, d_prime in zip(study.readers, d_primes, strict=True):
        play(study.package_folder(reader), observer(study, reader, d_prime, bias, seed))
