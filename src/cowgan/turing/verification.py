"""Checking a finished study as a third party: from what readers kept to the report."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import isclose
from pathlib import Path
from typing import Any

from cowgan._version import __version__
from cowgan.documents import LARGEST_BYTES, parse_json, read_json
from cowgan.errors import CowganError
from cowgan.files import read_bytes
from cowgan.progress import Progress, Silent, advance
from cowgan.report.html import html_of
from cowgan.turing.analysis import Analysis, analysed, check_package
from cowgan.turing.codes import parse_code
from cowgan.turing.derivatives import derivatives_of
from cowgan.turing.design.randomisation import Randomisation
from cowgan.turing.design.sources import draw_seeds
from cowgan.turing.design.truth_key import read_salt
from cowgan.turing.reading.receipt import Receipt, read_receipt, receipt_of
from cowgan.turing.reading.records import Record
from cowgan.turing.report import report_of
from cowgan.turing.report.page_comparison import compare_pages
from cowgan.turing.study.collection import collected_records
from cowgan.turing.study.study import DERIVATIVES, Study
from cowgan.turing.study.unblinding import (
    SUMMARY_FILE,
    UNBLINDED_FILE,
    Unblinding,
    collection_sha256,
    read_unblinding,
)
from cowgan.turing.timestamps import moment

_TOLERANCE = 1e-6
"""Relative difference of numbers that other versions of libraries may make."""

_NOT_COMPARED = ("checklist.csv", "analysis.R")
"""Of the tables: what authors complete, and what holds no result."""

_HEAD_CHARACTERS = 20_000
"""Style and title of a report stand within these."""

_WHAT = {
    "study_sha256": "the frozen description (protocol, sources, audit, accepted leak, packages)",
    "key_commitment": "the commitment to the key",
    "package_sha256": "the package",
    "start_code": "the start code",
    "begun": "the time of the start",
    "finished": "the time of the end",
    "answers": "the number of answers",
    "journal_sha256": "the answers",
}
"""Meaning of each hash of a receipt, the widest first."""


@dataclass
class Verification:
    """Results of a verification.

    Parameters
    ----------
    fits : list of str
        Sentences on what was checked and is in order.
    faults : list of str
        Sentences on what does not fit.
    remarks : list of str
        Sentences on what could not be checked.
    study_sha256, collection_sha256 : str or None
        To be compared with what was published.
    """

    fits: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    study_sha256: str | None = None
    collection_sha256: str | None = None

    @contextmanager
    def _checking(self, fits: str) -> Iterator[None]:
        """Note a sentence if all goes well, and otherwise what went wrong."""
        before = len(self.faults)
        try:
            yield
        except CowganError as error:
            self.faults.append(error.sentence)
        if fits and len(self.faults) == before:
            self.fits.append(fits)


def verify(
    folder: Path,
    kept: Sequence[str] = (),
    published: Sequence[str] = (),
    report: Path | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Check a study from what its readers kept to its report; nothing is written.

    Parameters
    ----------
    folder : Path
        The coordinator's, with the key.
    kept : sequence of str
        Receipts (paths), or finish codes.
    published : sequence of str
        Hashes that were published when the study was frozen or its answers were there.
    report : Path, optional
        HTML; by default the one among the study's results.
    progress : Progress, optional
        Called after each reader.

    Raises
    ------
    Cancelled
        The user cancelled.
    """
    found, progress = Verification(), progress or Silent()
    try:
        study = Study.open(folder)
        study.require_frozen()
    except CowganError as error:
        found.faults.append(error.sentence)
        return found
    found.study_sha256 = study.sha256
    found.fits.append("The key fits its commitment, and the protocol the key.")
    with found._checking("The audit is the one that the study was frozen with."):
        _check_freezing(study)
    with found._checking("Roles, seeds and orders are those that the secret draws."):
        _check_draw(study)
    records: dict[str, list[Record]] = {}
    advance(progress, 0, len(study.readers))
    for done, reader in enumerate(study.readers, 1):
        with found._checking(f"The package of {reader} is whole, and as the key says."):
            check_package(study, reader)
        with found._checking(""):
            records[reader] = collected_records(study, reader)
        advance(progress, done, len(study.readers), reader)
    read = [reader for reader, of in records.items() if of]
    if len(records) == len(study.readers):
        found.fits.append(f"The journals of {_listed(read) or 'nobody'} are whole.")
        found.collection_sha256 = collection_sha256(study)
    _compare_kept(found, study, records, kept)
    _check_result(found, study, report or study.folder / DERIVATIVES / "report.html")
    _compare_published(found, study, published)
    return found


