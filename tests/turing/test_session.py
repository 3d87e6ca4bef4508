"""The way through a reading, whatever the reader and the computer do."""

import os
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from session_walker import go_to, take_step

from cowgan.documents import checked
from cowgan.errors import CowganError
from cowgan.turing.codes import code_of
from cowgan.turing.design.trials import Course, Rules, Trial
from cowgan.turing.reading.journal import Journal
from cowgan.turing.reading.records import read_journal
from cowgan.turing.reading.session import Session, replay
from cowgan.turing.reading.snapshot import State
from cowgan.turing.reading.steps import NotNow

HEADER = {"package": "1a2b"}


def course(impressions: int = 0, practice: int = 2, readings: int = 6, **rules: object) -> Course:
    numbers = count(1)
    return Course(
        (
            *(Trial(next(numbers), "impression", 0, ("i",)) for _ in range(impressions)),
            *(Trial(next(numbers), "practice", 0, ("p",), "G") for _ in range(practice)),
            *(Trial(next(numbers), "reading", n // 2, (f"c{n}",)) for n in range(readings)),
        ),
        Rules(**rules),
    )


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def pass_s(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def start(tmp_path, clock):
    """Return a function that starts the program again, as after a crash."""
    opened: list[Journal] = []

    def begin(of: Course) -> Session:
        if opened:
            opened.pop().close()
        opened.append(Journal(tmp_path / "journal.jsonl", HEADER))
        return Session(of, opened[-1], clock_ns=clock)

    yield begin
    for journal in opened:
        journal.close()


def to_trial(session: Session) -> Session:
    return go_to(session, State.VIEWING)


def read_one(session: Session, answer: str = "R", level: int = 3, seen: float = 1.0) -> None:
    to_trial(session)
    if session.accepts("answer"):
        session.answer(answer)
    session.level(level)
    session.commit(seen)
    session.wait()


def commits(folder: Path) -> list[dict[str, object]]:
    return [r.data for r in read_journal(folder / "journal.jsonl") if r.kind == "commit"]


def test_a_complete_session_ends_with_a_finish_code(start, tmp_path):
    session = start(course())
    states = [session.state]
    while session.state is not State.FINISHED:
        take_step(session)
        states.append(session.state)
    assert states[:9] == [
        "instructions",
        "consent",
        "ready",
        "loading",
        "viewing",
        "confidence",
        "rated",
        "committing",
        "feedback",
    ]
    assert states.count(State.INSTRUCTIONS) == 2
    assert states.count(State.CONSENT) == 1
    assert states.count(State.FEEDBACK) == 2
    records = read_journal(tmp_path / "journal.jsonl")
    assert records[-1].kind == "finish"
    assert session.finish_code == code_of(records[-1].sha256)
    assert session.trial is None
    again = start(course())
    assert (again.state, again.finish_code) == (State.FINISHED, session.finish_code)
    assert read_journal(tmp_path / "journal.jsonl") == records


def test_the_record_of_an_answer_has_all_that_the_analysis_needs(start, clock, tmp_path):
    session = to_trial(start(course(practice=0)))
    clock.pass_s(3)
    session.answer("R")
    session.level(2)
    clock.pass_s(2)
    session.answer("G")
    assert session.state is State.CONFIDENCE, "another answer asks for the confidence again"
    session.level(4)
    session.mark((3, 40, 50), ["vessel ends"], "c0")
    session.pause("key")
    clock.pass_s(100)
    session.unpause()
    clock.pass_s(1)
    session.commit(seen=0.75)
    session.wait()
    (answer,) = commits(tmp_path)
    assert answer == {
        "phase": "reading",
        "block": 0,
        "cases": ["c0"],
        "answer": "G",
        "level": 4,
        "answer_ms": 5000,
        "active_ms": 6000,
        "total_ms": 106_000,
        "answers_given": 2,
        "levels_given": 2,
        "marks": [{"voxel": [3, 40, 50], "reasons": ["vessel ends"], "case": "c0"}],
        "seen": 0.75,
        "restarted": False,
        "exposure_ms": 0,
        "flags": [],
    }


def test_the_same_key_twice_changes_nothing(start):
    session = to_trial(start(course()))
    session.answer("R")
    session.level(2)
    session.answer("R")
    assert session.state is State.RATED
    assert session.snapshot.answers_given == 1


@pytest.mark.parametrize(
    ("seconds", "seen", "flagged"), [(1, 1, True), (9, 0.1, True), (9, 1, False)]
)
def test_fast_answers_are_flagged_but_not_refused(start, clock, tmp_path, seconds, seen, flagged):
    session = to_trial(start(course(practice=0)))
    clock.pass_s(seconds)
    read_one(session, seen=seen)
    assert commits(tmp_path)[0]["flags"] == (["lapse_suspected"] if flagged else [])


def test_an_interrupted_trial_is_shown_again_and_flagged(start, clock, tmp_path):
    session = start(course(practice=0))
    read_one(session)
    to_trial(session)
    clock.pass_s(4)
    session.answer("G")
    clock.pass_s(1)
    session.level(5)
    interrupted = session.trial
    clock.now_ns = 77  # the clock of a computer that was restarted
    session = start(course(practice=0))
    assert (session.state, session.trial) == (State.READY, interrupted)
    assert session.snapshot.answer is None
    to_trial(session)
    clock.pass_s(2)
    session = start(course(practice=0))
    to_trial(session)
    clock.pass_s(10)
    read_one(session)
    first, second = commits(tmp_path)
    assert (first["restarted"], first["exposure_ms"]) == (False, 0)
    assert (second["restarted"], second["exposure_ms"]) == (True, 5000)
    assert second["active_ms"] == 10_000
    shown = [r.data for r in read_journal(tmp_path / "journal.jsonl") if r.kind == "shown"]
    assert [data["restarted"] for data in shown] == [False, False, True, True]
    to_trial(session)
    assert not session.snapshot.restarted


def test_a_trial_that_was_never_shown_is_not_flagged(start):
    session = start(course(practice=0))
    session.understood()
    session.consent(True)
    session.proceed()
    session = start(course(practice=0))
    assert session.state is State.READY
    assert not session.snapshot.restarted


def test_breaks_come_at_the_border_of_a_block(start):
    session = start(course(practice=0, readings=8, break_trials=3))
    states = []
    for _ in range(7):
        read_one(session)
        states.append(session.state)
    # Blocks of two; three trials are reached within the second block.
    assert [state is State.BREAK for state in states] == [False, False, False, True, *[False] * 3]


def test_a_break_comes_after_some_minutes_too(start, clock):
    session = start(course(practice=0, break_minutes=15))
    read_one(session)
    clock.pass_s(16 * 60)
    read_one(session)
    assert session.state is State.BREAK
    session.proceed()
    read_one(session)
    read_one(session)
    assert session.state is State.READY


def test_impressions_ask_for_quality_before_the_purpose_is_revealed(start, tmp_path):
    session = start(course(impressions=2, practice=0, readings=2))
    to_trial(session)
    assert not session.accepts("answer")
    session.note("The left side looks odd")
    session.level(4)
    session.commit()
    session.wait()
    read_one(session)
    assert session.state is State.INSTRUCTIONS
    session.understood()
    assert session.state is State.READY, "consent is asked for once"
    assert commits(tmp_path)[0]["answer"] is None
    assert commits(tmp_path)[0]["level"] == 4


def test_practice_shows_the_right_answer_and_reading_does_not(start):
    session = start(course(practice=1))
    read_one(session)
    assert session.state is State.FEEDBACK
    assert session.trial.expected == "G"
    session.proceed()
    read_one(session)
    assert session.state is State.READY
    assert session.trial.expected is None


def test_a_reader_who_declines_sees_no_case(start):
    session = start(course())
    session.understood()
    session.consent(False)
    assert session.state is State.DECLINED
    assert not session.accepts("proceed")
    assert start(course()).state is State.INSTRUCTIONS


def test_impossible_steps_are_refused_and_not_recorded(start, tmp_path, single_sentence):
    session = start(course())
    for step in (session.proceed, session.shown, session.commit, session.unpause):
        with pytest.raises(NotNow) as refusal:
            step()
        single_sentence(refusal)
    to_trial(session)
    for step in (lambda: session.level(3), lambda: session.answer("X"), session.proceed):
        with pytest.raises(CowganError):
            step()
    session.answer("R")
    with pytest.raises(CowganError):
        session.level(6)
    session.level(2)
    session.commit()
    with pytest.raises(NotNow):
        session.answer("G")
    session.wait()
    kinds = [record.kind for record in read_journal(tmp_path / "journal.jsonl")]
    assert kinds == (
        [
            "journal",
            "start",
            "understood",
            "consent",
            "proceed",
            "shown",
            "answer",
            "level",
            "commit",
        ]
    )


def test_at_most_three_places_are_marked(start):
    session = to_trial(start(course()))
    session.answer("G")
    for z in range(3):
        session.mark((z, 0, 0), [], "p")
    assert not session.accepts("mark")
    session.unmark()
    assert session.accepts("mark")


def test_marks_can_be_disabled(start):
    session = to_trial(start(course(marks=False)))
    session.answer("G")
    assert not session.accepts("mark")


def test_the_next_case_waits_until_the_answer_is_on_disk(start, monkeypatch, tmp_path):
    import threading

    session = to_trial(start(course(practice=0)))
    session.answer("R")
    session.level(1)
    gate, sync = threading.Event(), os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (gate.wait(30), sync(descriptor)))
    future = session.commit()
    assert not session.settle()
    assert session.state is State.COMMITTING
    assert session.trial.number == 1
    gate.set()
    future.result(timeout=100)
    assert session.settle()
    assert (session.state, session.trial.number) == (State.READY, 2)


@pytest.mark.skipif(os.name == "nt", reason="uses limits of Unix")
def test_a_full_disk_holds_the_answer_and_the_next_case(start, tmp_path, single_sentence):
    import resource

    session = to_trial(start(course(practice=0)))
    session.answer("G")
    session.level(5)
    session.wait()
    size = (tmp_path / "journal.jsonl").stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, hard))
    try:
        session.commit()
        for _ in range(2):
            with pytest.raises(CowganError) as refusal:
                session.wait()
            assert "is full" in single_sentence(refusal)
            assert session.state is State.COMMITTING
        assert commits(tmp_path) == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    session.wait()
    assert (session.state, session.trial.number) == (State.READY, 2)
    assert [answer["answer"] for answer in commits(tmp_path)] == ["G"]


