"""Steps that a cooperative reader takes through a session."""

from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import State


def take_step(session: Session, answer: str = "G", level: int = 3, seen: float = 1.0) -> None:
    """Take the next step towards the end of a session."""
    match session.state:
        case State.INSTRUCTIONS:
            session.understood()
        case State.CONSENT:
            session.consent(True)
        case State.READY | State.FEEDBACK | State.BREAK:
            session.proceed()
        case State.LOADING:
            session.shown()
        case State.VIEWING if session.accepts("answer"):
            session.answer(answer)
        case State.VIEWING | State.CONFIDENCE:
            session.level(level)
        case State.RATED:
            session.commit(seen)
        case State.PAUSED:
            session.unpause()
        case State.COMMITTING | State.CLOSING:
            session.wait()


def go_to(session: Session, *states: State) -> Session:
    """Take steps until the session is in one of some states."""
    while session.state not in states:
        take_step(session)
    return session
