"""``cowgan measure``."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cowgan.cli.options import JsonOption, OverwriteOption, UnitsOption
from cowgan.cli.output import say
from cowgan.errors import CowganError
from cowgan.progress import advance
from cowgan.text import one_line

if TYPE_CHECKING:
    from cowgan.measure import Measurements
    from cowgan.volume import OpenedImage, Units, Volume

_Method = Literal["hysteresis", "frangi", "sato"]

_ALL = "all"


@dataclass(frozen=True)
class _Result:
    """The measurements of one file, by artery or for all vessels, or an error."""

    file: Path
    parts: "dict[str, Measurements]" = field(default_factory=dict)
    content: str = ""
    remarks: tuple[str, ...] = ()
    error: str = ""
    problem: str = ""


@dataclass(frozen=True)
class _Task:
    """Settings of a measurement."""

    labels: bool
    method: _Method | None
    units: "Units | None"


def measure(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="TOF volumes.")],
    labels: Annotated[
        bool, typer.Option("--labels", help="The files are label maps with TopCoW values.")
    ] = False,
    method: Annotated[
        _Method | None,
        typer.Option(
            help="How vessels are found; frangi and sato find more of the thin ones in a full "
            "field of view and take ten times as long; default: hysteresis."
        ),
    ] = None,
    units: UnitsOption = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", help="Write a table for a spreadsheet as well.")
    ] = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure vessels: volume, length, radius, pieces and loops.

    Masks and label maps are recognised and measured as such. Files that cannot be measured are
    reported and do not stop the others; the exit status is then 2.
    """
    if labels and method is not None:
        raise CowganError("--method finds vessels in volumes; --labels needs none.")
    if csv_file is not None and csv_file.exists() and not overwrite:
        raise CowganError(f"{csv_file} exists already; use --overwrite to replace it.")

    from cowgan.cli.console import print_json, progress_bar

    task = _Task(labels, method, units)
    results = []
    with progress_bar("Measuring") as progress:
        for done, file in enumerate(files):
            advance(progress, done, len(files))
            results.append(_measure(file, task))
        advance(progress, len(files), len(files))
    if csv_file is not None:
        _write_csv(csv_file, results)
    if as_json:
        print_json([_content(result) for result in results])
    else:
        _print_table(results)
    for result in results:
        for remark in result.remarks:
            say(f"{result.file.name}: {remark}", err=True)
    problems = [text for result in results for text in (result.error, result.problem) if text]
    for text in problems:
        say(text, err=True)
    if problems:
        raise typer.Exit(2)


def _measure(file: Path, task: _Task) -> _Result:
    from cowgan.volume import open_image

    try:
        image = open_image(file, units=task.units)
        if task.labels:
            return _measure_labels(file, image)
        if image.content == "image":
            return _measure_volume(file, image.volume(), task.method or "hysteresis")
        return _measure_mask_or_labels(file, image)
    except CowganError as error:
        return _failed(file, error)


def _measure_volume(file: Path, volume: "Volume", method: _Method) -> _Result:
    from cowgan.measure import measure as measure_volume

    return _result(file, {_ALL: measure_volume(volume, method)}, volume.provenance, volume.remarks)


def _measure_mask_or_labels(file: Path, image: "OpenedImage") -> _Result:
    """Measure a mask or label map without --labels, with a remark."""
    from cowgan.anatomy.label_schemes import TOPCOW_2024

    values = image.labels()
    if image.content == "label map" and not TOPCOW_2024.unknown_in(values):
        said = "It is a label map and no angiogram, so it was measured by artery, as by --labels."
        return _measure_labels(file, image, said)
    what = "a mask" if image.content == "mask" else "a label map of other labels than TopCoW's"
    return _measure_mask(
        file, image, f"It is {what} and no angiogram, so it was measured as a mask."
    )


def _measure_mask(file: Path, image: "OpenedImage", said: str) -> _Result:
    from cowgan.measure import measure_mask

    measured = {_ALL: measure_mask(image.labels(), image.spacing_mm)}
    return _result(file, measured, image.provenance, (*image.remarks, said))


def _measure_labels(file: Path, image: "OpenedImage", said: str = "") -> _Result:
    from cowgan.anatomy.arteries import Artery
    from cowgan.measure import measure_labels, measure_mask

    values = image.labels()
    # A basilar artery alone would look the same, but a mask is far more common.
    if image.content == "mask" and values.max() not in set(Artery) - {Artery.BA}:
        return _measure_mask(
            file, image, "It is a mask and names no artery, so it was measured as a mask."
        )
    arteries = measure_labels(values, image.spacing_mm)
    parts = {artery.abbreviation: measured for artery, measured in arteries.items()}
    parts[_ALL] = measure_mask(values, image.spacing_mm)
    remarks = (*image.remarks, said) if said else image.remarks
    return _result(file, parts, image.provenance, remarks)


def _result(
    file: Path,
    parts: "dict[str, Measurements]",
    provenance: dict[str, Any],
    remarks: tuple[str, ...],
) -> _Result:
    problem = provenance.get("sidecar_problem")
    lost = f"{file.name} was measured, but its history is lost: {problem}" if problem else ""
    return _Result(file, parts, provenance["sources"][-1]["content"], remarks, problem=lost)


def _failed(file: Path, error: CowganError) -> _Result:
    named = file.name in error.sentence
    return _Result(file, error=error.sentence if named else f"{file.name}: {error.sentence}")


def _content(result: _Result) -> dict[str, Any]:
    content: dict[str, Any] = {"file": str(result.file), "remarks": list(result.remarks)}
    if result.problem:
        content["problem"] = result.problem
    if result.error:
        return {**content, "error": result.error}
    parts = {name: measured.to_dict() for name, measured in result.parts.items()}
    whole = parts.pop(_ALL)
    content |= {"content": result.content, **whole}
    return {**content, "arteries": parts} if result.content == "label map" else content


def _print_table(results: list[_Result]) -> None:
    rows = [("File", "Vessels", "mm³", "Length mm", "Radius mm", "Pieces", "Loops")]
    rows += [
        (
            one_line(result.file.name, 60),
            name,
            f"{one.volume_mm3:.0f}",
            f"{one.length_mm:.1f}",
            f"{one.radius.mean_mm:.2f} ± {one.radius.sd_mm:.2f}",
            str(one.components),
            str(one.loops),
        )
        for result in results
        for name, one in result.parts.items()
    ]
    if len(rows) == 1:
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        texts = [text.ljust(width) for text, width in zip(row[:2], widths[:2], strict=True)]
        numbers = [text.rjust(width) for text, width in zip(row[2:], widths[2:], strict=True)]
        say("  ".join(texts + numbers))


def _write_csv(target: Path, results: list[_Result]) -> None:
    from cowgan.tables import write_table

    rows = [
        {
            "file": str(result.file),
            "vessels": name,
            **_flat(one.to_dict()),
            "remarks": " ".join(result.remarks),
        }
        for result in results
        for name, one in result.parts.items()
    ]
    columns = list(dict.fromkeys(column for row in rows for column in row))
    write_table(target, columns or ["file", "vessels"], rows)


def _flat(content: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values as columns, such as ``radius_mean_mm``; lists have none."""
    columns: dict[str, Any] = {}
    for name, value in content.items():
        if name == "percentiles_mm":
            columns |= {f"{prefix}{q}_mm": mm for q, mm in value.items()}
        elif isinstance(value, dict):
            columns |= _flat(value, f"{prefix}{name}_")
        elif not isinstance(value, list | tuple):
            columns[prefix + name] = value
    return columns
