"""Throw damaged files at every reader, in a process that may hang, die or eat memory.

    python -m fuzz.campaign --inputs 12000 --seed 0

An input may be read or refused in a plain sentence (`CowganError`); everything else is a fault.
The same seed damages the same places of the same sound files, whose times and random names
alone differ; ``--only KIND --input NUMBER`` repeats one.
"""

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
import traceback
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

from fuzz.kinds import KINDS, Kind, Specimens

from cowgan.errors import CowganError

TIME_LIMIT_S = 20
MEMORY_MB, PER_FILE_BYTE = 200, 2

Verdict = Literal["refused", "accepted", "fault", "hang", "memory"]


@dataclass
class Tally:
    """Results of the inputs of one kind.

    Attributes
    ----------
    verdicts : Counter of str
        How many inputs ended how.
    largest_mb : float
        Most memory that one input took.
    slowest_s : float
        Longest time.
    problems : list of str
        Number of an input, and what was wrong.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    largest_mb: float = 0.0
    slowest_s: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        return self.verdicts.total()


def run(seed: int, inputs: int, only: str | None = None, first: int = 0) -> dict[str, Tally]:
    """Read so many inputs, divided among the kinds by their weights.

    Parameters
    ----------
    seed : int
        Decides every input.
    inputs : int
        Of all kinds together.
    only : str, optional
        One kind alone.
    first : int
        Number of the first input of each kind.
    """
    kinds = {name: kind for name, kind in KINDS.items() if only in (None, name)}
    total = sum(kind.weight for kind in kinds.values())
    with tempfile.TemporaryDirectory(prefix="cowgan-fuzz-") as scratch:
        return {
            name: _run_kind(kind, seed, first, round(inputs * kind.weight / total) or 1, scratch)
            for name, kind in kinds.items()
        }


def table(tallies: dict[str, Tally]) -> str:
    """Return the outcome as text, one line per kind."""
    columns = ("inputs", "refused", "accepted", "fault", "hang", "memory")
    heads = ("inputs", "refused", "accepted", "faults", "hangs", "too much")
    lines = ["".join([f"{'kind':24}", *(f"{head:>10}" for head in heads), "  largest   slowest"])]
    everything = Tally()
    for name, tally in [*tallies.items(), ("all", everything)]:
        counts = [tally.inputs, *(tally.verdicts[column] for column in columns[1:])]
        numbers = "".join(f"{count:>10,}" for count in counts)
        lines.append(f"{name:24}{numbers}{tally.largest_mb:6.0f} MB{tally.slowest_s:8.2f} s")
        everything.verdicts += tally.verdicts
        everything.largest_mb = max(everything.largest_mb, tally.largest_mb)
        everything.slowest_s = max(everything.slowest_s, tally.slowest_s)
    return "\n".join(lines)


def _run_kind(kind: Kind, seed: int, first: int, count: int, scratch: str) -> Tally:
    good = kind.prepare(Path(tempfile.mkdtemp(dir=scratch)))
    good.check()
    tally, worker = Tally(), None
    for number in range(first, first + count):
        if worker is None:
            good.restore()
            worker = _Worker(f"{seed}/{kind.name}", good)
        verdict, said, grown_mb, seconds = worker.read(number)
        tally.verdicts[verdict] += 1
        tally.largest_mb = max(tally.largest_mb, grown_mb)
        tally.slowest_s = max(tally.slowest_s, seconds)
        if verdict not in ("refused", "accepted"):
            tally.problems.append(f"input {number}: {verdict}: {said}")
            worker.end()
            worker = None
    if worker is not None:
        worker.end()
    return tally


class _Worker:
    """A process that reads inputs of one kind."""

    def __init__(self, seed: str, good: Specimens) -> None:
        self._ours, worker_end = multiprocessing.Pipe()
        context = multiprocessing.get_context("fork")
        self._process = context.Process(target=_work, args=(worker_end, seed, good), daemon=True)
        self._process.start()
        worker_end.close()

    def read(self, number: int) -> tuple[Verdict, str, float, float]:
        start = time.monotonic()
        self._ours.send(number)
        if not self._ours.poll(TIME_LIMIT_S):
            return "hang", f"more than {TIME_LIMIT_S} s", 0.0, time.monotonic() - start
        try:
            return self._ours.recv()
        except EOFError:
            self._process.join()
            code = self._process.exitcode
            return "fault", f"the process died ({code})", 0.0, time.monotonic() - start

    def end(self) -> None:
        self._process.kill()
        self._process.join()


def _work(connection: Connection, seed: str, good: Specimens) -> None:
    # What libraries print on damaged files is not what is tested here.
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    while True:
        number = connection.recv()
        path = good.write(random.Random(f"{seed}/{number}"))
        before_mb, start = _start_of_peak(), time.monotonic()
        verdict, said = _verdict(lambda path=path: good.read(path))
        seconds = time.monotonic() - start
        grown_mb = max(0.0, _peak_mb() - before_mb)
        allowed_mb = MEMORY_MB + PER_FILE_BYTE * path.stat().st_size / 1e6 if path.exists() else 0
        if verdict in ("refused", "accepted") and grown_mb > allowed_mb > 0:
            verdict, said = "memory", f"{grown_mb:.0f} MB for {path.stat().st_size:,} bytes"
        connection.send((verdict, said, grown_mb, seconds))
        good.restore_damaged()


def _verdict(read) -> tuple[Verdict, str]:
    try:
        read()
    except CowganError as error:
        sentence = error.sentence
        odd = {"Cc", "Cs", "Zl", "Zp"} & set(map(unicodedata.category, sentence))
        plain = not odd and sentence.endswith(".") and len(sentence) < 1500
        return ("refused", sentence) if plain else ("fault", f"no plain sentence: {sentence!r}")
    except BaseException:  # noqa: BLE001 - that is what is looked for
        return "fault", traceback.format_exc()
    return "accepted", ""


def _start_of_peak() -> float:
    """Return the memory of this process in MB; `_peak_mb` counts from here on."""
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    return _status_mb("VmRSS")


def _peak_mb() -> float:
    return _status_mb("VmHWM")


def _status_mb(name: str) -> float:
    if sys.platform != "linux":
        return 0.0
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith(name + ":"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=12_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--input", type=int, help="one input alone, of the kind --only")
    chosen = parser.parse_args()
    start = time.monotonic()
    if chosen.input is None:
        tallies = run(chosen.seed, chosen.inputs, chosen.only)
    else:
        tallies = run(chosen.seed, 1, chosen.only, chosen.input)
    for name, tally in tallies.items():
        for problem in tally.problems[:20]:
            print(f"{name}, {problem}\n")
    print(table(tallies))
    print(f"Seed {chosen.seed}, {time.monotonic() - start:.0f} s.")
    sys.exit(any(tally.problems for tally in tallies.values()))


if __name__ == "__main__":
    main()
