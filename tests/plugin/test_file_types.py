import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels
from npe2 import PluginManager, PluginManifest

import napari_cowgan
from cowgan.errors import CowganError
from cowgan.volume import (
    Volume,
    default_affine,
    read_labels,
    read_volume,
    write_labels,
    write_nifti,
)
from napari_cowgan import file_readers, sample_data

SHAPE = (4, 6, 8)
MANIFEST = Path(napari_cowgan.__file__).with_name("napari.yaml")


@pytest.fixture
def volume() -> Volume:
    data = np.random.default_rng(0).random(SHAPE, np.float32)
    return Volume(data, default_affine(SHAPE), {"synthetic": True, "state": {"seed": 3}})


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> PluginManager:
    """Make this the only plugin that napari knows, from its manifest."""
    manifest = PluginManifest.from_file(MANIFEST)
    manager = PluginManager()
    manager.register(manifest)
    monkeypatch.setattr(PluginManager, "instance", lambda: manager)
    return manager


@pytest.fixture
def explorer(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Replace the explorer; return the list of what it was asked to open."""
    opened: list[tuple[str, str]] = []
    module = ModuleType("napari_cowgan.explorer")
    module.open_checkpoint_in_current_viewer = lambda path: opened.append(("checkpoint", path))
    module.open_session_in_current_viewer = lambda path: opened.append(("session", path))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return opened


def test_modules_load_neither_torch_nor_qt():
    code = (
        "import sys, napari_cowgan.viewer.display; "
        "from napari_cowgan import file_readers, file_writers, sample_data; print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint({"torch", "qtpy", "PyQt6", "PySide6", "superqt"})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/b.nii", file_readers.read_image),
        ("a/b.NII.GZ", file_readers.read_image),
        ("b.safetensors", file_readers.read_checkpoint),
        ("b.pt", file_readers.read_checkpoint),
        ("b.cowgan.json", file_readers.read_session),
        ("b.json", None),
        ("b.gz", None),
        ("b.tif", None),
        (["a.nii", "b.nii"], None),
    ],
)
def test_get_reader_takes_only_our_files(path, expected):
    assert file_readers.get_reader(path) is expected


@pytest.mark.parametrize(
    ("name", "claimed"),
    [
        ("sub-1.v2.nii.gz", True),
        ("A.NII.GZ", True),
        ("m.pt", True),
        ("m.safetensors", True),
        ("walk.1.cowgan.json", True),
        ("bids.json", False),
        ("x.gz", False),
    ],
)
def test_manifest_patterns_claim_only_our_files(plugins, name, claimed):
    assert bool(list(plugins.iter_compatible_readers([name]))) is claimed


def test_napari_opens_and_saves_a_volume(plugins, volume, tmp_path):
    write_nifti(volume, tmp_path / "scan.nii.gz")
    viewer = ViewerModel()
    (layer,) = viewer.open(tmp_path / "scan.nii.gz", plugin=None)
    assert layer.name == "scan"
    assert layer.metadata["cowgan"]["synthetic"]
    written = layer.save(str(tmp_path / "out" / "copy.nii.gz"))
    assert [Path(path).name for path in written] == ["copy.nii.gz", "copy.json"]
    copy = read_volume(tmp_path / "out" / "copy.nii.gz")
    assert np.array_equal(copy.data, volume.data)
    assert copy.synthetic
    assert copy.provenance["state"] == {"seed": 3}


def test_napari_opens_and_saves_a_label_map(plugins, tmp_path):
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 2, 3] = 12
    write_labels(labels, default_affine(SHAPE), tmp_path / "scan.nii.gz", {"synthetic": True})
    viewer = ViewerModel()
    (layer,) = viewer.open(tmp_path / "scan.nii.gz", plugin=None)
    assert isinstance(layer, Labels)
    written = layer.save(str(tmp_path / "copy.nii.gz"))
    assert [Path(path).name for path in written] == ["copy.nii.gz", "copy.json"]
    copy, affine = read_labels(tmp_path / "copy.nii.gz")
    assert np.array_equal(copy, labels)
    assert np.allclose(affine, default_affine(SHAPE))
    assert read_volume(tmp_path / "copy.nii.gz").synthetic


def test_napari_shows_the_sentence_of_a_damaged_file(plugins, tmp_path):
    (tmp_path / "v.nii").write_text("hello", encoding="utf-8")
    with pytest.raises(CowganError, match="is a text file"):
        ViewerModel().open(tmp_path / "v.nii", plugin="napari-cowgan")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("m.safetensors", "checkpoint"),
        ("m.pt", "checkpoint"),
        ("s.cowgan.json", "session"),
    ],
)
def test_checkpoints_and_sessions_open_the_explorer_without_a_layer(
    plugins, explorer, tmp_path, name, kind
):
    (tmp_path / name).touch()
    viewer = ViewerModel()
    assert viewer.open(tmp_path / name, plugin="napari-cowgan") == []
    assert viewer.open(tmp_path / name, plugin=None) == []
    assert list(viewer.layers) == []
    assert explorer == [(kind, str(tmp_path / name))] * 2


def test_sample_data_is_the_volume_of_seed_0(plugins, monkeypatch, volume):
    asked = []
    monkeypatch.setattr(sample_data, "_render", lambda seed: asked.append(seed) or volume)
    viewer = ViewerModel()
    (layer,) = viewer.open_sample("napari-cowgan", "synthetic_tof_seed_0")
    assert asked == [0]
    assert layer.name == "Synthetic TOF MRA (seed 0)"
    assert layer.metadata["cowgan"]["synthetic"]


def test_the_phantom_comes_with_all_twelve_arteries_of_a_complete_circle(plugins):
    viewer = ViewerModel()
    tof, arteries = viewer.open_sample("napari-cowgan", "phantom_with_labels")
    assert isinstance(tof, Image)
    assert isinstance(arteries, Labels)
    assert tof.name == "CoW phantom, complete (seed 0)"
    assert set(np.unique(arteries.data)) == set(range(13))
    assert np.array_equal(tof.scale, arteries.scale)
    assert np.array_equal(tof.translate, arteries.translate)
    assert tof.metadata["cowgan"]["synthetic"] and arteries.metadata["cowgan"]["synthetic"]
    inside = tof.data[arteries.data > 0]
    assert np.median(inside) > 2 * np.median(tof.data[arteries.data == 0]), "labels lie elsewhere"


def test_another_scan_shows_the_same_arteries(plugins):
    viewer = ViewerModel()
    tof, arteries = viewer.open_sample("napari-cowgan", "phantom_with_labels")
    (other,) = viewer.open_sample("napari-cowgan", "tof_on_phantom")
    assert not np.array_equal(other.data, tof.data)
    background = np.median(other.data[arteries.data == 0])
    assert np.median(other.data[arteries.data > 0]) > 2 * background


def test_new_phantoms_use_fresh_seeds():
    names = {sample_data.new_phantom()[0][1]["name"] for _ in range(3)}
    assert len(names) == 3


def test_new_volumes_use_fresh_seeds(monkeypatch, volume):
    asked = []
    monkeypatch.setattr(sample_data, "_render", lambda seed: asked.append(seed) or volume)
    for _ in range(3):
        sample_data.new_synthetic_volume()
    assert len(set(asked)) == 3


def test_the_sample_names_its_model_and_repeats():
    from cowgan.checkpoint import load_bundled

    try:
        load_bundled()
    except CowganError as error:
        pytest.skip(str(error))
    (first,) = sample_data.synthetic_tof()
    (second,) = sample_data.synthetic_tof()
    assert np.array_equal(first[0], second[0])
    assert first[1]["metadata"]["cowgan"]["provenance"]["state"]["seed"] == 0
