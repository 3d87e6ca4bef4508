"""Simulating and measuring a volume, against passes that nothing can do without."""

import numpy as np
from scipy.fft import dctn, idctn

from cowgan.measure import measure
from cowgan.simulate import make_anatomy, simulate_tof


def test_simulating(compare):
    anatomy = make_anatomy(1, "complete")
    tof = simulate_tof(anatomy.occupancy, seed=1)
    noise = np.random.RandomState(0)

    def unavoidable() -> None:
        """Make the noise of two channels, and pass to the acquired frequencies and back."""
        noise.standard_normal((2, *tof.shape)).astype(np.float32)
        idctn(dctn(tof.data, norm="ortho"), norm="ortho")
        idctn(tof.data, norm="ortho")

    compare(
        "Simulation, 32 x 128 x 128, one thread",
        {
            "TOF MRA of a vessel map": lambda: simulate_tof(anatomy.occupancy, seed=1),
            "anatomy of a phantom": lambda: make_anatomy(1, "complete"),
            "measurement of a TOF MRA": lambda: measure(tof),
            "noise and cosine transforms alone": unavoidable,
        },
        limit="noise and cosine transforms alone",
        repetitions=5,
    )
