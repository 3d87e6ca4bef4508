"""Print the tables of docs/segmentation.md from the files in docs/segmentation.

Usage: python docs/quote_segmentation.py
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cowgan.estimates import Interval
from cowgan.report.numbers import NOT_DEFINED, decimal, interval
from cowgan.segmentation.metrics import ALL
from cowgan.segmentation.subject_values import MEAN
from cowgan.tables import read_table

FOLDER = Path(__file__).parent / "segmentation"
_TITLES = {MEAN: "mean of arteries", ALL: "all as one mask"}
_DIGITS = {"dice": 3, "hd95_mm": 2}


def tables() -> Iterator[str]:
    """Yield the scores of the bundled networks, then those of both experiments, as Markdown."""
    for name in ("territories", "topcow2024"):
        yield _scores(read_table(FOLDER / f"{name}_summary.csv")[1])
    rows = read_table(FOLDER / "experiment" / "arms.csv")[1]
    for metric in _DIGITS:
        yield _arms([row for row in rows if row["metric"] == metric])
    rows = read_table(FOLDER / "phantoms" / "arms.csv")[1]
    yield _overall(rows)
    yield _by_artery([row for row in rows if row["metric"] == "dice"])


def _scores(rows: Iterable[Mapping[str, str]]) -> str:
    found = {(row["artery"], row["metric"]): row for row in rows if row["mean"]}
    lines = ["| | subjects | Dice | HD95, mm | median HD95 |", "|---|---|---|---|---|"]
    for artery in dict.fromkeys(artery for artery, metric in found if metric == "dice"):
        dice, hd95 = found[artery, "dice"], found[artery, "hd95_mm"]
        title = _TITLES.get(artery, artery)
        median = decimal(float(hd95["median"]), 2)
        lines.append(f"| {title} | {dice['n']} | {_mean(dice)} | {_mean(hd95)} | {median} |")
    return "\n".join(lines)


def _arms(rows: Iterable[Mapping[str, str]]) -> str:
    found = {(row["arm"], row["artery"]): row for row in rows if row["mean"]}
    arms, arteries = (list(dict.fromkeys(names)) for names in zip(*found, strict=True))
    titles = [_TITLES.get(artery, artery) for artery in arteries]
    lines = [f"| | {' | '.join(titles)} |", "|---" * (1 + len(arteries)) + "|"]
    for arm in arms:
        cells = [_mean(found.get((arm, artery))) for artery in arteries]
        lines.append(f"| {arm} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _overall(rows: Iterable[Mapping[str, str]]) -> str:
    """Return a table of arms with what is compared over all arteries."""
    columns = {(ALL, "dice"): "Dice", (MEAN, "dice"): "Dice", (MEAN, "hd95_mm"): "HD95, mm"}
    found = {(row["arm"], row["artery"], row["metric"]): row for row in rows if row["mean"]}
    titles = [f"{_TITLES[artery]}, {name}" for (artery, _), name in columns.items()]
    lines = [f"| | {' | '.join(titles)} |", "|---" * (1 + len(columns)) + "|"]
    for arm in dict.fromkeys(arm for arm, _, _ in found):
        cells = [_mean(found.get((arm, *column))) for column in columns]
        lines.append(f"| {arm} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _by_artery(rows: Iterable[Mapping[str, str]]) -> str:
    """Return a table of single arteries with the mean of each arm."""
    found = {(row["artery"], row["arm"]): row for row in rows if row["mean"]}
    arms = list(dict.fromkeys(arm for artery, arm in found if artery == MEAN))
    lines = [f"| | {' | '.join(arms)} |", "|---" * (1 + len(arms)) + "|"]
    for artery in dict.fromkeys(artery for artery, _ in found if artery not in _TITLES):
        cells = [
            decimal(float(found[artery, arm]["mean"]), 2) if (artery, arm) in found else NOT_DEFINED
            for arm in arms
        ]
        lines.append(f"| {artery} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _mean(row: Mapping[str, str] | None) -> str:
    if row is None:
        return NOT_DEFINED
    digits = _DIGITS[row["metric"]]
    if not row["low"]:
        return decimal(float(row["mean"]), digits)
    mean, low, high = (float(row[name]) for name in ("mean", "low", "high"))
    found = Interval(mean, low, high, 0.95, int(row["n"]), "bootstrap")
    return interval(found, digits)


if __name__ == "__main__":
    print("\n\n".join(tables()))
