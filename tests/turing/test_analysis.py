"""Analysis of complete studies, and reasons to refuse it."""

import csv
import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from turing_readers import Decide, observer, play, read_all, truth_of
from turing_studies import freeze, protocol

from cowgan.errors import CowganError
from cowgan.turing.analysis import Analysis, analyse
from cowgan.turing.derivatives import TRIAL_COLUMNS, imrmc, write_derivatives
from cowgan.turing.design.trials import Rules
from cowgan.turing.statistics import Answer, ReaderAnswers, ReaderPanel, auc, mean_auc
from cowgan.turing.study.collection import collect
from cowgan.turing.study.study import STUDY_FILE, Study
from cowgan.turing.study.unblinding import UNBLINDED_FILE, unblind


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Study:
    chosen = protocol(readers=4, cases=40, repeats=4, practice=2, impressions=2)
    return freeze(tmp_path_factory.mktemp("made"), chosen)


@pytest.fixture(scope="module")
def made_pairs(tmp_path_factory) -> Study:
    chosen = protocol(
        readers=3, cases=40, repeats=2, practice=0, impressions=0, rules=Rules("2afc")
    )
    return freeze(tmp_path_factory.mktemp("pairs"), chosen)


@pytest.fixture
def study(made, tmp_path) -> Study:
    return Study.open(shutil.copytree(made.folder, tmp_path / "study"))


@pytest.fixture
def pairs(made_pairs, tmp_path) -> Study:
    return Study.open(shutil.copytree(made_pairs.folder, tmp_path / "pairs"))


@pytest.fixture(scope="module")
def mixed(made, tmp_path_factory) -> Analysis:
    study = Study.open(shutil.copytree(made.folder, tmp_path_factory.mktemp("mixed") / "study"))
    read_all(study, (2.0, 1.0, 0.0, 0.5))
    return analysed(study)


def analysed(study: Study, **options: object) -> Analysis:
    journals = [study.package_folder(reader) / "journal.jsonl" for reader in study.readers]
    collect(study, [journal for journal in journals if journal.exists()])
    return analyse(study, **options)


def analysis_of(study: Study, habits: Sequence[Decide]) -> Analysis:
    for reader, habit in zip(study.readers, habits, strict=True):
        play(study.package_folder(reader), habit)
    return analysed(study)


def always(answer: str) -> Decide:
    return lambda trial: (answer, 3)


def informed(study: Study, reader: str, right: bool) -> Decide:
    def decide(trial):
        truth = truth_of(study.key, reader, trial)
        wrong = {"R": "G", "G": "R", "left": "right", "right": "left"}[truth]
        return (truth if right else wrong), 4

    return decide


def test_perfect_readers_distinguish(study):
    found = analysis_of(study, [informed(study, reader, True) for reader in study.readers])
    assert found.panel.verdicts[0].outcomes == ("distinguished",)
    assert found.panel.primary.mean.estimate == 1


def test_reversed_readers_are_reported_as_reversed(study):
    found = analysis_of(study, [informed(study, reader, False) for reader in study.readers])
    assert found.panel.verdicts[0].outcomes == ("reversed",)


def test_readers_who_always_answer_real_show_no_equivalence(study):
    found = analysis_of(study, [always("R")] * 4)
    (verdict,) = found.panel.verdicts
    assert "equivalent" not in verdict.outcomes
    assert verdict.one_sided == tuple(study.readers)
    assert found.panel.agreement.kappa is None
    assert found.panel.agreement.share.estimate == 1
    json.dumps(found.summary(), allow_nan=False)


def test_readers_at_chance_are_equivalent_or_inconclusive_as_their_interval_says(study):
    read_all(study, (0.0,) * 4)
    found = analysed(study)
    low, high = found.panel.primary.interval_90.low, found.panel.primary.interval_90.high
    inside = low > 0.36 and high < 0.64
    assert found.panel.verdicts[0].outcomes == (("equivalent",) if inside else ("inconclusive",))


