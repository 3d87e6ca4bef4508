"""Start-up, loading and memory."""

import json
import subprocess
import sys
from pathlib import Path

import checkpoint_files as files
import pytest

from cowgan.checkpoint import BUNDLED, Checkpoint, load, save
from cowgan.networks import PRESETS


def test_loading(compare, medium: Checkpoint, tmp_path: Path):
    save(medium, tmp_path / "single.safetensors")
    save(medium, tmp_path / "half.safetensors", "float16")
    full = Checkpoint.random(PRESETS["Medium_v2"])
    settings = files.TINY_SETTINGS | {"image_size": 128, "network_capacity": 8}
    published = files.write_published(tmp_path, {"GAN": files.published_state(full)}, settings)
    actions = {
        "Medium_v2, native, float32, EMA": lambda: load(tmp_path / "single.safetensors"),
        "Medium_v2, native, float16, EMA": lambda: load(tmp_path / "half.safetensors"),
        "Medium_v2, published .pt with discriminator": lambda: load(published, 32),
    }
    if BUNDLED.exists():
        actions["bundled model"] = lambda: load(BUNDLED)
    compare("Loading a checkpoint", actions, repetitions=5)


def test_importing(compare):
    def fresh(code: str):
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    statements = [f"import {name}" for name in ("cowgan", "napari_cowgan", "cowgan.synthesis")]
    compare(
        "Fresh interpreter",
        {name: fresh(name) for name in (*statements, "import torch", "pass")},
        repetitions=5,
    )


MEMORY = r"""
import json, pathlib, re, sys
from cowgan.checkpoint import Checkpoint, load
from cowgan.synthesis import LatentState, Synthesizer

def peak_mb():
    # Not getrusage: its peak includes that of the process that started this one.
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s*(\d+)", status)[1]) / 1024

peaks = [peak_mb()]
checkpoint = load(sys.argv[1])
peaks.append(peak_mb())
synthesizer = Synthesizer(checkpoint, "cpu", sys.argv[2])
for seed in range(3):
    synthesizer.render(LatentState(seed))
peaks.append(peak_mb())
print(json.dumps(peaks))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("precision", ["fast", "exact"])
def test_memory(benchmark, report, medium: Checkpoint, tmp_path: Path, precision: str):
    path = tmp_path / "model.safetensors"
    save(medium, path)

    def measured() -> list[float]:
        command = [sys.executable, "-c", MEMORY, str(path), precision]
        finished = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
        return json.loads(finished.stdout)

    imported, loaded, rendered = benchmark.pedantic(measured, rounds=1)
    topic = f"Peak memory, Medium_v2, {precision}"
    report(topic, "after import", [imported], "MB")
    report(topic, "after loading", [loaded], "MB")
    report(topic, "after rendering", [rendered], "MB")
