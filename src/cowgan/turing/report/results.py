"""Sections of the report on the results of the readers."""

from collections.abc import Iterator

from cowgan.report.blocks import Block, Box, Figure, Heading, Paragraph, Table
from cowgan.report.numbers import (
    NOT_DEFINED,
    bayes_factor,
    coefficient,
    count,
    interval,
    limits,
    listed,
    number,
    p_equation,
    p_value,
    percent,
    stacked,
)
from cowgan.text import within_sentence
from cowgan.turing.analysis import Analysis, MeanResult, ReaderResult, Scores
from cowgan.turing.report import figures
from cowgan.turing.statistics import LEAST_READERS, Verdict

_TITLES = {
    ("equivalent",): "Equivalent to chance",
    ("distinguished",): "Generated volumes were distinguished from real ones",
    ("reversed",): "Systematically reversed",
    ("inconclusive",): "Inconclusive",
    ("equivalent", "distinguished"): "Distinguished, but by less than the margin",
    ("equivalent", "reversed"): "Reversed, but by less than the margin",
}


def verdict_boxes(analysis: Analysis) -> Iterator[Block]:
    """Say what may be said, and what qualifies it."""
    cautions = tuple(_cautions(analysis))
    verdicts = analysis.panel.verdicts
    if not verdicts:
        yield Box("No verdict", (_why_none(analysis),), cautions)
        return
    general = len(analysis.panel.readers) >= LEAST_READERS
    for place, verdict in enumerate(verdicts):
        title = _title(verdict)
        if not general:
            title = f"{analysis.panel.readers[place]}: {within_sentence(title)}"
        yield Box(title, verdict.sentences, cautions if place == len(verdicts) - 1 else ())


def main_result(analysis: Analysis) -> Iterator[Block]:
    """Report the measures of each reader and their mean."""
    rating = _rating(analysis)
    yield Heading("How well the kinds were told apart")
    panel, (margin_auc, margin_accuracy) = analysis.panel, analysis.margins
    measure, case = ("AUC", "case") if rating else ("share of right answers", "pair")
    if panel.primary is not None:
        yield Paragraph(_mean_sentences(panel.primary, measure, margin_auc, case))
        if rating and panel.accuracy is not None:
            text = _mean_sentences(panel.accuracy, "balanced accuracy", margin_accuracy, case)
            yield Paragraph(text)
        if panel.every_reader is not None:
            of = panel.every_reader
            yield Paragraph(
                f"With the answers of incomplete readers too, over the {count(of.mean.n, case)} "
                f"that all have answered, the mean {measure} was {number(of.mean.estimate)} "
                f"(95 % interval {limits(of.interval_95)})."
            )
    else:
        yield Paragraph(
            "With fewer than three complete readers each is reported alone: nothing is said of "
            "readers in general, and trials of different readers are never put together in a test."
        )
    readers = _scored(analysis)
    if not readers:
        return
    yield Figure(
        figures.forest(analysis),
        "Estimates and 95 % intervals of each reader"
        + ("" if all(reader.complete for reader in readers) else ", hollow if incomplete")
        + (
            ". The diamond is the mean of complete readers with readers and cases both drawn at "
            "random: thin line 95 %, thick line 90 % interval"
            if panel.primary is not None
            else ""
        )
        + f". Dashed: chance. Grey: margin of equivalence ({measure} ±{margin_auc:g}"
        + (f", the same as ±{margin_accuracy:.2f} of the accuracy)." if rating else ")."),
        f"Forest plot of {measure} and d′ of {count(len(readers), 'reader')}.",
    )
    yield _measures_table(readers, rating)
    yield _tests_table(readers, rating, margin_auc, margin_accuracy)


