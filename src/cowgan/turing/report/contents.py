"""The report of a study, from the verdict to the hashes."""

from datetime import UTC, datetime
from itertools import chain

from cowgan._version import __version__
from cowgan.report.blocks import Report
from cowgan.turing.analysis import Analysis
from cowgan.turing.report import methods, results, volumes
from cowgan.turing.report.facts import moment


def report_of(analysis: Analysis) -> Report:
    """Return everything that the report says, ready to be printed.

    Raises
    ------
    CowganError
        matplotlib is not installed, or a volume was changed.
    """
    gallery = volumes.Gallery(analysis.study)
    now = moment(datetime.now(UTC).isoformat())
    return Report(
        "Visual Turing test",
        f"Study {analysis.study.key.study}. Report of {now}, napari-cowgan {__version__}",
        tuple(
            chain(
                results.verdict_boxes(analysis),
                methods.overview(analysis),
                results.main_result(analysis),
                results.answers(analysis),
                results.confidence(analysis),
                results.agreement(analysis),
                results.times_and_order(analysis),
                volumes.single_cases(analysis, gallery),
                volumes.give_aways(analysis, gallery),
                volumes.first_impressions(analysis),
                methods.conduct(analysis),
                volumes.blinding(analysis),
                methods.limits_of_the_test(analysis),
                methods.methods(analysis),
                methods.reporting_checklist(analysis),
                methods.provenance(analysis),
            )
        ),
    )
