"""A third party finds what a coordinator changes afterwards; one receipt suffices."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from turing_readers import observer, play, read_all
from turing_studies import freeze, protocol

from cowgan.canonical_json import canonical, sha256_of_content
from cowgan.errors import CowganError
from cowgan.turing.analysis import analyse
from cowgan.turing.blinding.audit import AUDIT_FILE
from cowgan.turing.derivatives import write_derivatives
from cowgan.turing.design.truth_key import Key, commitment
from cowgan.turing.reading.manifest import Manifest
from cowgan.turing.reading.package import JOURNAL_FILE, read_manifest, write_manifest
from cowgan.turing.reading.receipt import receipt_of, write_receipt
from cowgan.turing.reading.records import read_journal
from cowgan.turing.report import write_report
from cowgan.turing.study.collection import collect, journal_path, progress
from cowgan.turing.study.publication import collected_line, frozen_line
from cowgan.turing.study.study import DERIVATIVES, STUDY_FILE, Study
from cowgan.turing.study.unblinding import SUMMARY_FILE, UNBLINDED_FILE, collection_sha256
from cowgan.turing.verification import verify


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Return a folder with a finished study, its report, and a receipt of each reader."""
    study_root = tmp_path_factory.mktemp("made")
    study = freeze(study_root, protocol(readers=3, impressions=0))
    read_all(study, (2.5, 2.0, 2.5))
    collect(study, [study.package_folder(reader) for reader in study.readers])
    (study_root / "kept").mkdir()
    for reader in study.readers:
        records = read_journal(journal_path(study, reader))
        write_receipt(
            receipt_of(study.manifest(reader), records), study_root / "kept" / f"{reader}.json"
        )
    (study_root / "published").write_text(
        f"{frozen_line(study)}\n{collected_line(study, progress(study))}", encoding="utf-8"
    )
    analysis = analyse(study)
    write_derivatives(analysis)
    write_report(analysis, study.folder / DERIVATIVES / "report.html")
    return study_root


@pytest.fixture
def study_root(made, tmp_path) -> Path:
    return shutil.copytree(made, tmp_path / "all")


@pytest.fixture
def study(study_root) -> Path:
    return study_root / "study"


@pytest.fixture
def receipts(study_root) -> list[str]:
    return sorted(map(str, (study_root / "kept").iterdir()))


def published(study_root: Path) -> list[str]:
    return [
        line.split()[-1]
        for line in (study_root / "published").read_text(encoding="utf-8").splitlines()
    ]


def test_an_unchanged_study_passes_every_check(study_root, study, receipts):
    before = {p: p.read_bytes() for p in study.rglob("*") if p.is_file()}
    found = verify(study, receipts, published(study_root))
    assert found.faults == []
    assert found.remarks == []
    assert sum("receipt" in sentence for sentence in found.fits) == 3
    assert {p: p.read_bytes() for p in study.rglob("*") if p.is_file()} == before
    codes = [json.loads(Path(path).read_text(encoding="utf-8"))["finish_code"] for path in receipts]
    found = verify(study, [code.lower().replace("-", " ") for code in codes[:2]])
    assert found.faults == []
    uncovered, unpublished = found.remarks
    assert uncovered == "Not covered by a receipt or finish code: sub-R03."
    assert "whether the study was unblinded before" in unpublished
    assert "it cannot be checked" in verify(study, published=published(study_root)).remarks[0]


class Coordinator:
    """Rewrites a finished study so that the program itself finds nothing wrong with it."""

    def __init__(self, folder: Path) -> None:
        self.study = Study.open(folder)
        self.folder = folder

    def flip(self, pairs: int) -> None:
        """Exchange the truth of so many pairs of cases, and make everything fit again."""
        key = self.study.key
        reading = [case for case in key.cases if case.phase == "reading"]
        real = [case.name for case in reading if case.truth == "real"][:pairs]
        other = {"real": "generated", "generated": "real"}
        flipped = real + [case.name for case in reading if case.truth == "generated"][:pairs]
        cases = tuple(
            replace(case, truth=other[case.truth]) if case.name in flipped else case
            for case in key.cases
        )
        self.rewrite(replace(key, cases=cases), self.study.description)

    def rewrite(self, key: Key, description: dict[str, Any]) -> None:
        salt = (self.folder / "key" / "salt.bin").read_bytes()
        (self.folder / "key" / "key.json").write_bytes(key.to_bytes())
        committed = commitment(salt, key.to_bytes())
        manifests = {
            reader: replace(
                read_manifest(self.study.package_folder(reader)), key_commitment=committed
            )
            for reader in self.study.readers
        }
        packages = {reader: of.contents_sha256 for reader, of in manifests.items()}
        description = description | {"key_commitment": committed, "packages": packages}
        (self.folder / STUDY_FILE).write_text(json.dumps(description), encoding="utf-8")
        digest = sha256_of_content(description)
        for reader, manifest in manifests.items():
            final = replace(manifest, study_sha256=digest)
            write_manifest(self.study.package_folder(reader), final)
            self.rechain(reader, final)
        (self.folder / UNBLINDED_FILE).unlink()
        shutil.rmtree(self.folder / DERIVATIVES)
        self.analyse()

    def rechain(self, reader: str, manifest: Manifest, change=lambda content: None) -> None:
        path = journal_path(self.study, reader)
        lines, head = [], "0" * 64
        for record in read_journal(path):
            content = asdict(record) | {"prev": head}
            del content["sha256"]
            if record.seq == 0:
                content["data"]["package_sha256"] = manifest.sha256
            change(content)
            head = sha256_of_content(content)
            lines.append(canonical(content | {"sha256": head}) + b"\n")
        path.write_bytes(b"".join(lines))

    def analyse(self) -> float:
        analysis = analyse(Study.open(self.folder))
        write_derivatives(analysis)
        write_report(analysis, self.folder / DERIVATIVES / "report.html")
        return analysis.panel.primary.mean.estimate