def _check_freezing(study: Study) -> None:
    leaks, accepted = study.audit.leaks, study.accepted_leak
    if bool(leaks) != bool(accepted):
        raise CowganError(
            "The audit found leaks, but the study does not say why it was frozen all the same."
            if leaks
            else "The study accepts a leak that its audit did not find."
        )
    created, frozen = study.description["created"], study.description["frozen"]["utc"]
    if moment(frozen) < moment(created):
        raise CowganError("The study was frozen before it was made, by its own dates.")


def _check_draw(study: Study) -> None:
    """Draw everything again from the salt."""
    key, protocol = study.key, study.protocol
    randomisation = Randomisation(read_salt(study.folder), protocol)
    drawn = [(role.name, role.truth, role.phase) for role in randomisation.roles()]
    if [(case.name, case.truth, case.phase) for case in key.cases] != drawn:
        raise CowganError(
            "Which volumes are real and which generated, in the key, is not what its secret draws."
        )
    generated = [case.origin for case in key.cases if case.truth == "generated"]
    if "checkpoint_sha256" in study.description["sources"]["generated"]:
        seeds = draw_seeds(len(generated), randomisation.generated())
        if [origin.get("seed") for origin in generated] != seeds:
            raise CowganError("The seeds of generated volumes are not those that its secret draws.")
    for reader in study.readers:
        names = key.readers[reader]
        manifest = study.manifest(reader)
        shown = tuple(
            replace(trial, cases=tuple(names[case] for case in trial.cases))
            for trial in manifest.trials
        )
        if shown != randomisation.trials(reader):
            raise CowganError(f"The order of {reader} is not what the study's secret draws.")


def _compare_kept(
    found: Verification, study: Study, records: Mapping[str, list[Record]], kept: Sequence[str]
) -> None:
    ours: dict[str, Receipt] = {}
    for reader, of in records.items():
        with found._checking(""):
            receipt = receipt_of(study.manifest(reader), of)
            if receipt is not None:
                ours[reader] = receipt
    covered = set()
    for text in kept:
        code = parse_code(text)
        with found._checking(""):
            if Path(text).exists():
                covered.add(_compare_receipt(found, study, ours, Path(text)))
            elif code is not None:
                covered.add(_compare_code(found, ours, code))
            else:
                raise CowganError(f"{text} is neither a receipt that exists nor a finish code.")
    missing = [reader for reader in ours if reader not in covered]
    if missing and kept:
        found.remarks.append(f"Not covered by a receipt or finish code: {_listed(missing)}.")
    elif missing:
        found.remarks.append(
            "Without receipts or finish codes of readers, it cannot be checked whether everything "
            "was rewritten."
        )


def _compare_receipt(
    found: Verification, study: Study, ours: Mapping[str, Receipt], path: Path
) -> str:
    theirs = read_receipt(path)
    if theirs.study != study.key.study:
        raise CowganError(f"{path} is a receipt of another study ({theirs.study}).")
    now = ours.get(theirs.reader)
    if now is None:
        raise CowganError(
            f"{path} is the receipt of {theirs.reader}, of whom the study has no finished reading."
        )
    changed = [what for name, what in _WHAT.items() if getattr(now, name) != getattr(theirs, name)]
    if changed:
        raise CowganError(
            f"The receipt of {theirs.reader} ({path}) was given for other things than what is here "
            f"now: {_listed(changed)} changed since."
        )
    found.fits.append(f"The receipt of {theirs.reader} fits package, study and every answer.")
    return theirs.reader


def _compare_code(found: Verification, ours: Mapping[str, Receipt], code: str) -> str:
    for reader, receipt in ours.items():
        if receipt.finish_code == code:
            found.fits.append(
                f"The finish code {code} fits package, study and answers of {reader}."
            )
            return reader
    raise CowganError(
        f"No reading has the finish code {code}: an answer, a package or the study was changed "
        "since, or it is of another study."
    )


def _check_result(found: Verification, study: Study, report: Path) -> None:
    """Compare unblinding, tables and report with what key and journals give."""
    try:
        unblinding = read_unblinding(study)
    except CowganError as error:
        found.faults.append(error.sentence)
        return
    written = study.folder / DERIVATIVES
    if unblinding is None:
        if written.exists():
            found.faults.append(f"{UNBLINDED_FILE} is missing, although there are results.")
        else:
            found.remarks.append("The study is not unblinded, so there are no results to check.")
        return
    found.collection_sha256 = unblinding.collection_sha256
    with found._checking("The answers are those that were there when the study was unblinded."):
        _check_unblinding(study, unblinding)
    if found.faults:
        found.remarks.append("Tables and report were not compared, because of what does not fit.")
        return
    analysis = analysed(study, unblinding)
    with found._checking("All tables follow from journals and key."):
        _compare_tables(study, analysis)
    if not report.exists():
        found.remarks.append(f"There is no {report}.")
        return
    with found._checking(""):
        _compare_report(found, analysis, report)


