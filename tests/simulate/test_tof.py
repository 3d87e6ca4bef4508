import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from cowgan.errors import CowganError
from cowgan.simulate import TofParameters, make_anatomy, simulate_tof
from cowgan.volume import DEFAULT_SPACING_MM, default_affine

QUIET = replace(
    TofParameters(), noise=0.0, coil_bias=0.0, ghosting=0.0, texture=0.0, flow_unevenness=0.0
)


@pytest.fixture(scope="module")
def occupancy() -> np.ndarray:
    return make_anatomy(1, "complete").occupancy


def straight_tube(height: int = 100, radius: float = 2.5) -> np.ndarray:
    x, y = np.ogrid[:40, :40]
    disc = np.hypot(x - 19.5, y - 19.5) <= radius
    return np.repeat(disc[None].astype(np.float32), height, axis=0)


def lumen(image: np.ndarray) -> np.ndarray:
    return image[:, 19:21, 19:21].mean(axis=(1, 2))


def test_the_same_seed_gives_the_same_volume(occupancy: np.ndarray) -> None:
    first, again, other = (simulate_tof(occupancy, seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first.data, again.data)
    assert np.abs(first.data - other.data).max() > 0.1
    assert first.provenance == again.provenance


def test_the_number_of_threads_changes_nothing() -> None:
    code = (
        "import hashlib, numpy as np\n"
        "from cowgan.simulate import simulate_tof\n"
        "from cowgan.simulate.deformation import Deformation\n"
        "tube = np.zeros((32, 64, 64), np.float32)\n"
        "tube[:, 30:34, 30:34] = 1\n"
        "tube = Deformation.draw(tube.shape, seed=3).apply(tube)\n"
        "volume = simulate_tof(tube, seed=3)\n"
        "print(hashlib.sha256(volume.data.tobytes()).hexdigest())"
    )
    digests = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OMP_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for n in ("1", "2")
    ]
    assert digests[0] == digests[1]


def test_the_volume_is_marked_synthetic_and_records_its_parameters(occupancy: np.ndarray) -> None:
    volume = simulate_tof(occupancy, seed=4)
    assert volume.synthetic
    assert volume.shape == occupancy.shape
    np.testing.assert_allclose(volume.affine, default_affine(volume.shape))
    assert volume.data.dtype == np.float32
    assert volume.data.min() >= 0
    assert volume.data.max() == 1
    stored = volume.provenance["simulation"]
    parameters = TofParameters.from_dict(stored["parameters"])
    again = simulate_tof(occupancy, params=parameters, seed=stored["seed"])
    np.testing.assert_array_equal(volume.data, again.data)


def test_arteries_are_the_brightest_and_csf_around_them_the_darkest(
    occupancy: np.ndarray,
) -> None:
    image = simulate_tof(occupancy, params=QUIET, seed=2).data
    artery = image[occupancy == 1]
    cistern = image[binary_dilation(occupancy > 0, iterations=3) & ~binary_dilation(occupancy > 0)]
    elsewhere = image[~binary_dilation(occupancy > 0, iterations=10)]
    assert np.percentile(artery, 5) > 2 * np.median(elsewhere)
    assert np.median(cistern) < 0.8 * np.median(elsewhere)


def test_blood_fades_on_its_way_up_and_sooner_when_it_is_slow() -> None:
    one_slab = replace(QUIET, slab_thickness_mm=400, slab_offset=0.1, flip_ramp=0.0)
    fast, slow = (
        lumen(
            simulate_tof(straight_tube(), params=replace(one_slab, blood_velocity_mm_s=speed)).data
        )
        for speed in (600.0, 150.0)
    )
    for profile in (fast, slow):
        assert (np.diff(profile[5:-5]) <= 1e-3).all()
    assert slow[-10] / slow[5] < fast[-10] / fast[5] < 1


def test_blood_is_fresh_again_in_the_next_slab() -> None:
    slabs = replace(QUIET, slab_thickness_mm=30, slab_offset=0.5, blood_velocity_mm_s=150.0)
    profile = lumen(simulate_tof(straight_tube(), params=slabs).data)
    border = round(15 / DEFAULT_SPACING_MM[0])
    assert profile[border + 3] > 1.05 * profile[border - 3]


