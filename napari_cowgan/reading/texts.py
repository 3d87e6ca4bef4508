"""Texts of the reading window."""

from dataclasses import dataclass
from pathlib import Path

from cowgan.text import markup
from cowgan.turing.design.trials import ANSWERS as CODES
from cowgan.turing.design.trials import Course, Design, Trial
from cowgan.turing.reading.package import JOURNAL_FILE
from cowgan.turing.reading.snapshot import Snapshot
from napari_cowgan.reading.view import View

# Neutral: readers of first impressions must not learn the purpose yet.
WINDOW_TITLE = "Image reading"

ANSWERS: dict[Design, tuple[str, str]] = {
    "rating": ("Real", "Generated"),
    "2afc": ("Left", "Right"),
}
ANSWER_KEYS: dict[Design, tuple[str, str]] = {"rating": ("R", "G"), "2afc": ("←", "→")}
SIDES = ("Left", "Right")
CONFIDENCE = ("guess", "unsure", "fairly sure", "very sure", "certain")
QUALITY = ("poor", "fair", "good", "very good", "excellent")

HELP_TOOLTIP = "Keys and mouse, in the browser (F1)"

MOUSE = (
    ("Wheel, ↑ ↓", "slices"),
    ("Drag", "window, level"),
    ("Right drag", "zoom"),
    ("Shift + drag", "move"),
)
MOUSE_MIP = (
    ("Drag", "turn"),
    ("Ctrl + drag", "window, level"),
    ("Wheel", "zoom"),
    ("Shift + drag", "move"),
)

HINT = "No hurry: a guess is fine."
LOADING = "Loading…"
SAVING = "Saving…"

_SIDES_OF_PATIENT = (
    "Slices are axial and seen from below, as usual: the patient's right (R) is on the left of "
    "the image, the front (A) at the top. The letters stay on the image."
)
_HOW_TO_LOOK = (
    "Turn the wheel to go through the slices. Drag with the left button for brightness and "
    "contrast, with the right button to zoom, and with Shift held to move the image. <b>W</b> "
    "resets brightness and contrast."
)
_MIP = " <b>M</b> switches to the projection (MIP), which you can turn by dragging."
_REST = (
    "Take all the time you need; there is no clock. <b>P</b> hides the image while you rest. Each "
    "answer is saved at once: you can close the window at any time and continue later."
)
_PLACES = {
    "rating": "If you answer “Generated”, you may click up to three places that gave it away, "
    "and say why.",
    "2afc": "You may also click up to three places that gave the generated volume away, and say "
    "why.",
}


@dataclass(frozen=True)
class Text:
    """Content of a page.

    Parameters
    ----------
    title : str
        First line.
    body : tuple of str
        Paragraphs, HTML.
    go_on : str
        Label of the main button.
    other : str
        Label of the last button; empty for none.
    also : tuple of str
        Labels of buttons between them.
    note : str
        Small text at the end.
    deliberate : bool
        Whether Enter is ignored at first, in case it was pressed once too often.
    """

    title: str
    body: tuple[str, ...]
    go_on: str = "Continue"
    other: str = ""
    also: tuple[str, ...] = ()
    note: str = ""
    deliberate: bool = False


def instructions(course: Course, position: int) -> Text:
    """Return the instructions of a phase, which begins with the trial at `position`."""
    trial = course.trials[position]
    count = count_of_phase(course, trial)
    rules = course.rules
    looking = _HOW_TO_LOOK + (_MIP if rules.mip else "")
    if trial.phase == "impression":
        return Text(
            "How good are these images?",
            (
                (
                    f"You will see {_volumes(count)}: MR angiography (TOF) of the arteries at the "
                    "base of the brain. Please rate the quality of each from 1 (poor) to 5 "
                    "(excellent), as you would in your daily work."
                ),
                _SIDES_OF_PATIENT,
                looking,
                f"Press a number from <b>1</b> to <b>5</b>, then <b>Enter</b>. {_REST}",
            ),
        )
    if trial.phase == "practice":
        return Text(
            "First, some practice",
            (
                *_task(course),
                _SIDES_OF_PATIENT,
                looking,
                (
                    f"Practise on {_trials(course, count)}: you see the right answer after each, "
                    "and they do not count."
                ),
            ),
            "Start practice",
        )
    earlier = {other.phase for other in course.trials[:position]}
    if "practice" in earlier:
        body: tuple[str, ...] = (
            (
                f"Now the reading itself: {_trials(course, count)}. It works like the practice, "
                "except that you no longer see the right answer."
            ),
            _REST,
        )
        return Text("The reading begins", body, "Start reading")
    return Text(
        "The reading",
        (
            *_task(course),
            _SIDES_OF_PATIENT,
            looking,
            f"You will see {_trials(course, count)}. {_REST}",
        ),
    )


