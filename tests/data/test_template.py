"""Tests of templates: average, mean pose, region of interest and excluded scans."""

import json

import numpy as np
import pytest

from cowgan.data.roi import find_centre_mm
from cowgan.data.template import _to_mean_pose, build_template, read_template
from cowgan.errors import Cancelled, CowganError
from cowgan.volume import DEFAULT_SPACING_MM, Volume, sidecar_path, write_nifti
from cowgan.volume.resampling import Grid

pytest.importorskip("SimpleITK")


@pytest.fixture(scope="module")
def moved_copies(head, move, rigid, tmp_path_factory):
    """Return a folder of one head in three poses and a broken file, and the poses."""
    folder = tmp_path_factory.mktemp("copies")
    poses = {
        "a": rigid((6, 0, 0), (5, 0, 4)),
        "b": rigid((-4, 5, 0), (-6, 3, 0)),
        "c": rigid((0, -3, 7), (0, -5, -3)),
    }
    for name, pose in poses.items():
        volume, poses[name] = move(head, pose)
        write_nifti(volume, folder / f"{name}.nii.gz")
    (folder / "broken.nii.gz").write_bytes(b"no image")
    return folder, poses


@pytest.fixture(scope="module")
def built(moved_copies, tree_hash, few_samples):
    folder, _ = moved_copies
    before = tree_hash(folder)
    path = folder.parent / "out" / "template.nii.gz"
    summary = build_template([folder], path, jobs=1, rounds=1)
    assert tree_hash(folder) == before
    return path, summary


def test_copies_of_one_head_average_to_it(built, head):
    path, summary = built
    template = read_template(path)
    assert template.volume.spacing_mm == pytest.approx(DEFAULT_SPACING_MM)
    assert set(summary.scores) == {"a", "b", "c"}
    assert min(summary.scores.values()) > 0.8
    assert set(summary.left_out) == {"broken"}
    # A sharp average shows the arteries as bright as the head itself does.
    assert np.percentile(template.volume.data, 99.9) > 0.6


def test_the_pose_is_the_mean_of_all(built, moved_copies, head):
    """Whatever scan was the first reference, the template must not lean like it."""
    path, _ = built
    template = read_template(path)
    scans = (Volume(head.data, pose @ head.affine) for pose in moved_copies[1].values())
    # The head sits somewhere else in each scanner; the template's origin is their mean.
    expected = np.mean([find_centre_mm(scan) for scan in scans], axis=0) - head_middle(head)
    assert np.linalg.norm(find_centre_mm(template.volume) - expected) < 10
    np.testing.assert_allclose(
        template.volume.affine[:3, :3], np.diag([-0.61875, 0.61875, 0.62]), atol=1e-6
    )


def head_middle(head: Volume) -> np.ndarray:
    return Grid(head.shape, head.affine).centre_mm


def test_the_mean_pose_turns_scans_by_nothing_on_average(rigid):
    poses = [
        rigid((10, 0, 0), (3, 0, 0)),
        rigid((-2, 6, 0), (0, 4, 0)),
        rigid((1, 2, 9), (0, 0, 5)),
    ]
    grid = Grid((11, 11, 11), np.diag([-1.0, 1, 1, 1]))
    to_mean = _to_mean_pose(poses, [grid] * 3)
    turned = np.sum([(pose @ to_mean)[:3, :3] for pose in poses], axis=0)
    left, _, right = np.linalg.svd(turned)
    np.testing.assert_allclose(left @ right, np.eye(3), atol=1e-9)
    middles = [np.linalg.solve(pose @ to_mean, [*grid.centre_mm, 1])[:3] for pose in poses]
    np.testing.assert_allclose(np.mean(middles, axis=0), 0, atol=1e-9)


def test_the_sidecar_holds_region_and_origin(built):
    path, summary = built
    stored = json.loads(sidecar_path(path).read_text(encoding="utf-8"))["provenance"]["template"]
    assert stored["roi_centre_mm"] == summary.centre_mm
    assert {scan["name"] for scan in stored["scans"]} == {"a", "b", "c"}
    assert all(len(scan["sha256"]) == 64 for scan in stored["scans"])
    assert "SimpleITK" in stored["software"]
    np.testing.assert_array_equal(read_template(path).centre_mm, summary.centre_mm)


def test_an_existing_template_is_kept(built, moved_copies, single_sentence):
    with pytest.raises(CowganError) as refusal:
        build_template([moved_copies[0]], built[0])
    assert "exists already" in single_sentence(refusal)


def test_a_template_needs_two_scans(moved_copies, tmp_path, single_sentence):
    with pytest.raises(CowganError) as refusal:
        build_template([moved_copies[0] / "a.nii.gz"], tmp_path / "t.nii.gz", jobs=1)
    assert "two" in single_sentence(refusal)
    assert not list(tmp_path.iterdir())


def test_cancelling_writes_nothing(moved_copies, tmp_path):
    class Stop:
        cancelled = True

        def report(self, done: int, total: int, message: str = "") -> None: ...

    with pytest.raises(Cancelled):
        build_template([moved_copies[0]], tmp_path / "t.nii.gz", 1, Stop())
    assert not list(tmp_path.iterdir())