def test_the_mean_is_that_of_readers_and_never_of_pooled_trials(mixed):
    answered = mixed.readings
    panel = ReaderPanel.of([answered[reader] for reader in mixed.panel.readers])
    assert mixed.panel.primary.mean == mean_auc(panel)
    pooled = ReaderAnswers(
        "all",
        tuple(
            Answer(f"{reader}/{answer.case}", answer.generated, answer.rating)
            for reader, reading in answered.items()
            for answer in reading.answers
        ),
    )
    narrow, wide = auc(pooled), mixed.panel.primary.interval_95
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    # Every p of the summary is of one reader's trials, or of readers over cases.
    numbers = [reader["scores"]["binomial"]["n"] for reader in mixed.summary()["readers"]]
    assert numbers == [40] * 4


def test_practice_repeats_and_impressions_stay_out_of_the_verdict(mixed):
    assert [reader.scores.counts.n for reader in mixed.readers] == [40] * 4
    assert [reader.scores.repeats.share.n for reader in mixed.readers] == [4] * 4
    phases = {trial.phase for trial in mixed.trials if trial.reader == "sub-R01"}
    assert phases == {"impression", "practice", "reading"}
    assert all(reader.impressions.n == 2 for reader in mixed.readers)
    assert all(reader.conduct.practice_done == 2 for reader in mixed.readers)


@pytest.mark.parametrize("complete", [1, 2])
def test_one_or_two_readers_do_not_generalise(study, complete):
    for reader in study.readers[:complete]:
        play(study.package_folder(reader), observer(study, reader, 2))
    found = analysed(study, early=True)
    assert found.panel.primary is None
    assert len(found.panel.verdicts) == complete
    for reader, verdict in zip(study.readers, found.panel.verdicts, strict=False):
        assert f"This is about reader {reader} alone" in verdict.sentences[-1]


def test_incomplete_readers_are_reported_and_excluded_from_the_verdict(study):
    read_all(study, (1.0, 1.0, 1.0, 1.0))
    # As if the last reader had stopped half-way.
    journal = study.package_folder("sub-R04") / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: len(lines) // 2]))
    found = analysed(study, early=True)
    last = found.readers[-1]
    assert found.panel.readers == ("sub-R01", "sub-R02", "sub-R03")
    assert not last.complete
    assert last.conduct.missing == last.conduct.planned - last.conduct.counted > 0
    assert last.scores.counts.n < 40
    assert found.panel.every_reader.mean.n == last.scores.counts.n


def test_unblinding_before_all_have_finished_needs_confirmation(study):
    play(study.package_folder("sub-R01"), observer(study, "sub-R01", 1))
    with pytest.raises(CowganError, match=r"sub-R02, sub-R03, sub-R04 have not finished"):
        analysed(study)
    assert not (study.folder / UNBLINDED_FILE).exists()


def test_answers_after_unblinding_are_flagged_and_excluded(study):
    for reader in study.readers[:3]:
        play(study.package_folder(reader), observer(study, reader, 1))
    play(study.package_folder("sub-R04"), observer(study, "sub-R04", 1), trials=20)
    first = analysed(study, by="Dr Kaya", early=True)
    stored = json.loads((study.folder / UNBLINDED_FILE).read_text(encoding="utf-8"))
    assert (stored["by"], stored["utc"]) == ("Dr Kaya", first.unblinding.utc)
    counted = first.readers[3].conduct.counted
    play(study.package_folder("sub-R04"), observer(study, "sub-R04", 1))
    second = analysed(study)
    conduct = second.readers[3].conduct
    assert second.unblinding == first.unblinding
    assert conduct.counted == counted
    assert conduct.late == conduct.planned - counted
    assert second.readings["sub-R04"] == first.readings["sub-R04"]
    assert not second.readers[3].complete
    # Dated before but arrived after: counted, and reported.
    later = datetime.now(UTC) + timedelta(hours=1)
    (study.folder / UNBLINDED_FILE).write_text(
        json.dumps(stored | {"utc": later.isoformat()}), encoding="utf-8"
    )
    third = analysed(study).readers[3]
    assert third.complete
    assert third.conduct.arrived_after == conduct.late