def consent(course: Course, start_code: str | None) -> Text:
    """Return the consent page."""
    later = (
        " The purpose is explained in full before the second part."
        if course.trials[0].phase == "impression"
        else ""
    )
    code = (
        f"Your start code is <b>{start_code}</b>. If you are asked for it, "
        "please report it before you continue. It proves later that you have read once."
    )
    return Text(
        "Taking part",
        (
            (
                "Taking part is voluntary. You can stop at any time by closing the window, without "
                f"giving a reason.{later}"
            ),
            (
                "Your answers, their times and what you do with the images are recorded under the "
                "code of this package, not under your name. They stay on this computer until you "
                "return the folder to whoever gave it to you; nothing is sent over the network."
            ),
            "The images are for research only, not for diagnosis.",
            *([code] if start_code else []),
        ),
        "I take part",
        "I do not take part",
        deliberate=True,
    )


DECLINED = Text(
    "Thank you anyway",
    ("You do not take part, and nothing more is recorded. You can close this window.",),
    "Close",
    note="If you change your mind, open the package again.",
)


def opening(done: int, total: int) -> Text:
    """Return the page shown while the volumes of a package are checked."""
    counted = f" {done} of {_volumes(total)}." if total else ""
    return Text("One moment", (f"The package is being checked.{counted}",), "")


SAVE_ZIP, SHOW_FOLDER, COPY_CODE, SAVE_RECEIPT = (
    "Save zip…",
    "Show folder",
    "Copy code",
    "Save receipt…",
)


def finished(folder: Path, saved: str = "") -> Text:
    """Return the page with the finish code, and a message on saved files."""
    return Text(
        "Finished. Thank you!",
        (
            (
                "Please return your answers to whoever gave you the package: <b>Save zip</b> "
                "stores them in one small file. The folder below, or its file "
                f"<b>{JOURNAL_FILE}</b>, holds them too."
            ),
            markup(str(folder)),
            (
                "Send this code too, and keep it, or a receipt, for yourself. Either lets "
                "anybody check later that the study and your answers were not changed."
            ),
        ),
        SAVE_ZIP,
        "Close",
        (SHOW_FOLDER, COPY_CODE, SAVE_RECEIPT),
        saved or "Code and folder are shown again whenever you open the package.",
        deliberate=True,
    )


def answers_saved(path: Path) -> str:
    """Return the message after the answers were saved."""
    return f"Your answers are saved as {path}. Please send this file, and the code above."


def choose(problem: str = "") -> Text:
    """Return the page that asks for a package, and why the last choice was refused."""
    return Text(
        "What would you like to read?",
        (
            (
                "Please choose the folder that you were given. If it came as a zip file, unpack "
                "that first."
            ),
        ),
        "Choose folder…",
        "Close",
        note=problem,
    )


def receipt_saved(path: Path) -> str:
    """Return the message after a receipt was saved."""
    return f"Your receipt is saved as {path}. Keep it; it holds none of your answers."


def ready(course: Course, snapshot: Snapshot, welcome_back: bool) -> Text:
    """Return the page between two trials."""
    trial = course.trials[snapshot.position]
    done = done_of_phase(course, trial)
    if snapshot.restarted:
        body = "It was interrupted before you had finished, so it is shown again from the start."
    elif welcome_back and done:
        body = f"Welcome back. Your {_saved(done)}."
    else:
        body = "Press <b>Enter</b> when you are ready."
    return Text(progress(course, trial), (body,), "Show")


def pause(focus_lost: bool) -> Text:
    """Return the page shown while the image is hidden."""
    body = "The image is hidden, and the time does not count. Your answers so far are saved."
    if focus_lost:
        body = "You were in another window, so the image is hidden and the time does not count."
    return Text("Paused", (body,), "Continue", "Stop for today")


