"""Sections of the report on methods and conduct."""

from collections.abc import Iterator

from cowgan._version import __version__
from cowgan.report.blocks import Block, Heading, Paragraph, Table
from cowgan.report.numbers import count, listed, number
from cowgan.turing.analysis import Analysis
from cowgan.turing.design.protocol import Protocol
from cowgan.turing.design.sources import RECOGNISED, warn_of_public
from cowgan.turing.report.checklist import checklist
from cowgan.turing.report.facts import (
    describe_generated,
    describe_real,
    describe_trials,
    moment,
)
from cowgan.turing.statistics import LEAST_READERS
from cowgan.turing.study.start_codes import Start
from cowgan.turing.study.study import Study


def overview(analysis: Analysis) -> Iterator[Block]:
    """Summarise the study."""
    study, panel = analysis.study, analysis.panel
    protocol = study.protocol
    yield Heading("The study")
    pairs = protocol.rules.design == "2afc"
    task = (
        "Pairs of a real and a generated volume: which is generated?"
        if pairs
        else "One volume at a time: real or generated?"
    )
    complete = len(panel.readers)
    whole = "all" if complete == len(study.readers) else f"{complete or 'none'} of them"
    measure = "share of right answers" if pairs else "AUC"
    frozen = moment(study.description["frozen"]["utc"])
    unblinded = moment(analysis.unblinding.utc)
    rows = (
        ("Task", f"{task} And how confidently, from 1 to 5?"),
        ("Shown", describe_trials(protocol)),
        ("Readers", f"{len(study.readers)}, {whole} complete"),
        ("Real volumes", describe_real(study)),
        ("Generated volumes", describe_generated(study)),
        (
            "Endpoint",
            f"Mean {measure}; declared margin of equivalence ±{protocol.margin_auc:g}",
        ),
        ("Dates", f"Frozen {frozen}; unblinded {unblinded} by {analysis.unblinding.by}"),
    )
    yield Table("The study at a glance.", ("", ""), rows, (1.2, 5), text_columns=2)


def conduct(analysis: Analysis) -> Iterator[Block]:
    """Report the conduct of each reading."""
    yield Heading("Conduct")
    late = sum(reader.conduct.late for reader in analysis.readers)
    after = sum(reader.conduct.arrived_after for reader in analysis.readers)
    text = (
        "A reader is complete if every trial of the reading has an answer that counts. No answer "
        "is left out because it was quick, because few slices were seen or because the trial was "
        "interrupted; such trials are counted here."
    )
    if late:
        text += (
            f" {count(late, 'answer')} came after the truth was known and "
            f"{'is' if late == 1 else 'are'} left out everywhere."
        )
    if after:
        text += (
            f" {count(after, 'answer')} that count{'s' if after == 1 else ''} arrived after that "
            "moment, though dated before it."
        )
    yield Paragraph(text)
    rows = []
    for reader in analysis.readers:
        of = reader.conduct
        practice = f"{of.practice_right} of {of.practice_done}" if of.practice_done else "none"
        rows.append(
            (
                f"{reader.reader}\n{reader.progress.state}",
                f"{of.counted} of {of.planned}",
                *map(str, (of.missing, of.late, of.restarted, of.lapses, of.changed)),
                f"{of.sittings} / {of.pauses}",
                practice,
            )
        )
    yield Table(
        "Trials of the reading, repeats among them. Restarted: interrupted and shown again. Quick: "
        "answered faster, or after fewer slices, than the protocol expects. Changed: the answer "
        "was changed before it was committed. Starts: of the program, and pauses.",
        (
            "Reader", "Answers", "Missing", "Late", "Restarted", "Quick", "Changed",
            "Starts / pauses", "Practice right",
        ),
        tuple(rows),
        (1.7, 1.3, 1.1, 0.8, 1.3, 0.9, 1.2, 1.3, 1.3),
    )  # fmt: skip
    yield Table(
        "Codes. The start code is drawn at the first start of a reading: a reader who reported it "
        "then and returned the same has not started again. The finish code commits to package, "
        "study and every answer.",
        ("Reader", "Start code", "Reported before reading", "Finish code"),
        tuple(
            (
                reader.reader,
                analysis.starts[reader.reader].code or "none",
                _start_code_check(analysis.starts[reader.reader]),
                reader.progress.finish_code or "none",
            )
            for reader in analysis.readers
        ),
        (1, 2, 2.4, 2),
        text_columns=4,
    )


