"""Simulated heads at coarse resolution, in known poses."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cowgan.simulate import TofParameters, make_anatomy, simulate_tof
from cowgan.volume import Volume, default_affine, read_labels, write_nifti
from cowgan.volume.averaging import shrink
from cowgan.volume.resampling import Grid, resample

SPACING_MM = (1.86, 1.86, 1.86)


def _head(seed: int) -> Volume:
    """A head of 90 x 200 x 220 mm around a phantom, whose circle is at the origin."""
    occupancy = make_anatomy(seed, "complete").occupancy[1:31, 1:127, 1:127]
    coarse = occupancy.reshape(10, 3, 42, 3, 42, 3).mean(axis=(1, 3, 5))
    room = np.pad(coarse, ((16, 22), (33, 33), (42, 35)))
    tof = simulate_tof(room, SPACING_MM, seed=seed)
    affine = default_affine(tof.shape, SPACING_MM)
    middle = [33 + 20.5, 42 + 20.5, 16 + 4.5]
    affine[:3, 3] = -affine[:3, :3] @ middle
    return Volume(tof.data * 1000, affine)


@pytest.fixture(scope="session")
def head() -> Volume:
    """Return a scan of a whole head; its Circle of Willis is at the origin."""
    return _head(0)


@pytest.fixture(scope="session")
def other_heads() -> list[Volume]:
    return [_head(seed) for seed in (1, 2)]


@pytest.fixture(scope="session")
def template_file(head: Volume, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a template: the head itself, with its region of interest at the origin."""
    path = tmp_path_factory.mktemp("template") / "template.nii.gz"
    about = {"template": {"roi_centre_mm": [0.0, 0.0, 0.0]}}
    write_nifti(Volume(head.data, head.affine, about), path)
    return path


@pytest.fixture(scope="session")
def real_scan(shared_dir: Path) -> Callable[[str], Volume]:
    """Return a function that simulates a TOF MRA of a real anatomy, at about 1.25 mm."""
    folder = shared_dir / "data" / "ixi_full_fov"
    if not folder.is_dir():
        pytest.skip(f"no anatomies in {folder}")

    @cache
    def simulate(name: str, visit: int = 0) -> Volume:
        """Each visit has other sequence settings and noise of its own, in the same head."""
        (path,) = folder.glob(f"{name}*.nii.gz")
        labels, affine = read_labels(path)
        share = shrink(Volume(labels > 0, affine), 1.25)
        seed = int(name.removeprefix("IXI"))
        settings = replace(TofParameters.sample(seed + 1000 * visit), noise=0.0)
        tof = simulate_tof(share.data, share.spacing_mm, settings, seed)
        random = np.random.default_rng([seed, visit])
        tissue = np.median(tof.data[tof.data > tof.data.mean()])
        channels = 0.1 * tissue * random.standard_normal((2, *tof.shape))
        return Volume(1000 * np.hypot(tof.data + channels[0], channels[1]), share.affine)

    return simulate


def rigid(rotation_deg: Sequence[float], shift_mm: Sequence[float]) -> np.ndarray:
    """Return a 4 x 4 rigid map: turned about the origin, then shifted."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(rotation_deg)).as_matrix()
    matrix[:3, 3] = shift_mm
    return matrix


@pytest.fixture(scope="session")
def disturb() -> Callable[[np.random.Generator], np.ndarray]:
    """Return a function that draws a rigid map of at most 15 degrees and 20 mm."""

    def draw(random: np.random.Generator) -> np.ndarray:
        axis, direction = random.standard_normal((2, 3))
        angle, distance = random.uniform(0, 15), random.uniform(0, 20)
        return rigid(
            tuple(angle * axis / np.linalg.norm(axis)),
            tuple(distance * direction / np.linalg.norm(direction)),
        )

    return draw


@pytest.fixture(scope="session")
def move() -> Callable[..., tuple[Volume, np.ndarray]]:
    """Return a function that moves the patient in the scanner, about the middle of the scan.

    It returns the new scan and the 4 x 4 map from the old place of a point to the new one.
    The new scan has the field of view of the old one, so what leaves it is lost, and is 0
    where the old one did not reach; if `whole`, it is large enough to lose nothing.
    """

    def moved(
        volume: Volume, about_middle: np.ndarray, *, whole: bool = False
    ) -> tuple[Volume, np.ndarray]:
        grid = Grid(volume.shape, volume.affine)
        to_middle = np.eye(4)
        to_middle[:3, 3] = grid.centre_mm
        matrix = to_middle @ about_middle @ np.linalg.inv(to_middle)
        seen = _holding(grid, matrix) if whole else grid
        part = resample(volume, seen, np.linalg.inv(matrix))
        return Volume(part.data, seen.affine), matrix

    return moved


def _holding(grid: Grid, matrix: np.ndarray) -> Grid:
    """Return a grid along the same axes that holds all of a grid after a rigid map."""
    nz, nx, ny = grid.shape
    corners = np.array(list(product((0, nx - 1), (0, ny - 1), (0, nz - 1)))).T
    in_voxels = np.linalg.inv(grid.affine) @ matrix @ grid.affine
    placed = in_voxels[:3, :3] @ corners + in_voxels[:3, 3:]
    first = np.floor(placed.min(1)).astype(int)
    x, y, z = (np.ceil(placed.max(1)).astype(int) - first + 1).tolist()
    shift = np.eye(4)
    shift[:3, 3] = first
    return Grid((z, x, y), grid.affine @ shift)


@pytest.fixture(scope="session", name="rigid")
def rigid_fixture() -> Callable[[Sequence[float], Sequence[float]], np.ndarray]:
    return rigid


@pytest.fixture(scope="session")
def tree_hash() -> Callable[[Path], str]:
    """Return a function that digests names, contents and times of all files in a folder."""

    def digest(folder: Path) -> str:
        parts = [
            (str(p.relative_to(folder)), p.stat().st_mtime_ns, p.is_file() and p.read_bytes())
            for p in sorted(folder.rglob("*"))
        ]
        return sha256(repr(parts).encode()).hexdigest()

    return digest
