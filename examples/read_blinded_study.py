"""A visual Turing test from the model to the report, read by four simulated readers.

Usage: python read_blinded_study.py [FOLDER]

Phantoms stand in for real volumes, so the audit finds a leak, which is accepted with a reason.
One reader is always right, one guesses, one always answers "real", and one is always wrong.
"""

import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np

from cowgan.checkpoint import BUNDLED
from cowgan.simulate.phantom_export import export_phantoms
from cowgan.turing.analysis import analyse
from cowgan.turing.derivatives import write_derivatives
from cowgan.turing.design.protocol import Protocol
from cowgan.turing.design.sources import CheckpointSource, FolderSource
from cowgan.turing.reading.package import Package
from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import State
from cowgan.turing.report import write_report
from cowgan.turing.statistics import evidence_of_reader, verdict
from cowgan.turing.study.collection import collect
from cowgan.turing.study.creation import new_study

folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
protocol = Protocol(seed=1, readers=4, cases=20, repeats=4, repeat_distance=5, practice=2)

export_phantoms(range(protocol.volumes_per_class), folder / "real")
study = new_study(
    folder / "study",
    FolderSource(folder / "real"),
    CheckpointSource(BUNDLED, protocol.psi),
    protocol,
    accept_leak="Phantoms stand for real volumes in this example.",
)


def read(package: Package, decide: Callable[[str], str]) -> None:
    """Go through a reading session; `decide` maps the truth to an answer."""
    reader, random = package.manifest.reader, np.random.default_rng(7)
    # Every step takes four seconds.
    steps = count(1)
    with package.journal() as journal:
        session = Session(
            package.manifest.course, journal, clock_ns=lambda: next(steps) * 4 * 10**9
        )
        while session.state is not State.FINISHED:
            match session.state:
                case State.INSTRUCTIONS:
                    session.understood()
                case State.CONSENT:
                    session.consent(True)
                case State.LOADING:
                    session.shown()
                case State.VIEWING:
                    truth = study.key.case(reader, session.trial.cases[0]).truth
                    session.answer(decide(truth[0].upper()))
                    session.level(int(random.integers(1, 6)))
                case State.RATED:
                    if session.snapshot.answer == "G":
                        (case,) = session.trial.cases
                        volume = package.volume(case)
                        bright = np.argwhere(volume >= np.quantile(volume, 0.99))
                        voxel = tuple(random.choice(bright).tolist())
                        session.mark(voxel, ["Odd calibre or branching"], case)
                    session.commit(seen=1.0)
                    session.wait()
                case _:
                    session.proceed()


coin = np.random.default_rng(0)
habits: dict[str, Callable[[str], str]] = {
    "ideal": lambda truth: truth,
    "chance": lambda truth: str(coin.choice(["R", "G"])),
    "biased": lambda truth: "R",
    "reversed": lambda truth: "G" if truth == "R" else "R",
}
for reader, habit in zip(study.readers, habits.values(), strict=True):
    read(study.package(reader), habit)
collect(study, [study.package_folder(reader) for reader in study.readers])

analysis = analyse(study)
for result, name in zip(analysis.readers, habits, strict=True):
    scores = result.scores
    print(
        f"{result.reader}  {name:8}  AUC {scores.primary_95.estimate:.2f}, "
        f"d′ {scores.d_prime.estimate:+.2f}, criterion {scores.criterion.estimate:+.2f}"
    )
    alone = verdict(evidence_of_reader(analysis.readings[result.reader], protocol.margin_auc))
    print(" ", *alone.sentences)
for together in analysis.panel.verdicts:
    print("Together:", *together.sentences)
write_derivatives(analysis)
for path in write_report(analysis, folder / "report"):
    print(path)