def test_a_coordinator_who_rewrites_everything_is_caught_by_one_receipt(
    study_root, study, receipts
):
    honest = json.loads((study / SUMMARY_FILE).read_text(encoding="utf-8"))
    coordinator = Coordinator(study)
    coordinator.flip(5)
    rewritten = json.loads((study / SUMMARY_FILE).read_text(encoding="utf-8"))
    places = "panel", "primary", "mean", "estimate"
    aucs = []
    for summary in (honest, rewritten):
        for place in places:
            summary = summary[place]
        aucs.append(summary)
    assert aucs[0] > 0.85 > 0.65 > aucs[1], "the study now says something else"
    for path in receipts:
        (fault,) = [f for f in verify(study, [path]).faults if "receipt" in f]
        for what in ("frozen description", "commitment to the key", "package", "answers"):
            assert what in fault
    code = json.loads(Path(receipts[0]).read_text(encoding="utf-8"))["finish_code"]
    assert any(code in fault for fault in verify(study, [code]).faults)
    faults = verify(study, published=published(study_root)).faults
    assert sum("published hash" in fault for fault in faults) == 2
    # Even alone: the secret draws other roles than such a key says.
    assert any("not what its secret draws" in fault for fault in verify(study).faults)


def test_rewritten_answers_contradict_the_receipt_of_that_reader(study, receipts):
    coordinator = Coordinator(study)
    manifest = coordinator.study.manifest("sub-R02")

    def flip_answers(content: dict[str, Any]) -> None:
        if content["kind"] in ("answer", "commit"):
            other = {"R": "G", "G": "R"}
            content["data"]["answer"] = other[content["data"]["answer"]]

    coordinator.rechain("sub-R02", manifest, flip_answers)
    (study / UNBLINDED_FILE).unlink()
    shutil.rmtree(study / DERIVATIVES)
    coordinator.analyse()
    assert verify(study, [receipts[0]]).faults == []
    (fault,) = verify(study, [receipts[1]]).faults
    assert "the answers changed since" in fault


def change_field(folder: Path, name: str, **changes: object) -> None:
    path = folder / name
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8"
    )


def change_text(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "unblinding removed": (lambda f: (f / UNBLINDED_FILE).unlink(), "unblinded.json is missing"),
    "unblinding post-dated": (
        lambda f: change_field(f, UNBLINDED_FILE, utc=TOMORROW),
        "unblinded.json is not what it was",
    ),
    "unblinding with more answers": (
        lambda f: change_field(f, UNBLINDED_FILE, records={}),
        "unblinded.json is not what it was",
    ),
    "unblinding removed, with the summary": (
        lambda f: ((f / UNBLINDED_FILE).unlink(), (f / SUMMARY_FILE).unlink()),
        "unblinded.json is missing",
    ),
    "summary prettier": (
        change_text(SUMMARY_FILE, '"accepted_leak": null', '"accepted_leak": "none"'),
        "not what journals and key give, at accepted_leak",
    ),
    "trials prettier": (change_text(f"{DERIVATIVES}/trials.csv", ",R,", ",G,"), "trials.csv"),
    "trials gone": (lambda f: (f / DERIVATIVES / "trials.csv").unlink(), "trials.csv is missing"),
    "report prettier": (
        change_text(f"{DERIVATIVES}/report.html", "The mean AUC", "The AUC"),
        "report.html is not what",
    ),
    "report with a picture that speaks": (
        change_text(f"{DERIVATIVES}/report.html", "</svg>", "<text>AUC 0.50</text></svg>"),
        "holds what no picture of a report does",
    ),
    "audit prettier": (change_text(AUDIT_FILE, '"auc": 0.', '"auc": 0.0'), "was changed"),
    "freezing pre-dated": (
        change_text(STUDY_FILE, '"utc": "2', '"utc": "1'),
        "study.json is not what it was when the study was frozen",
    ),
    "another source": (
        change_text(STUDY_FILE, "real_scans", "real_scars"),
        "study.json is not what it was when the study was frozen",
    ),
    "a reason afterwards": (
        change_text(STUDY_FILE, '"accepted_leak": null', '"accepted_leak": "a pilot"'),
        "study.json is not what it was when the study was frozen",
    ),
    "a journal cut short": (
        lambda f: truncate(f / "returned" / "sub-R01" / JOURNAL_FILE),
        "not those that unblinded.json was written for",
    ),
    "a journal gone": (
        lambda f: shutil.rmtree(f / "returned" / "sub-R01"),
        "not those that unblinded.json was written for",
    ),
    "a package gone": (lambda f: shutil.rmtree(f / "packages" / "sub-R01"), "sub-R01"),
    "no key": (lambda f: shutil.rmtree(f / "key"), "key.json is missing"),
}