def _start_code_check(start: Start) -> str:
    """Say whether a reading is the one that was begun first."""
    if start.state == "not told":
        return "no"
    first = start.told[0]
    when = moment(first.utc)
    match start.state:
        case "same":
            return f"yes, {when}"
        case "late":
            return f"only after the first answer, {when}"
        case _:
            others = listed(sorted({one.code for one in start.told if one.code != start.code}))
            return f"another one: {others}, {when}"


def limits_of_the_test(analysis: Analysis) -> Iterator[Block]:
    """Describe the limits of the test."""
    yield Heading("Limits")
    yield Paragraph(
        "A visual Turing test asks whether single volumes look real. It says nothing on diversity: "
        "a generator that repeats a few convincing volumes, or copies its training data, can pass. "
        "Read it beside measures of diversity, of coverage and of replicas, and beside the "
        "performance of what is trained on the generated volumes."
    )
    yield Paragraph(
        "Readers knew that generated volumes occur, and half of all volumes were generated; "
        "neither is so in practice. They saw volumes at the resolution of the generator and "
        "without clinical context. A result near chance is not proof of realism: readers may lack "
        "practice with such volumes. Conversely, a difference may lie in the processing rather "
        "than in anatomy; see the blinding audit."
    )
    if len(analysis.panel.readers) < LEAST_READERS:
        yield Paragraph(
            f"With fewer than {LEAST_READERS} complete readers the result is about these readers "
            "and cannot be generalised to others; treat the study as a pilot."
        )


def methods(analysis: Analysis) -> Iterator[Block]:
    """Write the methods from the facts."""
    yield Heading("Methods")
    study = analysis.study
    for text in (
        _sources_text(study),
        _procedure_text(study.protocol),
        _statistics_text(analysis),
    ):
        yield Paragraph(text)


def reporting_checklist(analysis: Analysis) -> Iterator[Block]:
    """Fill in what the program knows."""
    yield Heading("Checklist")
    items = checklist(analysis)
    yield Table(
        "Items to report of a visual Turing test. What the program cannot know is left to the "
        "authors.",
        ("", "Item", "Reported"),
        tuple((str(place), item.what, item.reported) for place, item in enumerate(items, 1)),
        (0.35, 2, 4.2),
        text_columns=3,
    )


def provenance(analysis: Analysis) -> Iterator[Block]:
    """List the hashes that verify the study."""
    study = analysis.study
    yield Heading("Provenance")
    yield Paragraph(
        "Checked for this report: the key against the commitment in every package, every volume of "
        "every package against its hash and the key, and every record of every journal against the "
        "one before. The hash of the study is that of its frozen description (protocol, sources, "
        "audit, accepted leak, key commitment and packages) and is part of every package; that of "
        "the collection commits to the study and to all answers that were there when it was "
        "unblinded. Receipts and finish codes that readers keep commit to the study and to their "
        "own answers: “cowgan turing verify” compares them with the study’s folder."
    )
    rows = [
        ("Study", study.sha256),
        ("Collection", analysis.unblinding.collection_sha256),
        ("Key commitment", study.description["key_commitment"]),
        *((f"Package {name}", study.manifest(name).sha256) for name in study.readers),
        *((f"Journal {name}", digest or "none") for name, digest in analysis.journals.items()),
    ]
    checkpoint = study.description["sources"]["generated"].get("checkpoint_sha256")
    if checkpoint:
        rows.append(("Checkpoint", checkpoint))
    yield Table("SHA-256 hashes; of a journal, its last record.", ("What", "SHA-256"), tuple(rows),
                (1.3, 5), text_columns=2)  # fmt: skip