def rest(course: Course, snapshot: Snapshot) -> Text:
    """Return the page of a break."""
    trial = course.trials[snapshot.position]
    done, count = done_of_phase(course, trial), count_of_phase(course, trial)
    return Text(
        "Time for a break",
        (
            (
                f"You have read {done} of {count}. Rest your eyes for a few minutes, "
                "then continue when you like."
            ),
            "You can also stop here and come back another day.",
        ),
        "Continue",
        "Stop for today",
        note="Everything is saved.",
    )


def disk_refuses(sentence: str, closing: bool) -> Text:
    """Return the page shown while answers cannot be written."""
    return Text(
        "Your last answers cannot be saved",
        (markup(sentence),),
        "Try again",
        "Close without them" if closing else "",
        note="Please leave this window open until it works: it keeps what you have answered.",
    )


def broken(sentence: str, begun: bool) -> Text:
    """Return the page shown when a reading cannot start or continue."""
    return Text(
        "This reading cannot continue" if begun else "This reading cannot be opened",
        (markup(sentence),),
        "Copy details",
        "Close",
        note="Please tell whoever gave you the package. Answers that you have given are saved.",
    )


def feedback(trial: Trial, design: Design, answer: str | None) -> str:
    """Return the feedback after a practice trial."""
    names = dict(zip(CODES[design], ANSWERS[design], strict=True))
    right = names[str(trial.expected)].lower()
    what = f"It is {right}" if design == "rating" else f"The {right} one is generated"
    return f"{'Correct' if answer == trial.expected else 'Not quite'}. {what}."


def caption(view: View, n_slices: int) -> str:
    """Return the caption of the image."""
    return "Projection (MIP)" if view.mip else f"Slice {view.slice + 1} of {n_slices}"


def question(design: Design, trial: Trial) -> str:
    """Return the question of a trial."""
    if trial.phase == "impression":
        return "How good is this image?"
    if design == "2afc":
        return "Which one is generated?"
    return "Real or generated?"


def progress(course: Course, trial: Trial) -> str:
    """Return the reader's progress within the phase."""
    names = {"impression": "Image", "practice": "Practice", "reading": "Case"}
    name = names[trial.phase]
    if trial.phase == "reading" and course.rules.design == "2afc":
        name = "Pair"
    return f"{name} {done_of_phase(course, trial) + 1} of {count_of_phase(course, trial)}"


def done_of_phase(course: Course, trial: Trial) -> int:
    """Return how many trials of the phase come before this one."""
    return sum(
        other.phase == trial.phase and other.number < trial.number for other in course.trials
    )


def count_of_phase(course: Course, trial: Trial) -> int:
    """Return how many trials the phase has."""
    return sum(other.phase == trial.phase for other in course.trials)


def _task(course: Course) -> tuple[str, str]:
    places = f" {_PLACES[course.rules.design]}" if course.rules.marks else ""
    if course.rules.design == "2afc":
        return (
            (
                "You will see pairs of MR angiographies (TOF) of the arteries at the base of the "
                "brain. In each pair, one is a scan of a person and one was generated by a "
                "computer program. Which one was generated?"
            ),
            (
                "Press <b>←</b> if it is the left one, <b>→</b> if it is the right one. Then say "
                f"how sure you are, from <b>1</b> (a guess) to <b>5</b> (certain), and press "
                f"<b>Enter</b>.{places}"
            ),
        )
    return (
        (
            "You will see MR angiographies (TOF) of the arteries at the base of the brain. Some "
            "are scans of people; between 30 and 70 % were generated by a computer program. Which "
            "is which?"
        ),
        (
            "Press <b>R</b> for real or <b>G</b> for generated. Then say how sure you are, from "
            f"<b>1</b> (a guess) to <b>5</b> (certain), and press <b>Enter</b>. Until then you can "
            f"change your answer.{places}"
        ),
    )


def _volumes(count: int) -> str:
    return "one volume" if count == 1 else f"{count} volumes"


def _trials(course: Course, count: int) -> str:
    thing = "pair" if course.rules.design == "2afc" else "case"
    return f"one {thing}" if count == 1 else f"{count} {thing}s"


def _saved(count: int) -> str:
    return "first answer is saved" if count == 1 else f"first {count} answers are saved"
