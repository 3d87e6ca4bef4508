"""Facts on a study other than its answers, in words."""

from collections import Counter
from datetime import datetime
from typing import Any

from cowgan.report.numbers import count
from cowgan.tables import is_number, read_table
from cowgan.turing.analysis import Analysis
from cowgan.turing.design.protocol import Protocol
from cowgan.turing.study.study import PARTICIPANTS_FILE, Study


def describe_real(study: Study) -> str:
    """Say where the real volumes come from."""
    source = study.description["sources"]["real"]
    drawn = study.protocol.volumes_per_class
    return f"{drawn} drawn by lot from {count(source['subjects'], 'subject')}, one volume of each"


def describe_generated(study: Study) -> str:
    """Say where the generated volumes come from."""
    source = study.description["sources"]["generated"]
    drawn = study.protocol.volumes_per_class
    if "checkpoint_sha256" in source:
        return (
            f"{drawn} of the model “{source['model']}” "
            f"(SHA-256 {source['checkpoint_sha256'][:12]}…), seeds of 64 bits drawn by lot and "
            f"none left out, truncation {source['psi']:g}"
        )
    return f"{drawn} drawn by lot from a folder of {source['files']} volumes"


def describe_trials(protocol: Protocol) -> str:
    """Say how much each reader is shown."""
    pairs = protocol.rules.design == "2afc"
    text = f"{protocol.reading_units} {'pairs' if pairs else 'volumes'}"
    if protocol.repeats:
        text += f", {protocol.repeats} of them twice"
    if protocol.practice:
        text += f"; before, {protocol.practice} volumes for practice"
    if protocol.impressions:
        text += f"; at first, {protocol.impressions} volumes for impressions"
    return text + "; half of all volumes generated"


def moment(utc: str) -> str:
    """Return a stored time for display."""
    when = datetime.fromisoformat(utc)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def participants(study: Study) -> list[dict[str, str]]:
    """Return what the coordinator entered about the readers; ``n/a`` where nothing."""
    path = study.folder / PARTICIPANTS_FILE
    if not path.is_file():
        return []
    _, rows = read_table(path)
    return rows


def software(study: Study) -> str:
    """Return the versions that made the study."""
    versions: dict[str, Any] = study.description["software"]
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def tally(rows: list[dict[str, str]], column: str) -> str:
    """Return how many readers there are of each kind; empty if none was entered."""
    entered = Counter(row[column] for row in rows if row.get(column) not in (None, "", "n/a"))
    return ", ".join(f"{n} {name}" for name, n in sorted(entered.items()))


def experience(rows: list[dict[str, str]]) -> str:
    """Return the range of years of experience; empty if none was entered."""
    years = [float(row["years"]) for row in rows if is_number(row.get("years", ""))]
    if not years:
        return ""
    return f"{min(years):g} to {max(years):g}" if len(years) > 1 else f"{years[0]:g}"


def screens(analysis: Analysis) -> str:
    """Return the sizes of the screens that were read on; empty if none was recorded."""
    found = set()
    for reader in analysis.readers:
        for context in reader.conduct.contexts:
            screen = context.get("screen") or {}
            if "size" in screen:
                width, height = screen["size"]
                found.add(f"{width} × {height} at scaling {screen['device_pixel_ratio']:g}")
    return "; ".join(sorted(found))


def reading_software(analysis: Analysis) -> str:
    """Return the versions that readers used; empty if none was recorded."""
    found = {
        ", ".join(f"{name} {version}" for name, version in context["versions"].items())
        for reader in analysis.readers
        for context in reader.conduct.contexts
        if "versions" in context
    }
    return "; ".join(sorted(found))