def answers(analysis: Analysis) -> Iterator[Block]:
    """Report the counts of each reader and draw the ROC curves."""
    readers = _scored(analysis)
    if not readers:
        return
    rating = _rating(analysis)
    yield Heading("Answers and discrimination")
    rows = []
    totals = [0, 0, 0, 0]
    for reader in readers:
        assert reader.scores is not None
        of = reader.scores.counts
        cells = (of.hits, of.misses, of.false_alarms, of.correct_rejections)
        totals = [total + cell for total, cell in zip(totals, cells, strict=True)]
        rows.append((reader.reader, *map(str, cells), percent(reader.scores.share_generated)))
    if len(readers) > 1:
        share = (totals[0] + totals[2]) / sum(totals)
        rows.append(("Sum (not tested)", *map(str, totals), percent(share)))
    header = (
        (
            "Reader",
            "Generated, called generated",
            "Generated, called real",
            "Real, called generated",
            "Real, called real",
            "Called generated",
        )
        if rating
        else (
            "Reader",
            "On the right, answered right",
            "On the right, answered left",
            "On the left, answered right",
            "On the left, answered left",
            "Answered right",
        )
    )
    yield Table(
        "2 × 2 table of each reader, first showings only."
        + (
            " The sum describes; a test of it would take its answers to be independent, which "
            "they are not."
            if len(readers) > 1
            else ""
        ),
        header,
        tuple(rows),
        (2.2, 1.6, 1.6, 1.6, 1.6, 1.4),
    )
    yield Figure(
        figures.roc_and_plane(analysis),
        (
            "(a) ROC curves of the signed rating"
            + (", in the colours of (b)" if len(readers) <= figures.LEGEND_READERS else "")
            + (
                "; the thick line is the mean of complete readers, averaged at right angles to "
                "the diagonal so that its area is the mean AUC"
                if analysis.panel.primary is not None
                else ""
            )
            + ". (b) "
            if rating
            else ""
        )
        + "d′, by which readers tell the kinds apart, against the criterion c, by which they "
        f"prefer one answer; lines are 95 % intervals. {_corner(rating)}",
        "ROC curves, and d′ against criterion, of each reader."
        if rating
        else "d′ against criterion of each reader.",
    )


def confidence(analysis: Analysis) -> Iterator[Block]:
    """Report whether confidence reflects accuracy."""
    readers, rating = _scored(analysis), _rating(analysis)
    if not readers:
        return
    yield Heading("Confidence")
    yield Figure(
        figures.confidence(analysis),
        "(a) Share of right answers at each confidence; on the dashed line confidence would be "
        "calibrated, taking a guess as 50 % and certainty as 100 %. (b) How often each rating was "
        f"given to either {'kind' if rating else 'side'}, all readers together.",
        "Accuracy by confidence, and the distribution of ratings by truth.",
    )
    rows = []
    for reader in readers:
        assert reader.scores is not None
        found = reader.scores.calibration
        rows.append(
            (
                reader.reader,
                NOT_DEFINED if found is None else number(found.brier, 3),
                NOT_DEFINED if found is None else number(found.overconfidence),
                interval(reader.scores.confidence_auc),
            )
        )
    yield Table(
        "Calibration. Brier score: 0.25 for guesses said to be guesses, 0 at best. "
        "Overconfidence: stated minus actual accuracy. Last: how often a right answer is given "
        "with more confidence than a wrong one, 0.5 if confidence says nothing.",
        ("Reader", "Brier score", "Overconfidence", "Confidence of right over wrong (95 %)"),
        tuple(rows),
        (2, 1.4, 1.4, 3),
    )


def agreement(analysis: Analysis) -> Iterator[Block]:
    """Report inter-reader and intra-reader agreement."""
    between, repeats = analysis.panel.agreement, analysis.panel.repeats
    alone = [r for r in _scored(analysis) if r.scores is not None and r.scores.repeats is not None]
    if between is None and not alone:
        return
    yield Heading("Agreement")
    if between is not None:
        kappa = "Cohen’s kappa" if between.readers == 2 else "Fleiss’ kappa"
        yield Paragraph(
            "Where volumes cannot be told apart readers guess, so little agreement between them "
            "is to be expected and is no sign of poor reading. Kappa falls towards 0 when one "
            "answer is rare; AC1 and the plain share do not."
        )
        yield Table(
            f"Agreement between {count(between.readers, 'complete reader')}, with 95 % intervals "
            "where the answers vary.",
            ("Measure", "Of", "Value"),
            (
                ("Share of agreeing pairs", "answers", interval(between.share)),
                (kappa, "answers", coefficient(between.kappa)),
                ("Gwet’s AC1", "answers", coefficient(between.ac1)),
                ("Krippendorff’s alpha, ordinal", "signed ratings", coefficient(between.alpha)),
                ("Gwet’s AC2, ordinal weights", "signed ratings", coefficient(between.ac2)),
            ),
            (3, 2, 2.5),
            text_columns=2,
        )
    if alone:
        rows = []
        for reader in alone:
            assert reader.scores is not None
            own = reader.scores.repeats
            assert own is not None
            rows.append(
                (
                    reader.reader,
                    str(own.share.n),
                    interval(own.share),
                    *map(coefficient, (own.kappa, own.ac1)),
                )
            )
        if repeats is not None and repeats.readers > 1:
            kappa_of_all = NOT_DEFINED if repeats.kappa is None else number(repeats.kappa)
            rows.append(
                (
                    "All (no interval)",
                    str(repeats.n),
                    number(repeats.share),
                    kappa_of_all,
                    number(repeats.ac1),
                )
            )
        yield Table(
            "Agreement of readers with themselves on cases shown twice, with 95 % intervals where "
            "the answers vary. A few repeats leave kappa uncertain by half its scale or more; no "
            "reader is left out for it.",
            ("Reader", "Repeats", "Share answered the same", "Cohen’s kappa", "Gwet’s AC1"),
            tuple(rows),
            (2, 1, 2.4, 2.4, 2.4),
        )


