"""Timing of things that are compared, repetition by repetition, and one table at the end.

Nothing here fails on time. Run with ``make benchmark``.
"""

import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
import torch
from rich.console import Console
from rich.table import Table

from cowgan.checkpoint import Checkpoint
from cowgan.networks import PRESETS

REPETITIONS = 9


@dataclass(frozen=True)
class Row:
    topic: str
    name: str
    median: float
    least: float
    unit: str
    note: str = ""


_rows: list[Row] = []


@pytest.fixture(scope="session")
def medium() -> Checkpoint:
    """Return the paper's best configuration, untrained: times do not depend on weights."""
    return Checkpoint.random(PRESETS["Medium_v2"], discriminator=False)


@pytest.fixture
def compare(benchmark):
    """Return a function that times several things in turn, so that all meet the same load."""

    def run(
        topic: str,
        actions: Mapping[str, Callable[[], object]],
        limit: str | None = None,
        repetitions: int = REPETITIONS,
    ) -> dict[str, list[float]]:
        seconds: dict[str, list[float]] = {name: [] for name in actions}

        def each_in_turn() -> None:
            for name, action in actions.items():
                start = time.perf_counter()
                action()
                seconds[name].append(time.perf_counter() - start)

        benchmark.pedantic(each_in_turn, rounds=repetitions, warmup_rounds=1)
        seconds = {name: each[1:] for name, each in seconds.items()}  # without the warm-up
        for name in seconds:
            note = "" if limit is None or name == limit else _ratio(seconds[name], seconds[limit])
            _report(topic, name, [1e3 * s for s in seconds[name]], "ms", note)
        return seconds

    return run


def _ratio(these: list[float], limit: list[float]) -> str:
    each = [mine / other for mine, other in zip(these, limit, strict=True)]
    return f"{statistics.median(each):.2f} x (least {min(these) / min(limit):.2f} x)"


def _report(topic: str, name: str, values: list[float], unit: str, note: str = "") -> None:
    _rows.append(Row(topic, name, statistics.median(values), min(values), unit, note))


@pytest.fixture
def report() -> Callable[..., None]:
    """Return a function that adds a row of measured values to the table."""
    return _report


def pytest_terminal_summary() -> None:
    if not _rows:
        return
    title = f"{torch.get_num_threads()} threads, torch {torch.__version__}, {platform.machine()}"
    table = Table("what", "median", "least", "", "compared with the limit", title=title)
    for i, row in enumerate(_rows):
        if i == 0 or _rows[i - 1].topic != row.topic:
            table.add_section()
            table.add_row(f"[bold]{row.topic}")
        table.add_row(
            f"  {row.name}", f"{row.median:,.1f}", f"{row.least:,.1f}", row.unit, row.note
        )
    Console(width=120).print(table)