def test_a_rising_flip_angle_evens_out_the_fading() -> None:
    base = replace(QUIET, slab_thickness_mm=70, slab_offset=0.0, blood_velocity_mm_s=250.0)
    flat, ramped = (
        lumen(simulate_tof(straight_tube(), params=replace(base, flip_ramp=ramp)).data)
        for ramp in (0.0, 0.4)
    )
    middle = slice(20, 80)
    assert np.ptp(ramped[middle]) / ramped.max() < np.ptp(flat[middle]) / flat.max()


def test_noise_is_rician(occupancy: np.ndarray) -> None:
    noisy = replace(QUIET, noise=0.5, resolution_mm=0.3)
    image = simulate_tof(np.pad(occupancy, ((0, 0), (80, 80), (80, 80))), params=noisy).data
    air = image[:, :20, :20].ravel()
    # Where there is no signal a Rician becomes a Rayleigh distribution.
    assert air.mean() / air.std() == pytest.approx(np.sqrt(np.pi / (4 - np.pi)), rel=0.03)


def test_ghosts_stand_beside_the_arteries_along_the_phase_axis(occupancy: np.ndarray) -> None:
    clean, ghosted = (
        simulate_tof(occupancy, params=replace(QUIET, ghosting=amount)).data
        for amount in (0.0, 0.05)
    )
    ghost = ghosted / np.median(ghosted) - clean / np.median(clean)
    shifted = np.roll(occupancy, round(0.23 * 128), axis=1) == 1
    assert ghost[shifted & (occupancy == 0)].mean() > 10 * abs(np.median(ghost))


def test_sharp_bends_of_the_carotid_lose_signal(occupancy: np.ndarray) -> None:
    kept, lost = (
        simulate_tof(occupancy, params=replace(QUIET, siphon_loss=loss)).data for loss in (0.0, 0.6)
    )
    ratio = (lost / np.median(lost)) / (kept / np.median(kept))
    assert np.percentile(ratio[occupancy == 1], 1) < 0.9
    assert np.median(ratio[occupancy == 1]) == pytest.approx(1, abs=0.02)


def test_a_label_map_and_its_occupancy_give_nearly_the_same(occupancy: np.ndarray) -> None:
    labels = np.where(occupancy >= 0.5, 7, 0).astype(np.uint8)
    by_label, by_occupancy = (simulate_tof(map_, params=QUIET).data for map_ in (labels, occupancy))
    assert np.corrcoef(by_label.ravel(), by_occupancy.ravel())[0, 1] > 0.97
    np.testing.assert_array_equal(by_label, simulate_tof(labels > 0, params=QUIET).data)


def test_left_stays_left() -> None:
    one_sided = np.zeros((20, 60, 60), np.float32)
    one_sided[:, 45:49, 30:34] = 1
    image = simulate_tof(one_sided, params=QUIET).data
    assert image[:, 30:].max() > 3 * image[:, :30].max()


def test_any_grid_works() -> None:
    coarse = np.zeros((12, 50, 40), np.uint8)
    coarse[:, 20:23, 20:23] = 1
    volume = simulate_tof(coarse, (1.5, 1.2, 1.3), seed=1)
    assert volume.spacing_mm == pytest.approx((1.5, 1.2, 1.3))
    single = np.zeros((1, 8, 8), bool)
    single[0, 4, 4] = True
    assert np.isfinite(simulate_tof(single).data).all()


@pytest.mark.parametrize(
    ("vessels", "spacing"),
    [
        (np.zeros((8, 8, 8), np.uint8), DEFAULT_SPACING_MM),
        (np.ones((8, 8), np.uint8), DEFAULT_SPACING_MM),
        (np.full((8, 8, 8), 2.0), DEFAULT_SPACING_MM),
        (np.full((8, 8, 8), np.nan), DEFAULT_SPACING_MM),
        (np.ones((8, 8, 8), complex), DEFAULT_SPACING_MM),
        (np.ones((8, 8, 8), np.uint8), (0.6, 0.0, 0.6)),
        (np.ones((8, 8, 8), np.uint8), (0.6, 0.6)),
    ],
)
def test_anything_but_a_vessel_map_is_refused(vessels, spacing, single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        simulate_tof(vessels, spacing)
    single_sentence(refusal)


def test_an_anatomy_without_a_solid_voxel_still_works() -> None:
    faint = np.zeros((8, 16, 16), np.float32)
    faint[:, 8, 8] = 0.3
    assert simulate_tof(faint, params=QUIET).data[:, 8, 8].min() > 0