def times_and_order(analysis: Analysis) -> Iterator[Block]:
    """Report response times, learning and fatigue."""
    readers = [r for r in _scored(analysis) if r.scores is not None and r.scores.times is not None]
    if not readers:
        return
    yield Heading("Time and order")
    window = "20 cases, or half of the cases if there are fewer than 40"
    primary = analysis.panel.primary is not None
    yield Figure(
        figures.times_and_order(analysis),
        "(a) Median time on screen until the answer, pauses left out, with quartiles; filled if "
        f"right, hollow if wrong. (b) Share of right answers in a running window of {window}"
        + ("; thick: mean of the readers with all cases." if primary else "."),
        "Response times by outcome, and accuracy in the course of the reading.",
    )
    rows = []
    for reader in readers:
        scores = reader.scores
        assert scores is not None
        assert scores.times is not None
        every, halves = scores.times.every, scores.halves
        low, median, high = (
            number(seconds, 1)
            for seconds in (every.lower_quartile_s, every.median_s, every.upper_quartile_s)
        )
        rows.append(
            (
                reader.reader,
                f"{median} ({low} to {high})",
                p_value(scores.times.right_or_wrong),
                interval(scores.pace_trend),
                NOT_DEFINED if halves is None else interval(halves.gain),
                interval(scores.accuracy_trend),
            )
        )
    yield Table(
        "Times and trends. Pace: factor by which times change per ten trials, below 1 if faster. "
        "Gain: accuracy of the second minus the first half. Odds: factor by which the odds of a "
        "right answer change per ten trials, above 1 if the reader learns. 95 % intervals.",
        ("Reader", "Seconds, median (quartiles)", "Right or wrong: p", "Pace", "Gain", "Odds"),
        tuple(rows),
        (1.5, 2.4, 1.2, 2.1, 2.3, 2.1),
    )


def _rating(analysis: Analysis) -> bool:
    return analysis.study.protocol.rules.design == "rating"


def _scored(analysis: Analysis) -> list[ReaderResult]:
    return [reader for reader in analysis.readers if reader.scores is not None]


def _title(verdict: Verdict) -> str:
    title = _TITLES[verdict.outcomes]
    return f"{title}; equivalence refused" if verdict.one_sided else title


def _why_none(analysis: Analysis) -> str:
    if not analysis.panel.readers:
        return "No reader answered every trial before the truth was known."
    return "There are too few answers to cases of either kind."


def _cautions(analysis: Analysis) -> Iterator[str]:
    primary, accuracy = analysis.panel.primary, analysis.panel.accuracy
    if _rating(analysis) and primary is not None and accuracy is not None:
        of_ratings, of_answers = primary.interval_95, accuracy.interval_95
        if (
            not of_ratings.low <= 0.5 <= of_ratings.high
            and of_answers.low <= 0.5 <= of_answers.high
        ):
            yield (
                "The difference lies in how sure readers were: their answers alone do not show it, "
                "as the interval of the balanced accuracy holds 0.5."
            )
    missing = [reader.reader for reader in analysis.readers if not reader.complete]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        yield (
            f"{listed(missing)} {verb} incomplete and not part of the verdict, which rests on "
            f"{count(len(analysis.panel.readers), 'complete reader')} of {len(analysis.readers)}."
        )
    if analysis.study.accepted_leak:
        reason = analysis.study.accepted_leak.rstrip(".")
        yield (
            "The blinding audit found leaks, so readers may have gone by something other than "
            f"anatomy. They were accepted when the study was frozen, for this reason: “{reason}”."
        )
    begun_again = [name for name, start in analysis.starts.items() if start.state == "another"]
    if begun_again:
        verb = "has" if len(begun_again) == 1 else "have"
        yield (
            f"{listed(begun_again)} {verb} begun more than once: the start code reported before "
            "reading is not that of the returned journal."
        )
    beside = [
        reader.reader
        for reader in analysis.readers
        if any(context.get("key_beside") for context in reader.conduct.contexts)
    ]
    if beside:
        yield (
            f"{listed(beside)} read where the key of the study lay beside the package, and could "
            "have opened it."
        )
    yield from analysis.study.notes


