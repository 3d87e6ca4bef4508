"""Folders of simple volumes, and an evaluation of them as the program writes it."""

import json
from pathlib import Path

from planted_copies import person

from cowgan.evaluation.evaluation_files import HTML_FILE, JSON_FILE
from cowgan.evaluation.measures import MEASURES
from cowgan.volume import write_nifti

COUNT = 12


def write_people(folder: Path, first: int, count: int = COUNT) -> Path:
    """Write volumes of different people."""
    folder.mkdir()
    for seed in range(first, first + count):
        write_nifti(person(seed), folder / f"sub-{seed:03}.nii.gz")
    return folder


def write_evaluation_of(real: Path, generated: Path, out: Path, flagged: int = 1) -> Path:
    """Write what an evaluation of two such folders might have found, with a search for replicas."""
    names = [
        [path.name.partition(".")[0] for path in sorted(folder.glob("*.nii.gz"))]
        for folder in (generated, real)
    ]
    measure = {
        "generated": {"median": 0.05, "low": 0.02, "high": 0.09},
        "real": {"median": 0.03, "low": 0.01, "high": 0.06},
        "like_real": True,
    }
    told = {"generated": {"median": 0.31, "low": 0.22, "high": 0.4}, "like_real": False}
    content = {
        "format": "cowgan.evaluation/1",
        "request": {"real": str(real), "generated": str(generated)},
        "verdict": {
            "title": "Generated volumes can be told from real ones",
            "sentences": [
                "They are as far from real volumes as real ones of other people.",
                "They lack variety: 31 % of real volumes lie among them, real 62 %.",
            ],
            "cautions": [
                f"With {COUNT} volumes on each side, only large differences are seen.",
                f"Fréchet distance of 3952 features says little at {COUNT} volumes.",
            ],
        },
        "generated": str(generated),
        "training": str(real),
        "comparisons": [
            {
                "extractor": {
                    "name": "EfficientNet-Lite0 of MIPs and slices",
                    "recipe_sha256": 64 * "0",
                },
                "reference": str(real),
                "n_subset": COUNT,
                "measures": {
                    one.key: measure | (told if one.key == "recall" else {}) for one in MEASURES
                },
            }
        ],
        "volumes": [
            {"generated": made, "realism": 1.2 - 0.05 * place, "nearest_training": near}
            for place, (made, near) in enumerate(zip(*names, strict=False))
        ],
        "replicas": {
            "pairs": [
                {
                    "generated": made,
                    "training": near,
                    "mirrored": False,
                    "part": "whole",
                    "dice": 0.9 - 0.05 * place,
                    "p": 0.01 if place < flagged else 0.4,
                    "flagged": place < flagged,
                }
                for place, (made, near) in enumerate(zip(*names, strict=False))
            ]
        },
    }
    out.mkdir(parents=True)
    (out / JSON_FILE).write_text(json.dumps(content), encoding="utf-8")
    (out / HTML_FILE).write_text("<h1>Report</h1>", encoding="utf-8")
    return out
