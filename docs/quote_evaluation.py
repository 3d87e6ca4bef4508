"""Print the tables of docs/bundled_model.md from the report of an evaluation.

Usage: python docs/quote_evaluation.py docs/bundled_model

The folder is the output of `cowgan evaluate`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cowgan.documents import read_json
from cowgan.evaluation.comparison import Spread
from cowgan.evaluation.evaluation_files import JSON_FILE
from cowgan.evaluation.evaluation_report import digits_of, spread_text
from cowgan.evaluation.measures import MEASURES, Measure
from cowgan.report.numbers import decimal, p_value


def tables(folder: Path) -> Iterator[str]:
    """Yield the measures by each extractor, then the measured arteries, as Markdown."""
    report: dict[str, Any] = read_json(folder / JSON_FILE, dict[str, Any])
    for one in report["comparisons"]:
        n = one["n_subset"]
        rows = [
            f"| {measure.title} | {_spread(found['generated'], measure)} "
            f"| {_spread(found['real'], measure)} |"
            for measure in MEASURES
            for found in [one["measures"][measure.key]]
        ]
        sets = f"{one['extractor']['name']}; {one['reference']}"
        head = f"| {sets} | generated, n = {n} | real, n = {n} |"
        yield "\n".join([head, "|---|---|---|", *rows])
    rows = [_row(vessel) for vessel in report["vessels"]]
    head = "| | generated | held out | distance | floor | p |"
    yield "\n".join([head, "|---|---|---|---|---|---|", *rows])


def _spread(found: dict[str, float], measure: Measure) -> str:
    return spread_text(Spread(**found), digits_of(measure))


def _row(vessel: dict[str, Any]) -> str:
    column, difference = vessel["column"], vessel["difference"]
    digits = column["digits"]
    unit = f", {column['unit']}" if column["unit"] else ""
    generated, real = (
        f"{decimal(of['mean'], digits)} ± {decimal(of['sd'], digits)}"
        for of in (vessel["generated"], vessel["real"])
    )
    floor = difference["floor"]
    far, near = (
        decimal(value, digits + 1) for value in (floor["generated_median"], floor["real_95"])
    )
    return (
        f"| {column['title']}{unit} | {generated} | {real} | {far} | {near} "
        f"| {p_value(vessel['p_holm'])} |"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    print("\n\n".join(tables(parser.parse_args().folder)))