def truncate(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:20]))


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_named(study, change):
    spoil, said = CHANGES[change]
    spoil(study)
    faults = verify(study).faults
    assert any(said in fault for fault in faults), faults
    for fault in faults:
        assert "\n" not in fault


def test_analysis_needs_the_record_of_the_unblinding(study, single_sentence):
    (study / UNBLINDED_FILE).unlink()
    with pytest.raises(CowganError) as refusal:
        analyse(Study.open(study))
    assert "put it back" in single_sentence(refusal)
    assert not (study / UNBLINDED_FILE).exists()


def test_verify_accepts_the_hashes_published_at_freezing_and_collection(study_root, study):
    lines = (study_root / "published").read_text(encoding="utf-8").splitlines()
    opened = Study.open(study)
    assert lines[0].endswith(opened.sha256)
    assert lines[1].endswith(collection_sha256(opened))
    assert "3 of 3 readers finished" in lines[1]
    found = verify(study, published=[opened.sha256, "0" * 64])
    assert len(found.faults) == 1


def test_a_report_in_another_folder_is_compared(study, tmp_path):
    elsewhere = tmp_path / "as printed.html"
    text = (study / DERIVATIVES / "report.html").read_text(encoding="utf-8")
    elsewhere.write_text(text, encoding="utf-8")
    found = verify(study, report=elsewhere)
    assert found.faults == []
    assert "The text of as printed.html follows from journals and key." in found.fits
    elsewhere.write_text(text.replace("complete", "convincing", 1), encoding="utf-8")
    (fault,) = verify(study, report=elsewhere).faults
    assert "as printed.html is not what" in fault


def test_receipts_of_another_study_or_of_a_reader_without_answers_are_reported(
    study, receipts, tmp_path
):
    other = freeze(tmp_path / "other", protocol(readers=1, impressions=0))
    play(other.package_folder("sub-R01"), observer(other, "sub-R01", 1))
    records = read_journal(other.package_folder("sub-R01") / JOURNAL_FILE)
    write_receipt(receipt_of(other.manifest("sub-R01"), records), tmp_path / "foreign.json")
    (fault,) = verify(study, [str(tmp_path / "foreign.json")]).faults
    assert "another study" in fault
    shutil.rmtree(study / "returned" / "sub-R03")
    assert any("no finished reading" in fault for fault in verify(study, receipts[2:]).faults)
    (fault,) = [f for f in verify(study, ["gone.json"]).faults if "gone.json" in f]
    assert "neither a receipt that exists nor a finish code" in fault


def test_a_study_under_way_can_be_verified_and_stays_blinded(tmp_path):
    study = freeze(tmp_path, protocol(impressions=0))
    play(study.package_folder("sub-R01"), observer(study, "sub-R01", 1))
    collect(study, [study.package_folder("sub-R01")])
    found = verify(study.folder)
    assert found.faults == []
    assert "not unblinded" in found.remarks[-1]
    assert not (study.folder / UNBLINDED_FILE).exists()


@pytest.fixture
def stopped_freezing(tmp_path, monkeypatch) -> Iterator[Study]:
    """Return a study whose freezing was cut short when one of two packages was written."""
    study = freeze(tmp_path, protocol(impressions=0))
    manifest = study.manifest("sub-R02")
    write_manifest(study.package_folder("sub-R02"), replace(manifest, study_sha256=""))
    description = study.description | {"frozen": None}
    (study.folder / STUDY_FILE).write_text(json.dumps(description), encoding="utf-8")
    return Study.open(study.folder)


def test_interrupted_freezing_can_be_repeated(stopped_freezing):
    study = stopped_freezing.freeze()
    assert {study.manifest(reader).study_sha256 for reader in study.readers} == {study.sha256}
    everything = [*study.package_folder("sub-R01").rglob("*"), study.package_folder("sub-R01")]
    assert len({path.stat().st_mtime_ns for path in everything}) == 1
    assert verify(study.folder).faults == []


def test_a_package_is_not_read_before_its_study_is_frozen(stopped_freezing, single_sentence):
    with pytest.raises(CowganError) as refusal:
        stopped_freezing.package("sub-R02").journal()
    assert "not frozen" in single_sentence(refusal)


def test_the_audit_is_part_of_what_is_frozen(study):
    description = json.loads((study / STUDY_FILE).read_text(encoding="utf-8"))
    stored = json.loads((study / AUDIT_FILE).read_text(encoding="utf-8"))
    assert description["frozen"]["audit_sha256"] == sha256(canonical(stored)).hexdigest()