def _sources_text(study: Study) -> str:
    protocol = study.protocol
    public = study.description["sources"]["real"]["public"]
    low, high = protocol.percentiles
    crop = "no voxels were cut off"
    if any(protocol.crop):
        crop = (
            f"{', '.join(map(str, protocol.crop))} voxels were cut off at both ends of z, x and y"
        )
    return (
        f"Real volumes: {describe_real(study)}. Generated volumes: {describe_generated(study)}. "
        f"Both kinds went through one chain: {crop}, and percentiles {low:g} and {high:g} of each "
        f"volume became black and white on {protocol.grey_levels} grey levels, with dither of one "
        "level and without interpolation. Volumes were stored uncompressed under random names that "
        "differ between readers, in files of equal size and date; the packages held no trace of "
        f"the truth. {warn_of_public(public) if public else RECOGNISED}"
    )


def _procedure_text(protocol: Protocol) -> str:
    rules = protocol.rules
    pairs = rules.design == "2afc"
    shown = f"{protocol.reading_units} {'pairs' if pairs else 'volumes'}"
    question = "which of two volumes is generated" if pairs else "whether a volume is generated"
    text = (
        f"Readers judged {question} and gave a confidence from 1 (guess) to 5 (certain) for "
        f"{shown}, in an order of their own, in blocks of {protocol.block} with both answers right "
        f"equally often and at most {protocol.longest_run} alike in a row"
    )
    if protocol.repeats:
        text += (
            f"; {protocol.repeats} came a second time, at least {protocol.repeat_distance} trials "
            "later"
        )
    text += ". "
    if protocol.impressions:
        text += (
            f"Before they knew the purpose they judged the quality of {protocol.impressions} "
            "further volumes. "
        )
    if protocol.practice:
        text += (
            f"They practised on {protocol.practice} further volumes with feedback; there was "
            "no feedback in the reading. "
        )
    tools = ["slices", "windowing"]
    if rules.mip:
        tools.append("maximum intensity projections")
    if rules.marks:
        tools.append("marks on what gives a volume away")
    return text + (
        f"They had {listed(tools)}, no time limit, and a break was offered after "
        f"{rules.break_trials} trials or {rules.break_minutes} minutes. Each answer was written to "
        "a journal of chained hashes before the next volume was shown and could not be changed."
    )


def _statistics_text(analysis: Analysis) -> str:
    margin_auc, margin_accuracy = analysis.margins
    pairs = analysis.study.protocol.rules.design == "2afc"
    measure = "share of right answers" if pairs else "area under the ROC curve of the signed rating"
    equal = "" if pairs else f" (the same as ±{number(margin_accuracy)} of the accuracy)"
    return (
        f"The primary result is the mean {measure} of the complete readers, first showings only, "
        "with readers and cases both taken as drawn at random (Obuchowski and Rockette’s analysis "
        "of one modality with Hillis’ degrees of freedom). It was called equivalent to chance if "
        "its 90 % interval lay within the margin declared beforehand, "
        f"0.5 ± {margin_auc:g}{equal}, unless a reader gave one answer in more than 90 % of "
        "trials; different from chance if its 95 % interval excluded 0.5; else inconclusive. Below "
        "three readers each was reported alone. "
        + ("S" if pairs else "AUCs of readers have DeLong intervals on the logit scale; s")
        + "hares have Wilson intervals; d′ and c are log-linear with the variance of Gourevitch "
        "and Galanter. Trials were never pooled over readers in a test. Repeats served agreement "
        "within readers only; practice and first impressions entered nothing. Computed with "
        f"napari-cowgan {__version__}."
    )
