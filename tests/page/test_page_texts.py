"""The page asks readers the same, in the same words, as the reading window."""

import re

import pytest
from playwright.sync_api import Page

from cowgan.turing.design.trials import Course, Phase, Rules, Trial
from cowgan.turing.reading.snapshot import Snapshot
from napari_cowgan.reading import texts

COUNTS: dict[Phase, int] = {"impression": 2, "practice": 1, "reading": 3}


def course(design: str, *phases: Phase, **rules: object) -> Course:
    shown = [phase for phase in phases for _ in range(COUNTS[phase])]
    trials = tuple(
        Trial(number, phase, 0, (f"case{number}",), "R" if phase == "practice" else None)
        for number, phase in enumerate(shown, 1)
    )
    return Course(trials, Rules(design, **rules))


def constants(of: Course) -> dict[str, object]:
    """Return what the server tells a page of a course."""
    phases = dict.fromkeys(trial.phase for trial in of.trials)
    return {
        "design": of.rules.design,
        "answers": list(of.rules.answers),
        "mip": of.rules.mip,
        "marks": 3 if of.rules.marks else 0,
        "phases": [{"phase": phase, "trials": COUNTS[phase]} for phase in phases],
    }


def described(of: Course, position: int) -> dict[str, object]:
    trial = of.trials[position]
    return {
        "phase": trial.phase,
        "place": texts.done_of_phase(of, trial) + 1,
        "of": texts.count_of_phase(of, trial),
    }


def said(page: Page, function: str, *arguments: object) -> object:
    return page.evaluate(
        "async ([name, given]) => (await import('/texts.js'))[name](...given)",
        [function, list(arguments)],
    )


COURSES = {
    "rating": course("rating", "impression", "practice", "reading"),
    "without practice": course("rating", "reading"),
    "slices only": course("rating", "practice", "reading", mip=False, marks=False),
    "pairs": course("2afc", "practice", "reading"),
}


@pytest.mark.parametrize("of", COURSES.values(), ids=COURSES)
def test_instructions_progress_and_questions_are_those_of_the_window(modules, of):
    for position, trial in enumerate(of.trials):
        shown = described(of, position)
        theirs = texts.instructions(of, position)
        ours = said(modules, "instructions", constants(of), shown)
        assert (ours["title"], tuple(ours["body"]), ours["goOn"]) == (
            theirs.title,
            theirs.body,
            theirs.go_on,
        )
        assert said(modules, "progress", constants(of), shown) == texts.progress(of, trial)
        assert said(modules, "question", of.rules.design, shown) == texts.question(
            of.rules.design, trial
        )


def test_pages_between_trials_are_those_of_the_window(modules):
    of = COURSES["rating"]
    at_third = Snapshot(position=5)
    state = {"trial": described(of, 5), "restarted": False, "returned": True, "saved": 2}
    for changes, snapshot in (
        ({}, at_third),
        ({"restarted": True}, Snapshot(position=5, restarted=True)),
    ):
        ours = said(modules, "ready", constants(of), state | changes)
        theirs = texts.ready(of, snapshot, True)
        assert (ours["title"], tuple(ours["body"])) == (theirs.title, theirs.body)
    theirs = texts.rest(of, at_third)
    ours = said(modules, "rest", state["trial"])
    assert (ours["title"], tuple(ours["body"])) == (theirs.title, theirs.body)
    for lost in (False, True):
        assert tuple(said(modules, "pause", lost)["body"]) == texts.pause(lost).body


@pytest.mark.parametrize("answer", ["R", "G"])
def test_feedback_is_that_of_the_window(modules, answer):
    of = COURSES["rating"]
    trial = of.trials[2]
    told = {"expected": trial.expected, "correct": answer == trial.expected}
    assert said(modules, "feedback", constants(of), told) == texts.feedback(trial, "rating", answer)


def test_the_page_offers_the_window_s_words_for_answers_and_confidence(modules):
    ours = modules.evaluate(
        "async () => { const t = await import('/texts.js'); "
        "return [t.ANSWERS, t.CONFIDENCE, t.QUALITY, t.HINT]; }"
    )
    answers = {design: list(words) for design, words in texts.ANSWERS.items()}
    assert ours == [answers, list(texts.CONFIDENCE), list(texts.QUALITY), texts.HINT]


@pytest.mark.parametrize("of", COURSES.values(), ids=COURSES)
def test_whoever_touches_the_screen_is_not_told_of_clicks_and_keys(modules, of):
    for position in range(len(of.trials)):
        shown = described(of, position)
        texts_shown = said(modules, "instructions", constants(of), shown, True)["body"]
        assert not re.search(r"click|press|Enter|mouse|wheel", " ".join(texts_shown), re.I)
    assert said(modules, "marksSoFar", 0, 3, True) == "Tap the location, if you like."