def test_a_changed_key_protocol_volume_or_journal_stops_the_analysis(study):
    read_all(study, (1.0,) * 4)
    analysed(study)
    for name, change in {
        "key/key.json": lambda text: text.replace(b'"generated"', b'"real"', 1),
        STUDY_FILE: lambda text: text.replace(b'"margin_auc": 0.14', b'"margin_auc": 0.3'),
        "returned/sub-R02/journal.jsonl": lambda text: text.replace(b'"level":1', b'"level":5'),
    }.items():
        path = study.folder / name
        before = path.read_bytes()
        path.write_bytes(change(before))
        assert path.read_bytes() != before
        with pytest.raises(CowganError):
            analyse(Study.open(study.folder))
        path.write_bytes(before)
    volume = next(iter((study.package_folder("sub-R03") / "vol").iterdir()))
    content = bytearray(volume.read_bytes())
    content[-1] ^= 1
    volume.write_bytes(content)
    with pytest.raises(CowganError, match="was changed after the package was made"):
        analyse(study)


def test_pairs_are_scored_by_the_share_of_right_answers(pairs):
    found = analysis_of(pairs, [informed(pairs, reader, True) for reader in pairs.readers])
    assert found.panel.verdicts[0].outcomes == ("distinguished",)
    assert "mean share of right answers" in found.panel.verdicts[0].sentences[0]
    # Sides differ between readers, and still they agree on what is generated.
    sides = {
        reader: {answer.case: answer.generated for answer in found.readings[reader].answers}
        for reader in pairs.readers
    }
    assert sides["sub-R01"] != sides["sub-R02"]
    assert found.panel.agreement.share.estimate == 1
    assert {case.truth for case in found.cases} == {"pair"}


def test_always_choosing_one_side_is_chance_but_no_equivalence(pairs):
    found = analysis_of(pairs, [always("left")] * 3)
    (verdict,) = found.panel.verdicts
    assert found.panel.primary.mean.estimate == pytest.approx(0.5)
    assert verdict.one_sided == tuple(pairs.readers)
    assert "answered “left” in 100 %" in " ".join(verdict.sentences)


def rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(table, delimiter=delimiter))


def test_the_tables_contain_all_data_of_the_analysis(mixed):
    write_derivatives(mixed)
    folder = mixed.study.folder / "derivatives"
    trials = rows(folder / "trials.csv")
    assert list(trials[0]) == list(TRIAL_COLUMNS)
    assert len(trials) == len(mixed.trials)
    for reader, reading in mixed.readings.items():
        own = [r for r in trials if r["reader"] == reader and r["primary"] == "1"]
        again = tuple(
            Answer(r["case"], r["truth"] == "G", int(r["rating"]), float(r["answer_s"]))
            for r in own
        )
        assert ReaderAnswers(reader, again).answers == reading.answers
        assert auc(ReaderAnswers(reader, again)) == auc(reading)
        beh = rows(folder / reader / "beh" / f"{reader}_task-vtt_beh.tsv", "\t")
        assert len(beh) == sum(trial.reader == reader for trial in mixed.trials)
        assert "" not in beh[0].values()
        columns = json.loads(
            (folder / reader / "beh" / f"{reader}_task-vtt_beh.json").read_text(encoding="utf-8")
        )
        assert list(columns) == list(beh[0])
        events = rows(folder / reader / "beh" / f"{reader}_task-vtt_events.tsv", "\t")
        onsets = [float(event["onset"]) for event in events]
        assert list(events[0])[:2] == ["onset", "duration"]
        assert onsets == sorted(onsets)
    readers = rows(folder / "readers.csv")
    assert float(readers[0]["primary"]) == mixed.readers[0].scores.primary_95.estimate
    assert len(rows(folder / "cases.csv")) == 40
    assert len(rows(folder / "checklist.csv")) == 24
    assert json.loads((folder / "summary.json").read_text(encoding="utf-8")) == json.loads(
        json.dumps(mixed.summary())
    )


