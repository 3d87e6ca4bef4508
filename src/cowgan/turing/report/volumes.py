"""Sections of the report on single volumes, marks, first impressions and the blinding audit."""

from collections.abc import Iterator
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cowgan.pictures import png_bytes
from cowgan.report.blocks import Block, Figure, Heading, Paragraph, Picture, Table
from cowgan.report.numbers import count, interval, number, p_equation, percent
from cowgan.turing.analysis import Analysis, CaseResult
from cowgan.turing.blinding.audit import AUC_LIMIT, P_LIMIT, Audit
from cowgan.turing.blinding.classifier_test import Separability
from cowgan.turing.report import figures
from cowgan.turing.study.study import Study
from cowgan.volume import Volume, default_affine, thumbnail

CASES_SHOWN = 10
"""Of each kind; all are in ``cases.csv``."""

_PIXELS = 96
_OFFENDERS_SHOWN = 5


class ShownVolumes:
    """Volumes of a study as its readers saw them.

    Parameters
    ----------
    study : Study
        Whose packages are there.
    """

    def __init__(self, study: Study) -> None:
        reader = study.readers[0]
        self._package = study.package(reader)
        self._names = {case: shown for shown, case in study.key.readers[reader].items()}
        self.thumbnail = cache(self._thumbnail)

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size along (z, x, y)."""
        return self._package.manifest.display.spacing_mm

    def volume(self, case: str) -> NDArray[np.uint16]:
        """Return a volume by its name within the study."""
        return self._package.volume(self._names[case])

    def projection(self, cases: list[str]) -> NDArray[np.float64]:
        """Return the mean of the axial projections, shape (x, y)."""
        total = sum(self.volume(case).max(axis=0).astype(np.float64) for case in cases)
        return np.asarray(total / len(cases))

    def _thumbnail(self, case: str) -> bytes:
        voxels = self.volume(case).astype(np.float32)
        volume = Volume(voxels, default_affine(voxels.shape, self.spacing_mm))
        return png_bytes(thumbnail(volume, size=_PIXELS))


def single_cases(analysis: Analysis, shown_volumes: ShownVolumes) -> Iterator[Block]:
    """Show the volumes that misled most readers."""
    if not analysis.cases:
        return
    pairs = analysis.study.protocol.rules.design == "2afc"
    yield Heading("Pairs" if pairs else "Single volumes")
    yield Figure(
        figures.case_spread(analysis),
        "How many readers each case misled, all first showings that count.",
        "Histogram of cases by the share of readers who were wrong.",
    )
    if pairs:
        kinds = [("pair", "The most misleading pairs", "No pair misled a reader.")]
    else:
        kinds = [
            (
                "generated",
                "The most deceptive generated volumes",
                "No generated volume was taken for real.",
            ),
            (
                "real",
                "The most suspected real volumes",
                "No real volume was taken for generated.",
            ),
        ]
    for truth, title, none in kinds:
        misled = [case for case in analysis.cases if case.truth == truth and case.right < case.n]
        yield _case_table(title, misled, shown_volumes) if misled else Paragraph(none)


def give_aways(analysis: Analysis, shown_volumes: ShownVolumes) -> Iterator[Block]:
    """Show where and why readers marked something."""
    if not analysis.study.protocol.rules.marks:
        return
    yield Heading("Give-away marks")
    marks = analysis.marks
    if not marks:
        yield Paragraph("Readers could mark what gives a volume away; none did.")
        return
    generated = sum(mark.truth == "generated" for mark in marks)
    yield Paragraph(
        f"Readers set {count(len(marks), 'mark')}: {generated} on generated volumes and "
        f"{len(marks) - generated} on real ones. A reason that is given for real volumes as often "
        "as for generated ones is no evidence against the generator."
    )
    names = [case.name for case in analysis.study.key.cases if case.phase == "reading"]
    _, sx, sy = shown_volumes.spacing_mm
    yield Figure(
        figures.give_aways(marks, analysis.reasons, shown_volumes.projection(names), (sx, sy)),
        "(a) Marks over the outline of the mean axial projection of all volumes, patient’s right "
        "on the left. (b) Reasons; a mark can have several."
        if analysis.reasons
        else "Marks over the outline of the mean axial projection of all volumes, patient’s right "
        "on the left.",
        "Map of give-away marks, and counts of their reasons.",
    )


def first_impressions(analysis: Analysis) -> Iterator[Block]:
    """Describe the image quality judged before readers knew of generated volumes."""
    readers = [reader for reader in analysis.readers if reader.impressions is not None]
    if not readers:
        return
    yield Heading("First impressions")
    qualities: dict[str, list[int]] = {"real": [], "generated": []}
    for trial in analysis.trials:
        if trial.phase == "impression" and trial.counts and trial.level is not None:
            qualities["generated" if trial.truth == "G" else "real"].append(trial.level)
    yield Paragraph(
        "Before the purpose was explained, readers judged the quality of further volumes, from 1 "
        "poor to 5 excellent. These judgements do not enter the verdict."
    )
    yield Figure(
        figures.impressions(qualities),
        "Quality of volumes before the purpose was explained, all readers pooled.",
        "Distribution of quality by truth.",
    )
    rows = []
    for reader in readers:
        of = reader.impressions
        assert of is not None
        means = ("n/a" if mean is None else number(mean, 1) for mean in (of.real, of.generated))
        rows.append((reader.reader, str(of.n), *means, interval(of.auc)))
    if analysis.panel.impressions is not None:
        mean = analysis.panel.impressions.interval_95
        rows.append(("Mean of readers", "", "", "", interval(mean)))
    yield Table(
        "Mean quality of either kind, and how often a generated volume was judged better than a "
        "real one with its 95 % interval: 0.5 if both look alike.",
        ("Reader", "Volumes", "Real", "Generated", "Generated judged better"),
        tuple(rows),
        (2, 1, 1, 1, 2.4),
    )


def blinding(analysis: Analysis) -> Iterator[Block]:
    """Describe cues other than anatomy that could give volumes away."""
    found = analysis.study.audit
    yield Heading("Blinding audit")
    yield Paragraph(
        f"Before the study was frozen, {found.n_real} real and {found.n_generated} generated "
        "volumes were examined as readers got them. A study is frozen if files differ in nothing "
        "and grey levels do not tell the classes apart "
        f"(p of at least {P_LIMIT:g} and an AUC below {AUC_LIMIT:g}), or if a reason is given."
    )
    form = (
        "alike in size, time, permissions, header and names"
        if not found.form
        else "; ".join(found.form)
    )
    yield Table(
        "The audit. AUC: that of a cross-validated linear classifier on simple features, 0.5 "
        "being chance; p by permutation. The AUC of a single feature is above 0.5 if it is "
        "larger in generated volumes and below 0.5 if it is smaller; 0 and 1 separate the "
        "classes fully.",
        ("What", "Result", "Distinguishing features"),
        (
            ("A  Files", form, "none" if not found.form else "see result"),
            ("B  Grey levels", _separated(found.grey), _distinguishing(found.grey)),
            (
                "C  Noise, sharpness, borders",
                _separated(found.texture),
                _distinguishing(found.texture),
            ),
        ),
        (2, 2.4, 3.4),
        text_columns=3,
    )
    yield Paragraph(_meaning(found, analysis))


def _meaning(found: Audit, analysis: Analysis) -> str:
    reason = analysis.study.accepted_leak
    if reason:
        text = f"What A or B found was accepted for this reason: “{reason.rstrip('.')}”."
    else:
        text = "No leak was found in A and B."
    if remark := found.grey.remark or found.texture.remark:
        text += f" {remark}"
    return text + (
        " What C finds may be the generator’s own doing: compare detectability by readers with "
        f"that by the classifier (AUC {number(found.texture.auc)})."
    )


def _separated(found: Separability) -> str:
    return f"AUC {number(found.auc)}, {p_equation(found.p)}"


def _distinguishing(found: Separability) -> str:
    if not found.offenders:
        return "none"
    shown = [f"{one.feature} ({number(one.auc)})" for one in found.offenders[:_OFFENDERS_SHOWN]]
    more = len(found.offenders) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _case_table(title: str, cases: list[CaseResult], shown_volumes: ShownVolumes) -> Table:
    shown = cases[:CASES_SHOWN]
    pictures = ("Volume",) if cases[0].truth != "pair" else ("Real", "Generated")
    rest = ""
    if len(cases) > len(shown):
        rest = f", {len(shown)} of {len(cases)} that misled at least one reader"

    def row(case: CaseResult) -> tuple[str | Picture, ...]:
        parts = case.case.split("+")
        reasons = sorted({reason for mark in case.marks for reason in mark.reasons})
        marks = f"{len(case.marks)}" + (f": {', '.join(reasons)}" if reasons else "")
        return (
            *(
                Picture(shown_volumes.thumbnail(part), f"Axial projection of {part}")
                for part in parts
            ),
            f"{case.case.replace('+', ' + ')}\n{case.origin}",
            marks,
            f"{case.n - case.right} of {case.n} ({percent(1 - case.share_right)})",
            number(case.mean_rating, 1),
            "n/a" if case.median_s is None else number(case.median_s, 1),
        )

    return Table(
        f"{title}{rest}. Axial projections, patient’s right on the left. Mean rating: from −5, all "
        "certainly right, to 5, all certainly wrong.",
        (*pictures, "Case", "Marks", "Readers wrong", "Mean rating", "Seconds, median"),
        tuple(map(row, shown)),
        (*((0.8 if len(pictures) == 1 else 1.05,) * len(pictures)), 2.1, 2.6, 1.3, 0.9, 1.0),
        text_columns=len(pictures) + 2,
    )
