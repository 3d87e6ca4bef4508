"""Readings made of counts, ratings or chance, and a published study."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from hypothesis import settings

from cowgan.turing.statistics import Answer, ReaderAnswers, ReaderPanel

Z95 = 1.959963984540054

examples = settings(max_examples=50, deadline=None)
"""How properties of statistics are tried; a busy machine may take its time."""


def reading_of_counts(
    hits: int, misses: int, false_alarms: int, correct_rejections: int, reader: str = "R01"
) -> ReaderAnswers:
    cells = ((True, 2, hits), (True, -2, misses), (False, 2, false_alarms))
    cells += ((False, -2, correct_rejections),)
    answers = [(truth, rating) for truth, rating, count in cells for _ in range(count)]
    return reading_of_ratings(*zip(*answers, strict=True), reader=reader)


def reading_of_correct(right: int, n: int) -> ReaderAnswers:
    """Half of the cases are generated, as near as possible."""
    generated = n // 2
    hits = min(right, generated)
    rest = right - hits
    return reading_of_counts(hits, generated - hits, n - generated - rest, rest)


def reading_of_ratings(
    generated: Sequence[bool],
    ratings: Sequence[int],
    seconds: Sequence[float] | None = None,
    reader: str = "R01",
) -> ReaderAnswers:
    times = [None] * len(ratings) if seconds is None else seconds
    return ReaderAnswers(
        reader,
        tuple(
            Answer(f"c{number}", bool(truth), int(rating), time)
            for number, (truth, rating, time) in enumerate(
                zip(generated, ratings, times, strict=True)
            )
        ),
    )


def panel_of_ratings(generated: Sequence[bool], ratings: Any) -> ReaderPanel:
    rows = np.asarray(ratings)
    readers = tuple(f"R{number:02d}" for number in range(1, len(rows) + 1))
    cases = tuple(f"c{number}" for number in range(rows.shape[1]))
    return ReaderPanel(readers, cases, np.asarray(generated, dtype=bool), rows.astype(np.int64))


def standard_error(low: float, high: float, z: float = Z95) -> float:
    return (high - low) / 2 / z


def is_plain(result: Any) -> bool:
    """Tell whether a result is JSON that any reader of JSON understands."""
    return json.loads(json.dumps(asdict(result), allow_nan=False)) is not None


HANLEY_MCNEIL = ((33, 6, 6, 11, 2), (3, 2, 2, 11, 33))
"""Hanley and McNeil, Radiology 143:29, 1982, table I: CT images of 58 normal and 51 abnormal
patients in five levels of confidence."""


def hanley_mcneil() -> ReaderAnswers:
    rated = [
        (bool(abnormal), level)
        for abnormal, counts in enumerate(HANLEY_MCNEIL)
        for level, count in enumerate(counts, start=1)
        for _ in range(count)
    ]
    return reading_of_ratings(*zip(*rated, strict=True))


VAN_DYKE = {
    "cine": """
        122151111111411111111131311214111113121211233131133111111221111332111
        555545554555434245555555154454553555115554451
        232222222322522232222222422223222222222222222222222222222432232222222
        535555542555442225555555243354552425225555352
        222235112242422232221232411322112224121412112222223211211221151421212
        545555555555542355555555252255552555225555552
        111111311111111111112111211112111111111111111111331111111111111311111
        555555555555555155555555554544553555125555555
        351211112221211122113221111211211231221113332111211111111341231212113
        525255551545452235555554144322151515115553552
    """,
    "spin echo": """
        333222223213122222211111421312214323123122233111333113412421241442111
        535555554555544335555555355355554455535555551
        322222223222222122221222322222212212222231223222222222322322222222122
        535555552555344245455545252355532425525555552
        242222322211132222121121411512112122212221132111233113221232341242121
        525555555555354145555555253355543555534555551
        221111312111122111211111321212111122112111112121212211111212111323211
        545555554555455555555555455445555555535555555
        223122221222111222122212322321212222112121132122332122221222231233111
        525455555455343335555555251332532545533555553
    """,
}
"""Van Dyke et al., 79th RSNA Scientific Assembly, 1993: five readers rate cine and spin-echo
MRI of 69 patients without and then 45 with aortic dissection, from 1 to 5. The standard
example of multi-reader analysis, in MRMCaov, RJafroc and OR-DBM MRMC."""


def van_dyke(modality: str) -> ReaderPanel:
    lines = VAN_DYKE[modality].split()
    rows = [
        [int(digit) for digit in normal + abnormal]
        for normal, abnormal in zip(lines[::2], lines[1::2], strict=True)
    ]
    return panel_of_ratings(np.arange(114) >= 69, rows)