def _check_unblinding(study: Study, unblinding: Unblinding) -> None:
    if collection_sha256(study, unblinding.records) != unblinding.collection_sha256:
        raise CowganError(
            f"The answers collected are not those that {UNBLINDED_FILE} was written for."
        )
    frozen = study.description["frozen"]["utc"]
    if moment(unblinding.utc) < moment(frozen):
        raise CowganError("The study was unblinded before it was frozen, by its own dates.")


def _compare_tables(study: Study, analysis: Analysis) -> None:
    folder = study.folder / DERIVATIVES
    summary = study.folder / SUMMARY_FILE
    if not summary.exists():
        raise CowganError(f"There are no results: {summary} is missing.")
    stored = read_json(summary, dict[str, Any])
    place = _difference(
        stored, parse_json(json.dumps(analysis.summary()), dict[str, Any], "The summary")
    )
    if place is not None:
        raise CowganError(f"{summary} is not what journals and key give, at {place}.")
    for name, text in derivatives_of(analysis).items():
        table = name.endswith((".csv", ".tsv", ".imrmc"))
        if not table or name in _NOT_COMPARED:
            continue
        if _difference(_cells(_text(folder / name)), _cells(text)) is not None:
            raise CowganError(f"{folder / name} is not what journals and key give.")


def _compare_report(found: Verification, analysis: Analysis, report: Path) -> None:
    """Write the report again, and compare all but the time and how pictures are drawn."""
    said = _text(report)
    try:
        computed = html_of(report_of(analysis))
    except CowganError as error:
        found.remarks.append(f"The report was not compared: {error.sentence}")
        return
    if f"napari-cowgan {__version__}" not in said[:_HEAD_CHARACTERS]:
        found.remarks.append("The report is of another version of the program, so not compared.")
        return
    compared = compare_pages(said, computed)
    if compared.foreign:
        raise CowganError(f"A picture in {report} holds what no picture of a report does.")
    if compared.differs:
        raise CowganError(
            f"{report} is not what journals, key and participants.tsv give: it says "
            f"“{compared.says}” and not “{compared.instead_of}”."
        )
    if compared.pictures:
        found.remarks.append(
            f"Pictures that look otherwise in {report.name} than drawn here, by another version of "
            f"matplotlib or because somebody changed them: {compared.pictures}."
        )
    found.fits.append(f"The text of {report.name} follows from journals and key.")


def _compare_published(found: Verification, study: Study, published: Sequence[str]) -> None:
    ours = {
        found.study_sha256: "the study as it was frozen",
        found.collection_sha256: "the study and all answers",
    }
    digests = [digest.strip().lower() for digest in published]
    if (study.folder / UNBLINDED_FILE).exists() and found.collection_sha256 not in digests:
        found.remarks.append(
            "Without a hash of the answers that was published before the unblinding, it cannot "
            "be checked whether the study was unblinded before."
        )
    for digest in digests:
        what = ours.get(digest)
        if what is None:
            found.faults.append(f"The published hash {digest} is that of nothing in this study.")
        else:
            found.fits.append(f"The published hash {digest[:12]}… is that of {what}.")


def _difference(stored: Any, computed: Any, place: str = "") -> str | None:
    """Return where two contents differ by more than rounding, None if nowhere."""
    if isinstance(stored, dict) and isinstance(computed, dict):
        if stored.keys() != computed.keys():
            return place or "the top"
        pairs = [(name, stored[name], computed[name]) for name in stored]
    elif isinstance(stored, list) and isinstance(computed, list):
        if len(stored) != len(computed):
            return place or "the top"
        pairs = [(str(n), *of) for n, of in enumerate(zip(stored, computed, strict=True), 1)]
    else:
        return None if _alike(stored, computed) else place or "the top"
    for name, one, other in pairs:
        found = _difference(one, other, f"{place}.{name}" if place else name)
        if found is not None:
            return found
    return None


def _alike(one: Any, other: Any) -> bool:
    if one == other:
        return True
    try:
        return isclose(float(one), float(other), rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    except (TypeError, ValueError):
        return False


def _cells(text: str) -> list[list[str]]:
    delimiter = "\t" if "\t" in text else ","
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


def _text(path: Path) -> str:
    try:
        return read_bytes(path, LARGEST_BYTES).decode()
    except ValueError as error:
        raise CowganError(f"{path} could not be read.", repr(error)) from error


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + "".join(words[-1:])
