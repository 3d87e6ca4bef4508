"""A reader at work, in a process that a test can kill.

Run as ``python reader_process.py JOURNAL``: goes on with the journal and prints the number
of each trial as soon as its answer is on disk.
"""

import os
import sys
from pathlib import Path

from session_walker import take_step

from cowgan.turing.design.trials import Course, Rules, Trial
from cowgan.turing.reading.journal import Journal
from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import State

N_TRIALS = 4000
COURSE = Course(
    tuple(Trial(n, "reading", n // 10, (f"case{n}",)) for n in range(1, N_TRIALS + 1)),
    Rules(lapse_s=0),
)
HEADER = {"package": "of the kill test"}


def answer_of(trial: int) -> tuple[str, int]:
    return "RG"[trial % 2], trial % 5 + 1


def read(journal: Path) -> None:
    with Journal(journal, HEADER, copy=journal.with_name("copy.jsonl")) as opened:
        session = Session(COURSE, opened)
        while session.state is not State.FINISHED:
            step(session)


def step(session: Session) -> None:
    trial = session.trial
    match session.state:
        case State.VIEWING:
            session.interaction(slice=3)
            take_step(session, *answer_of(trial.number))
        case State.RATED:
            session.commit().result()
            os.write(1, b"%d\n" % trial.number)
        case _:
            take_step(session, *(answer_of(trial.number) if trial else ()))


if __name__ == "__main__":
    read(Path(sys.argv[1]))
