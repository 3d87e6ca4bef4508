"""Page of text for each state of a reading."""

from cowgan.turing.reading.snapshot import State
from napari_cowgan.reading import texts
from napari_cowgan.reading.answer_files import AnswerFiles
from napari_cowgan.reading.controller import ReadingController


def session_page(
    reading: ReadingController, files: AnswerFiles, focus_lost: bool
) -> tuple[texts.Text | None, str]:
    """Return the page of a reading's state, and the code to show on it.

    Parameters
    ----------
    reading : ReadingController
        The reading.
    files : AnswerFiles
        Files saved after it.
    focus_lost : bool
        Whether the reader was in another window.

    Returns
    -------
    page : Text or None
        None if the image is shown.
    code : str
        Code in large letters; empty if there is none.
    """
    session, course, snapshot = reading.session, reading.course, reading.session.snapshot
    match session.state:
        case State.INSTRUCTIONS:
            return texts.instructions(course, snapshot.position), ""
        case State.CONSENT:
            return texts.consent(course, session.start_code), ""
        case State.DECLINED:
            return texts.DECLINED, ""
        case State.READY:
            return texts.ready(course, snapshot, reading.resumed), ""
        case State.BREAK:
            return texts.rest(course, snapshot), ""
        case State.PAUSED:
            return texts.pause(focus_lost), ""
        case State.FINISHED:
            return texts.finished(files.folder, files.message), session.finish_code or ""
    return None, ""
