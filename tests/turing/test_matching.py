"""A reader who has the model and the program, and nothing but a package of the study."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu
from turing_studies import protocol, write_model

from cowgan.checkpoint import BUNDLED, load
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.turing.design.processing import rounded, scale
from cowgan.turing.design.protocol import Protocol
from cowgan.turing.design.sources import CheckpointSource, FolderSource
from cowgan.turing.reading.package import Package, volume_bytes
from cowgan.turing.study.creation import new_study
from cowgan.turing.study.study import Study
from cowgan.volume import read_volume, write_nifti


def perfectly_generated(folder: Path, model: Path, chosen: Protocol) -> Study:
    """Make a study whose real volumes come from the model too, so nothing else differs."""
    random = np.random.default_rng(8)
    count = chosen.volumes_per_class
    states = [LatentState(seed=int(seed)) for seed in random.integers(2**62, 2**63, count)]
    for number, volume in enumerate(Synthesizer(load(model), "cpu").render_many(states)):
        write_nifti(volume, folder / "real" / f"person{number:03d}.nii.gz")
    sources = FolderSource(folder / "real"), CheckpointSource(model, 1.0, "cpu")
    return new_study(folder / "study", *sources, chosen, accept_leak="chance")


def rendered_seeds(model: Path, seeds: range) -> Iterator[NDArray[np.uint16]]:
    """Yield volumes as the published program generates them from likely seeds."""
    renderer = Synthesizer(load(model), "cpu")
    for volume in renderer.render_many([LatentState(seed=seed) for seed in seeds]):
        yield rounded(scale(volume.data, (0, 0, 0), (1.0, 99.8), 4096))


def unit_vector(voxels: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return a volume as a vector, whose products are correlations."""
    vector = voxels.ravel().astype(np.float32)
    vector -= vector.mean()
    return vector / np.linalg.norm(vector)


def look_for_matches(study: Study, model: Path, seeds: range) -> tuple[float, float]:
    """Assert that no volume of a package is found.

    Returns
    -------
    tuple of float
        AUC with which the best correlation tells generated volumes, and the largest one.
    """
    package = Package.open(study.package_folder("sub-R01"))
    names = list(package.manifest.volumes)
    hashes = {entry.sha256 for entry in package.manifest.volumes.values()}
    hashes |= {sha256(package.volume(name).tobytes()).hexdigest() for name in names}
    shown = np.stack([unit_vector(package.volume(name)) for name in names])
    best = np.full(len(names), -1.0)
    for voxels in rendered_seeds(model, seeds):
        assert sha256(voxels.tobytes()).hexdigest() not in hashes
        assert sha256(volume_bytes(voxels)).hexdigest() not in hashes
        best = np.maximum(best, shown @ unit_vector(voxels))
    truths = np.array([study.key.case("sub-R01", name).truth for name in names])
    generated, real = (best[truths == truth] for truth in ("generated", "real"))
    above = mannwhitneyu(generated, real).statistic / (len(generated) * len(real))
    return float(above), float(best.max())


def test_no_volume_matches_the_first_seeds(tmp_path, fixed_salt):
    model = write_model(tmp_path / "model.safetensors")
    study = perfectly_generated(tmp_path, model, protocol(readers=1, cases=40))
    auc, most = look_for_matches(study, model, range(60))
    assert 0.3 < auc < 0.7
    assert most < 0.99


def test_a_known_seed_matches_its_volume(tmp_path, fixed_salt):
    """The search above is able to find something."""
    model = write_model(tmp_path / "model.safetensors")
    study = perfectly_generated(tmp_path, model, protocol(readers=1))
    package = study.package("sub-R01")
    name = next(
        name
        for name in package.manifest.volumes
        if study.key.case("sub-R01", name).truth == "generated"
    )
    seed = study.key.case("sub-R01", name).origin["seed"]
    (voxels,) = rendered_seeds(model, range(seed, seed + 1))
    assert unit_vector(package.volume(name)) @ unit_vector(voxels) > 0.9999
    assert sha256(voxels.tobytes()).hexdigest() != study.key.case("sub-R01", name).voxels_sha256


def test_the_owner_of_a_real_scan_finds_no_hash_but_recognises_the_image(tmp_path, fixed_salt):
    model = write_model(tmp_path / "model.safetensors")
    study = perfectly_generated(tmp_path, model, protocol(readers=1))
    package = study.package("sub-R01")
    shown = np.stack([unit_vector(package.volume(name)) for name in package.manifest.volumes])
    manifest = (package.folder / "manifest.json").read_text(encoding="utf-8")
    for path in (tmp_path / "real").glob("*.nii.gz"):
        voxels = rounded(scale(read_volume(path).data, (0, 0, 0), (1.0, 99.8), 4096))
        for content in (path.read_bytes(), voxels.tobytes(), volume_bytes(voxels)):
            assert sha256(content).hexdigest() not in manifest
        correlations = shown @ unit_vector(voxels)
        assert np.sum(correlations > 0.9999) == 1


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_volume_of_the_bundled_model_matches_a_thousand_seeds(tmp_path, fixed_salt):
    study = perfectly_generated(
        tmp_path, BUNDLED, Protocol(1, readers=1, cases=60, repeats=0, practice=6)
    )
    auc, most = look_for_matches(study, BUNDLED, range(1000))
    assert 0.35 < auc < 0.65
    assert most < 0.95
