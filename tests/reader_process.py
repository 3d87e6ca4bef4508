"""A reader at work, in a process that a test can kill.

Run as ``python reader_process.py JOURNAL``: goes on with the journal and prints the number
of each trial as soon as its answer is on disk.
"""

import os
import sys
from pathlib import Path

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
    match session.state:
        case State.INSTRUCTIONS:
            session.understood()
        case State.CONSENT:
            session.consent(True)
        case State.READY | State.BREAK:
            session.proceed()
        case State.LOADING:
            session.shown()
        case State.VIEWING:
            session.interaction(slice=3)
            session.answer(answer_of(session.trial.number)[0])
        case State.CONFIDENCE:
            session.level(answer_of(session.trial.number)[1])
        case State.RATED:
            number = session.trial.number
            session.commit().result()
            os.write(1, b"%d\n" % number)
        case State.COMMITTING:
            session.wait()


if __name__ == "__main__":
    read(Path(sys.argv[1]))
