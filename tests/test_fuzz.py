"""A small part of `make fuzz`: damaged files of every kind are read or refused, and no more."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


@pytest.mark.skipif(not hasattr(os, "fork"), reason="inputs are read in forked processes")
def test_damaged_files_of_every_kind_are_read_or_refused():
    # A process of its own, because torch must not have used threads before it forks.
    result = subprocess.run(
        [sys.executable, "-m", "fuzz.campaign", "--inputs", "200", "--seed", "13"],
        capture_output=True,
        encoding="utf-8",
        timeout=200,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, sys.path)]),
            "OMP_NUM_THREADS": "1",
        },
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    last = result.stdout.splitlines()[-2]
    inputs, refused, accepted, *faults = map(int, re.findall(r"(\d+) ", last.replace(",", ""))[:6])
    assert inputs >= 195
    assert refused > 50
    assert accepted > 20
    assert faults == [0, 0, 0]


def test_the_same_seed_gives_the_same_damage():
    import random

    from fuzz.mutations import damage, structural_json

    content = json.dumps({"a": [1, 2, {"b": "c"}], "d": None}).encode()
    for mutate in (damage, structural_json):
        first, again = ([mutate(content, random.Random(i)) for i in range(50)] for _ in range(2))
        assert first == again
        assert len(set(first)) > 25