def _mean_sentences(found: MeanResult, measure: str, margin: float, case: str) -> str:
    mean = found.mean
    error = f"standard error {number(mean.standard_error, 3)}"
    if mean.standard_error == 0:
        error = f"neither readers nor {case}s vary, so the interval is that of one reader"
    elif mean.df is not None:
        error += f", {number(mean.df, 1)} degrees of freedom"
    text = (
        f"The mean {measure} of {count(len(mean.of_reader), 'complete reader')} over "
        f"{count(mean.n, case)} was {number(mean.estimate)} (95 % interval "
        f"{limits(found.interval_95)}; {p_equation(found.test)} against 0.5; {error})."
    )
    if found.equivalence is not None:
        text += (
            f" Two one-sided tests of equivalence within ±{margin:.2f}: "
            f"{p_equation(found.equivalence)}; 90 % interval {limits(found.interval_90)}."
        )
    return text


def _measures_table(readers: list[ReaderResult], rating: bool) -> Table:
    def row(reader: ReaderResult) -> tuple[str, ...]:
        assert reader.scores is not None
        of: Scores = reader.scores
        balanced = [of.balanced_accuracy] if rating else []
        measures = (of.primary_95, *balanced, of.sensitivity, of.specificity, of.d_prime)
        return (reader.reader, str(of.counts.n), *map(stacked, (*measures, of.criterion)))

    if rating:
        return Table(
            "Measures of each reader with 95 % intervals. Positive means generated: sensitivity "
            "is the share of generated volumes called generated, specificity that of real ones "
            "called real. d′ is 0 at chance; c is above 0 for readers who prefer “real”.",
            ("Reader", "n", "AUC", "Balanced accuracy", "Sensitivity", "Specificity", "d′", "c"),
            tuple(map(row, readers)),
            (1.5, 0.7, 1.5, 1.5, 1.5, 1.5, 1.6, 1.6),
        )
    return Table(
        "Measures of each reader with 95 % intervals. The share of right answers in pairs is the "
        "AUC of the same reader judging single volumes. d′ is 0 at chance; c is above 0 for "
        "readers who prefer “left”.",
        (
            "Reader",
            "n",
            "Right answers",
            "Right if on the right",
            "Right if on the left",
            "d′",
            "c",
        ),
        tuple(map(row, readers)),
        (1.5, 0.7, 1.7, 1.7, 1.7, 1.7, 1.7),
    )


def _tests_table(
    readers: list[ReaderResult], rating: bool, margin_auc: float, margin_accuracy: float
) -> Table:
    margin = margin_accuracy if rating else margin_auc

    def row(reader: ReaderResult) -> tuple[str, ...]:
        assert reader.scores is not None
        of = reader.scores
        return (
            reader.reader,
            interval(of.accuracy_exact),
            p_value(of.binomial),
            p_value(of.fisher),
            p_value(of.equivalence),
            NOT_DEFINED if of.bayes is None else percent(of.bayes.probability_within),
            NOT_DEFINED if of.bayes is None else bayes_factor(of.bayes.bf01),
        )

    return Table(
        "Accuracy of each reader against 50 %: p of the exact binomial test, of Fisher’s test of "
        f"no association, and of equivalence within ±{margin:.2f}; posterior probability of an "
        "accuracy within that margin; Bayes factor for exactly 50 %, above 1 in favour of chance. "
        "A p above 0.05 against 50 % is no equivalence. Not corrected for the number of readers.",
        (
            "Reader",
            "Accuracy (exact 95 %)",
            "Binomial",
            "Fisher",
            "Equivalence",
            f"Within ±{margin:.2f}",
            "BF01",
        ),
        tuple(map(row, readers)),
        (1.5, 2.3, 1.1, 1.1, 1.3, 1.3, 1.1),
    )


def _corner(rating: bool) -> str:
    if rating:
        return "A reader who always gives one answer has d′ near 0 far to the left or right."
    return "A reader who always answers one side has d′ near 0 far to the left or right."
