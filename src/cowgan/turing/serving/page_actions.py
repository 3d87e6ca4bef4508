"""Actions of a page as steps of the session, which decides whether they are possible."""

from cowgan.errors import CowganError
from cowgan.turing.reading.manifest import Display
from cowgan.turing.reading.marking import REASONS, Marking
from cowgan.turing.reading.session import Session
from cowgan.turing.reading.steps import NotNow
from cowgan.turing.serving import requests
from cowgan.turing.serving.requests import PageAction, details


def carry_out(session: Session, display: Display, action: PageAction) -> None:
    """Take the steps of an action.

    Raises
    ------
    NotNow
        It is not possible in this state.
    CowganError
        Its details do not fit.
    """
    match action.kind:
        case "understood" | "proceed" | "unpause" | "stop":
            details(action, requests.NoDetails)
            getattr(session, action.kind)()
        case "consent":
            session.consent(details(action, requests.ConsentDetails).given)
        case "shown":
            canvas_px = details(action, requests.ShownDetails).canvas_px
            session.shown()
            session.interaction(canvas_px=list(canvas_px))
        case "answer":
            Marking(session).answer(details(action, requests.AnswerDetails).answer)
        case "level":
            session.level(details(action, requests.LevelDetails).level)
        case "mark":
            _mark(session, display, details(action, requests.MarkDetails))
        case "undo_mark":
            details(action, requests.NoDetails)
            _with_marks(session, action).undo()
        case "toggle_reason":
            reason = details(action, requests.ReasonDetails).reason
            if reason not in REASONS:
                raise CowganError("There is no such reason.")
            _with_marks(session, action).toggle_reason(reason)
        case "commit":
            session.commit(details(action, requests.CommitDetails).seen)
        case "pause":
            session.pause(details(action, requests.PauseDetails).reason)
        case "viewed":
            details(action, requests.ViewedDetails)
            session.interaction(**action.data)
        case "focus":
            details(action, requests.FocusDetails)
            session.interaction(focus="lost")


def _mark(session: Session, display: Display, mark: requests.MarkDetails) -> None:
    marking, trial = Marking(session), session.trial
    if trial is None or not 0 <= mark.volume < len(trial.cases):
        raise CowganError("There is no such volume.")
    if not all(0 <= place < size for place, size in zip(mark.voxel, display.shape, strict=True)):
        raise CowganError("There is no such voxel.")
    if not marking.add(mark.voxel, trial.cases[mark.volume]):
        raise NotNow("mark", session.state)


def _with_marks(session: Session, action: PageAction) -> Marking:
    if not session.snapshot.marks or not session.accepts("unmark"):
        raise NotNow(action.kind, session.state)
    return Marking(session)
