"""Measuring a scan of a whole head, from the file to the numbers, and volumes that are made."""

import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.ndimage import gaussian_filter, zoom

from cowgan.checkpoint import load_bundled
from cowgan.measure.vessel_attributes import measure_vessels
from cowgan.segmentation.artery_attributes import artery_segmenter, artery_values
from cowgan.simulate import make_anatomy, simulate_tof
from cowgan.synthesis import LatentState, Synthesizer

SHAPE = (657, 761, 160)

MEASURE = r"""
import json, pathlib, re, sys, time
start, cpu = time.perf_counter(), time.process_time()
from cowgan.measure import measure
from cowgan.volume import read_volume
measure(read_volume(sys.argv[1]))
status = pathlib.Path("/proc/self/status").read_text()
peak_mb = int(re.search(r"VmHWM:\s*(\d+)", status)[1]) / 1024
print(json.dumps([time.perf_counter() - start, time.process_time() - cpu, peak_mb]))
"""


def test_measuring_a_large_scan(compare, report, tmp_path: Path):
    tof = simulate_tof(make_anatomy(1, "complete").occupancy, seed=1).data.transpose(1, 2, 0)
    large = zoom(tof, np.array(SHAPE) / tof.shape, order=1)
    large = 1000 * large + 20 * np.random.default_rng(0).standard_normal(SHAPE, "f4")
    path = tmp_path / "large.nii"
    nib.save(nib.Nifti1Image(large.astype(np.int16), np.diag([-0.25, 0.25, 0.25, 1])), path)
    topic = "Measurement, " + " x ".join(map(str, SHAPE))
    image = np.ascontiguousarray(large.transpose(2, 0, 1), dtype=np.float32)
    passes = {
        "one Gaussian window of 2 mm over all voxels": lambda: gaussian_filter(image, 8, truncate=2)
    }
    (least,) = compare(topic, passes, repetitions=1).values()
    command = [sys.executable, "-c", MEASURE, str(path)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    seconds, cpu_s, peak_mb = json.loads(done.stdout)
    report(topic, "file to numbers", [1e3 * seconds], "ms", f"{seconds / least[0]:.1f} x")
    report(topic, "processor time of that", [1e3 * cpu_s], "ms")
    report(
        topic, "most memory", [peak_mb], "MB", f"{peak_mb * 2**20 / image.nbytes:.1f} x the image"
    )


def test_measuring_a_volume_that_was_made(compare):
    """Measure a volume of the explorer's usual size, which must not lag behind rendering."""
    state = LatentState(0)
    synthesizer = Synthesizer(load_bundled(), "cpu")
    volume, segmenter = synthesizer.render(state), artery_segmenter("cpu")
    labels, tubes = segmenter(volume).labels, measure_vessels(volume).tubes
    compare(
        "Measurement, 32 x 128 x 128",
        {
            "render the volume": lambda: next(synthesizer.render_many([state])),
            "all vessels": lambda: measure_vessels(volume),
            "find single arteries": lambda: segmenter(volume),
            "measure single arteries": lambda: artery_values(labels, tubes, volume.spacing_mm),
        },
        limit="render the volume",
    )
