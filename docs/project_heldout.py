"""Project simulated people whom the bundled model never saw, and volumes that it made itself.

Usage: python docs/project_heldout.py [BANK WORK [--people 10] [--own 3]]

Writes docs/projection/results.csv, docs/projection/start.json and docs/images/projection.png, of
which docs/projection.md is made. What is measured of each volume is kept in WORK, so that a run
that was stopped goes on. Without a bank, it prints the tables of the page.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.bank.bank import Bank
from cowgan.checkpoint import load_bundled
from cowgan.data.subjects import first_of_each
from cowgan.documents import read_json
from cowgan.files import write_json
from cowgan.latent.encoder_files import stored_encoder
from cowgan.latent.inversion import STAGES, project
from cowgan.latent.p_space import PSpace
from cowgan.latent.projection_files import ProjectionReport
from cowgan.latent.projection_quality import projection_quality
from cowgan.pictures import png_bytes
from cowgan.progress import Silent
from cowgan.randomness import stream
from cowgan.report.numbers import decimal
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.tables import read_table, write_table
from cowgan.volume import Volume
from cowgan.volume.contact_sheet import contact_sheet
from cowgan.volume.intensity import to_grey
from cowgan.volume.projection import mip

HERE = Path(__file__).parent
RESULTS = HERE / "projection" / "results.csv"
START = HERE / "projection" / "start.json"
PICTURE = HERE / "images" / "projection.png"
MEASURES = {"psnr": 1, "ssim": 3, "mean_difference": 4, "vessel_dice": 3, "centreline_mm": 2}
TITLES = {
    "psnr": "PSNR, dB",
    "ssim": "SSIM",
    "mean_difference": "mean difference",
    "vessel_dice": "vessel Dice",
    "centreline_mm": "centrelines, mm",
}
LOWER_IS_BETTER = ("mean_difference", "centreline_mm")
KINDS = {"person": "people held out", "own": "own volumes"}
COLUMNS = ["kind", "name", "stage", *MEASURES, "processor_s"]
WITHOUT_NOISE = "w+ without noise"
"""The styles of stage W+ alone: what the noise adds is no part of the latent."""
SHOWN = {"w": "`w`", "w+": "`w+`", WITHOUT_NOISE: "`w+`, noise off", "pivotal": "`pivotal`"}
_DIFFERENCE_WHITE = 0.25
_START_SEEDS = range(900, 920)


class _Clock(Silent):
    """Processor time at the last step of each stage."""

    def __init__(self) -> None:
        self.start = time.process_time()
        self.seconds: dict[str, float] = {}

    def report(self, done: int, total: int, message: str = "") -> None:
        """Note when a step of a stage ended."""
        self.seconds[message.split(",")[0]] = time.process_time() - self.start


def volumes(bank: Bank, people: int, own: int) -> Iterator[tuple[str, str, Volume]]:
    """Yield kind, name and volume of what is projected, people in a random order."""
    subjects = [bank.cases[place].subject for place in bank.holdout]
    places = [int(bank.holdout[first]) for first in first_of_each(subjects)]
    order = stream("people to project", 0).permutation(len(places))[:people]
    for place in (places[index] for index in order):
        yield "person", bank.cases[place].subject, bank.volume(place)
    synthesizer = Synthesizer(load_bundled(), "cpu", "exact")
    for seed in range(1, own + 1):
        yield "own", f"seed {seed}", synthesizer.render(LatentState(seed))


def measure(kind: str, name: str, volume: Volume, work: Path) -> None:
    """Project one volume; keep figures and a strip of pictures."""
    clock = _Clock()
    found = project(volume, load_bundled(), "pivotal", "cpu", progress=clock)
    report = ProjectionReport.of(found)
    rows = [
        {"kind": kind, "name": name, "stage": each.stage, **asdict(quality)}
        | {"processor_s": round(clock.seconds[each.stage], 1)}
        for each, quality in zip(found.findings, report.qualities, strict=True)
    ]
    quiet = replace(found.findings[STAGES.index("w+")].state, noise=False)
    of_styles = Synthesizer(load_bundled(), "cpu", "exact").render(quiet)
    rows.append(
        {"kind": kind, "name": name, "stage": WITHOUT_NOISE}
        | asdict(projection_quality(found.target, of_styles))
    )
    scan = found.target.volume
    shown = [(scan.data, 1.0)]
    for each in found.findings:
        shown += [
            (each.volume.data, 1.0),
            (np.abs(each.volume.data - scan.data), _DIFFERENCE_WHITE),
        ]
    strip = contact_sheet(
        [to_grey(mip(Volume(data, scan.affine), "axial"), 0, white) for data, white in shown], 7, 2
    )
    np.save(work / f"{kind} {name}.npy", strip)
    write_json(work / f"{kind} {name}.json", rows)
    print(json.dumps(rows), flush=True)


def measure_start() -> None:
    """Compare volumes of guessed codes with the own volumes that they were guessed from."""
    model = load_bundled()
    stored = stored_encoder(model)
    assert stored is not None
    encoder, space = stored.encoder, PSpace.of(model)
    synthesizer = Synthesizer(model, "cpu")
    differences: dict[str, list[float]] = {}
    for seed in _START_SEEDS:
        volume = synthesizer.render(LatentState(seed))
        guess = space.w(encoder.guess(volume)[None])[0].tolist()
        for name, state in (
            ("mean code", LatentState(psi=0, noise=False)),
            ("guessed code", LatentState(w=(tuple(guess),), noise=False)),
            ("true code", LatentState(seed, noise=False)),
            (
                "true code and noise, save that of the finest block",
                replace(
                    LatentState(seed), noise_strength=(1.0,) * (model.config.n_blocks - 1) + (0.0,)
                ),
            ),
        ):
            difference = np.abs(synthesizer.render(state).data - volume.data).mean()
            differences.setdefault(name, []).append(float(difference))
    means = {name: round(float(np.mean(each)), 4) for name, each in differences.items()}
    write_json(START, {"seeds": len(_START_SEEDS), **stored.provenance, "differences": means})


def collect(work: Path) -> None:
    """Write the table and the picture: the best, the median and the worst person."""
    rows: list[dict[str, Any]] = []
    for path in sorted(work.glob("*.json")):
        rows += read_json(path, list[dict[str, Any]])
    for row in rows:
        row.update({each: round(row[each], 4) for each in MEASURES if row[each] is not None})
    RESULTS.parent.mkdir(exist_ok=True)
    write_table(RESULTS, COLUMNS, rows)
    strips = [
        np.load(work / f"person {name}.npy") for name in _shown_people(_rows("person", "pivotal"))
    ]
    PICTURE.write_bytes(png_bytes(np.concatenate(strips)))


def _shown_people(rows: Sequence[dict[str, str]]) -> list[str]:
    """Return the best, the median and the worst person by vessel Dice."""
    ordered = sorted(rows, key=lambda row: -float(row["vessel_dice"]))
    return [ordered[place]["name"] for place in (0, len(ordered) // 2, -1)]


def _rows(kind: str, stage: str) -> list[dict[str, str]]:
    return [row for row in read_table(RESULTS)[1] if (row["kind"], row["stage"]) == (kind, stage)]


def tables() -> Iterator[str]:
    """Yield what the page quotes: start, results of both kinds, times, and people."""
    start: dict[str, Any] = read_json(START, dict[str, Any])
    yield (
        f"fitted to {start['samples']} volumes, explains {1 - start['p_error']:.0%} of the "
        f"variance of left-out latents in P space; averaged over whitened components, the squared "
        f"error is {decimal(start['code_error'])} times that of the mean code"
    )
    lines = [
        f"| code, without noise | mean difference from {start['seeds']} own volumes |",
        "|---|---|",
        *(f"| {name} | {decimal(each, 4)} |" for name, each in start["differences"].items()),
    ]
    yield "\n".join(lines)
    for kind, title in KINDS.items():
        n = len(_rows(kind, "w"))
        lines = [
            f"| {n} {title} | {' | '.join(f'{each}, mean (worst)' for each in TITLES.values())} |",
            "|---" * (1 + len(TITLES)) + "|",
        ]
        for stage, shown in SHOWN.items():
            rows = _rows(kind, stage)
            cells = [_mean_and_worst(_values(rows, each), each) for each in MEASURES]
            lines.append(f"| {shown} | {' | '.join(cells)} |")
        yield "\n".join(lines)
    lines = ["| processor time until the end of | mean, s | longest, s |", "|---|---|---|"]
    for stage in STAGES:
        seconds = _values([row for kind in KINDS for row in _rows(kind, stage)], "processor_s")
        lines.append(f"| `{stage}` | {decimal(seconds.mean(), 0)} | {decimal(seconds.max(), 0)} |")
    yield "\n".join(lines)
    people = ", ".join(row["name"] for row in _rows("person", "w"))
    pictured = " / ".join(_shown_people(_rows("person", "pivotal")))
    yield f"The people: {people}. In the picture: {pictured}."


def _values(rows: Sequence[dict[str, str]], measure: str) -> NDArray[np.float64]:
    return np.array([float(row[measure]) for row in rows if row[measure]])


def _mean_and_worst(values: NDArray[np.float64], measure: str) -> str:
    worst = values.max() if measure in LOWER_IS_BETTER else values.min()
    digits = MEASURES[measure]
    return f"{decimal(values.mean(), digits)} ({decimal(worst, digits)})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bank", type=Path, nargs="?")
    parser.add_argument("work", type=Path, nargs="?")
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--own", type=int, default=3)
    chosen = parser.parse_args()
    if chosen.bank is not None and chosen.work is not None:
        chosen.work.mkdir(exist_ok=True)
        for kind, name, volume in volumes(Bank.open(chosen.bank), chosen.people, chosen.own):
            if not (chosen.work / f"{kind} {name}.json").exists():
                measure(kind, name, volume, chosen.work)
        collect(chosen.work)
        measure_start()
    print("\n\n".join(tables()))