def r_has_lme4() -> bool:
    try:
        return (
            subprocess.run(["Rscript", "-e", "library(lme4)"], capture_output=True).returncode == 0
        )
    except OSError:
        return False


@pytest.mark.skipif(not r_has_lme4(), reason="needs R with lme4")
def test_the_mixed_models_of_the_script_agree_with_the_analysis(mixed):
    write_derivatives(mixed)
    folder = mixed.study.folder / "derivatives"
    run = subprocess.run(
        ["Rscript", "analysis.R"], cwd=folder, capture_output=True, encoding="utf-8", check=True
    )
    assert "Not fitted" not in run.stdout
    found = re.search(r"d' (\S+), c (\S+); means of readers\.csv: d' (\S+), c (\S+)", run.stdout)
    of_model, c_of_model, of_readers, c_of_readers = map(float, found.groups())
    ours = np.mean([reader.scores.d_prime.estimate for reader in mixed.readers])
    assert of_readers == pytest.approx(ours, abs=0.006)
    assert of_model == pytest.approx(of_readers, abs=0.25)
    assert c_of_model == pytest.approx(c_of_readers, abs=0.1)


def test_the_imrmc_file_gives_the_same_areas(mixed):
    head = imrmc(mixed).split("BEGIN DATA:\n")[0]
    sizes = dict(line.split(": ") for line in head.splitlines()[1:])
    assert sizes == {"N0": "20", "N1": "20", "NR": "4", "NM": "1"}
    assert_areas_of_imrmc(mixed)


def test_the_imrmc_file_of_pairs_gives_the_shares_of_right_answers(pairs):
    for number, reader in enumerate(pairs.readers):
        play(pairs.package_folder(reader), observer(pairs, reader, 0.5 * number))
    assert_areas_of_imrmc(analysed(pairs))


def assert_areas_of_imrmc(found: Analysis) -> None:
    data = imrmc(found).split("BEGIN DATA:\n")[1]
    lines = [line.split(",") for line in data.splitlines()]
    assert {len(line) for line in lines} == {4}
    assert " " not in data
    truth = {case: int(value) for reader, case, _, value in lines if reader == "-1"}
    assert len(truth) == found.study.protocol.reading_units
    for reader, expected in found.panel.primary.mean.of_reader.items():
        scores = {case: int(score) for who, case, _, score in lines if who == reader}
        ours = np.array([scores[case] for case in truth if truth[case]])
        theirs = np.array([scores[case] for case in truth if not truth[case]])
        above = np.sign(ours[:, None] - theirs).mean() / 2 + 0.5
        assert above == pytest.approx(expected)


def test_unblinding_needs_no_user_name(study, monkeypatch):
    def without_name() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr("cowgan.turing.study.unblinding.getpass.getuser", without_name)
    assert unblind(study, early=True).by.startswith("account ")


@pytest.mark.parametrize(
    "content",
    [b"", b"[" * 500, b'{"utc": 5}', b'{"utc": "now", "by": "", "records": {}}', b"[]"],
    ids=lambda content: content[:12],
)
def test_a_damaged_unblinding_is_reported_in_one_sentence(study, content, single_sentence):
    (study.folder / UNBLINDED_FILE).write_bytes(content)
    with pytest.raises(CowganError) as refusal:
        analyse(study)
    assert f"{UNBLINDED_FILE} is damaged" in single_sentence(refusal)


@pytest.mark.parametrize(
    "change",
    [
        {"frozen": {"utc": "yesterday", "accepted_leak": None, "audit_sha256": ""}},
        {"frozen": True},
        {"created": 5},
        {"packages": []},
        {"protocol": {"seed": 1}},
        {"sources": {"real": None, "generated": None}},
        {"software": json.loads("[" * 300 + "]" * 300)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_damaged_study_is_reported_in_one_sentence(study, change, single_sentence):
    (study.folder / STUDY_FILE).write_text(json.dumps(study.description | change), encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        Study.open(study.folder)
    assert f"{STUDY_FILE} is damaged" in single_sentence(refusal)
