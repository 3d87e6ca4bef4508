"""The files of an evaluation."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from cowgan._version import __version__
from cowgan.errors import CowganError
from cowgan.evaluation.comparison import Comparison
from cowgan.evaluation.evaluate import Evaluation
from cowgan.evaluation.evaluation_report import Additions, evaluation_report, verdict
from cowgan.evaluation.evaluation_request import EvaluationRequest
from cowgan.evaluation.replica_report import rows_of
from cowgan.files import absolute, atomic_path, write_json
from cowgan.report.html import html_of
from cowgan.report.pdf import pdf_of

FORMAT = "cowgan.evaluation/1"
HTML_FILE, PDF_FILE, JSON_FILE = "report.html", "report.pdf", "report.json"


def existing_report(out: Path) -> Path | None:
    """Return a file of the report that a folder holds already; None if there is none."""
    files = (out / name for name in (HTML_FILE, PDF_FILE, JSON_FILE))
    return next((file for file in files if file.exists()), None)


def refuse_existing_report(out: Path, overwrite: bool) -> None:
    """Raise `CowganError` if a folder holds a report that must not be replaced."""
    file = existing_report(out)
    if file is not None and not overwrite:
        raise CowganError(f"{file} exists already; use --overwrite to replace it.")


def write_evaluation(
    found: Evaluation,
    out: Path,
    additions: Additions | None = None,
    request: EvaluationRequest | None = None,
) -> Path:
    """Write the report as HTML, PDF and JSON, and return the path of the first.

    Parameters
    ----------
    found : Evaluation
        The evaluation.
    out : Path
        Folder, which is made if needed.
    additions : Additions, optional
        What else is shown.
    request : EvaluationRequest, optional
        What was asked for, so that its volumes are found again.

    Raises
    ------
    CowganError
        matplotlib or fpdf2 is not installed, a volume that is shown cannot be read any more, or a
        file cannot be written.
    """
    additions = additions or Additions()
    report = evaluation_report(found, additions)
    contents = {HTML_FILE: html_of(report).encode(), PDF_FILE: pdf_of(report)}
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / JSON_FILE, evaluation_record(found, additions, request))
        for name, content in contents.items():
            with atomic_path(out / name) as part:
                part.write_bytes(content)
    except OSError as error:
        raise CowganError(
            f"The report could not be written to {out}: {error.strerror or error}.", repr(error)
        ) from error
    return out / HTML_FILE


def evaluation_record(
    found: Evaluation, additions: Additions, request: EvaluationRequest | None = None
) -> dict[str, Any]:
    """Return all numbers of an evaluation as JSON-ready values."""
    sets = found.sets
    learned = sets.first_real[0]
    models, sweep = additions.models, additions.sweep
    return {
        "format": FORMAT,
        "napari_cowgan": __version__,
        "request": None if request is None else _request(request),
        "verdict": asdict(verdict(found)),
        "generated": sets.generated.title,
        "training": sets.training.title,
        "holdout": None if sets.holdout is None else sets.holdout.title,
        "comparisons": [_comparison(one) for one in found.comparisons],
        "authenticity": asdict(found.authenticity),
        "published": [asdict(one) for one in found.published],
        "vessels": [asdict(one) for one in found.vessels],
        "replicas": _replicas(found),
        "membership": None if found.membership is None else asdict(found.membership),
        "volumes": [
            {
                "generated": name,
                "realism": round(float(realism), 4),
                "nearest_training": learned.names[int(nearest)],
            }
            for name, realism, nearest in zip(
                sets.generated.names, found.realism, found.nearest, strict=True
            )
        ],
        "two_models": None if models is None else asdict(models),
        "psi_sweep": None if sweep is None else asdict(sweep),
        "warnings": list(found.warnings),
    }


def _request(request: EvaluationRequest) -> dict[str, Any]:
    return {
        name: str(absolute(value)) if isinstance(value, Path) else value
        for name, value in asdict(request).items()
    }


def _comparison(one: Comparison) -> dict[str, Any]:
    return {
        "extractor": {**asdict(one.recipe), "recipe_sha256": one.recipe.sha256},
        "reference": one.reference,
        "features": one.dimensions,
        "n_real": one.n_real,
        "n_generated": one.n_generated,
        "n_subset": one.n_subset,
        "measures": {
            result.measure.key: {
                "estimate": result.estimate.estimate,
                "interval_95": [result.estimate.low, result.estimate.high],
                "generated": result.generated._asdict(),
                "real": result.real._asdict(),
                "like_real": result.like_real,
            }
            for result in one.results
        },
    }


def _replicas(found: Evaluation) -> dict[str, Any] | None:
    if found.replicas is None:
        return None
    names = found.sets.generated.names
    return {
        "flagged": [names[one.index] for one in found.replicas.flagged],
        "volumes": len(found.replicas.matches),
        "threshold": found.replicas.threshold,
        "false_alarms": found.replicas.false_alarms,
        "pairs": rows_of(found.replicas, found.sets.generated, found.sets.training),
    }