def test_a_mark_in_a_volume_that_is_not_shown_is_refused(start, single_sentence):
    session = to_trial(start(course(practice=0)))
    session.answer("G")
    session.level(5)
    before = session.snapshot
    with pytest.raises(CowganError) as refusal:
        session.mark((1, 2, 3), ["gut feeling"], "another")
    assert "not shown" in single_sentence(refusal)
    assert session.snapshot == before


def test_a_journal_of_another_course_is_refused(start, single_sentence):
    for _ in range(3):
        session = start(course(practice=0))
        read_one(session)
    with pytest.raises(CowganError) as refusal:
        start(course(practice=0, readings=2))
    assert "does not fit this package" in single_sentence(refusal)


class Reading(RuleBasedStateMachine):
    """A reader who presses anything, on a computer that fails at any time."""

    @initialize(
        impressions=st.integers(0, 2),
        practice=st.integers(0, 2),
        readings=st.integers(1, 5),
        break_trials=st.integers(1, 4),
    )
    def begin(self, impressions, practice, readings, break_trials):
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "journal.jsonl"
        self.course = course(impressions, practice, readings, break_trials=break_trials)
        self.clock = Clock()
        self.answers: dict[int, tuple[str | None, int]] = {}
        self.shown: set[int] = set()
        self.open()

    def open(self):
        self.journal = Journal(self.path, HEADER)
        self.session = Session(self.course, self.journal, clock_ns=self.clock)

    def teardown(self):
        if hasattr(self, "journal"):
            self.journal.close()
            self.folder.cleanup()

    def try_step(self, kind, step):
        possible = self.session.accepts(kind)
        before = self.session.snapshot
        try:
            step()
        except CowganError:
            assert not possible
            assert self.session.snapshot == before
        else:
            assert possible

    @rule(seconds=st.floats(0, 2000))
    def wait(self, seconds):
        self.clock.pass_s(seconds)

    @rule()
    def understood(self):
        self.try_step("understood", self.session.understood)

    @rule(given=st.sampled_from([True, True, True, False]))
    def consent(self, given):
        self.try_step("consent", lambda: self.session.consent(given))

    @rule()
    def proceed(self):
        self.try_step("proceed", self.session.proceed)

    @rule()
    def draw(self):
        possible = self.session.accepts("shown")
        self.try_step("shown", self.session.shown)
        if possible:
            number = self.session.trial.number
            assert self.session.snapshot.restarted == (number in self.shown)
            self.shown.add(number)

    @rule(answer=st.sampled_from(["R", "G"]))
    def answer(self, answer):
        self.try_step("answer", lambda: self.session.answer(answer))

    @rule(level=st.integers(1, 5))
    def level(self, level):
        self.try_step("level", lambda: self.session.level(level))

    @rule()
    def mark(self):
        case = self.session.trial.cases[0] if self.session.accepts("mark") else "c"
        self.try_step("mark", lambda: self.session.mark((1, 2, 3), ["gut feeling"], case))

    @rule()
    def pause(self):
        self.try_step("pause", lambda: self.session.pause("key"))

    @rule()
    def unpause(self):
        self.try_step("unpause", self.session.unpause)

    @rule()
    def interact(self):
        self.session.interaction(slice=4)

    @precondition(lambda self: self.session.accepts("commit"))
    @rule()
    def commit(self):
        trial, snapshot = self.session.trial, self.session.snapshot
        assert trial.number not in self.answers
        self.answers[trial.number] = snapshot.answer, snapshot.level
        self.session.commit()
        self.session.wait()

    @precondition(lambda self: self.session.state not in (State.FINISHED, State.DECLINED))
    @rule()
    def read_a_case(self):
        """Bring the machine forward, as random keys alone hardly do."""
        while self.session.state is not State.RATED:
            if self.session.state is State.FINISHED:
                return
            if self.session.state is State.LOADING:
                self.draw()
            else:
                take_step(self.session)
        self.commit()

    @rule()
    def crash(self):
        self.journal.close()
        self.open()
        assert self.session.state not in (State.PAUSED, State.RATED, State.VIEWING)

    @invariant()
    def replay_of_the_journal_gives_the_snapshot(self):
        if not hasattr(self, "session"):
            return
        self.session.wait()
        records = read_journal(self.path)[1:]
        assert replay(self.course, records) == self.session.snapshot

    @invariant()
    def every_answer_is_recorded_once(self):
        if not hasattr(self, "session"):
            return
        kept = [
            (record.trial, (record.data["answer"], record.data["level"]))
            for record in read_journal(self.path)
            if record.kind == "commit"
        ]
        assert kept == list(self.answers.items())
        assert list(self.answers) == list(range(1, len(kept) + 1))

    @invariant()
    def time_on_screen_is_not_negative(self):
        if hasattr(self, "session"):
            assert self.session.snapshot.on_screen_ns(self.clock.now_ns) >= 0


TestReading = Reading.TestCase
TestReading.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)


def test_rules_and_trials_survive_json():
    rules = Rules("2afc", marks=False)
    assert checked(rules.to_dict(), Rules, "They") == rules
    trial = Trial(3, "practice", 1, ("a", "b"), "left")
    assert checked({**vars(trial), "cases": ["a", "b"]}, Trial, "It") == trial
    with pytest.raises(CowganError):
        replace(rules, design="guess")
