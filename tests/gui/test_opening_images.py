"""Images of every format dropped on the window, and the warnings about them."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from dicom_series import write_series
from gui_events import drop
from napari.layers import Image, Labels
from qtpy.QtWidgets import QMessageBox

from cowgan.volume import default_affine
from cowgan.volume.itk import to_itk

SHAPE = (20, 30, 26)
SPACING_MM = (4.0, 3.0, 3.0)
AFFINE = default_affine(SHAPE, SPACING_MM)
VOXELS = np.random.default_rng(0).random(SHAPE, np.float32)


@pytest.fixture(autouse=True)
def preferred(monkeypatch):
    """Prefer this plugin to napari's own reader, which accepts the same names."""
    monkeypatch.setattr(
        "napari.components.viewer_model.get_preferred_reader", lambda path: "napari-cowgan"
    )


@pytest.fixture
def notifications(monkeypatch) -> list[str]:
    """Return the list to which notifications are added."""
    messages: list[str] = []
    monkeypatch.setattr(
        "napari.utils.notifications.show_warning", lambda message: messages.append(message)
    )
    return messages


def nifti(folder: Path, name: str = "scan.nii.gz", units: str = "mm", codes=(1, 1)) -> Path:
    image = nib.Nifti1Image(VOXELS.transpose(1, 2, 0), AFFINE)
    image.set_qform(AFFINE, code=codes[1])
    image.set_sform(AFFINE, code=codes[0])
    image.header.set_xyzt_units(units)
    nib.save(image, folder / name)
    return folder / name


@pytest.mark.parametrize("suffix", [".mha", ".nrrd", ".MHA", "DICOM"])
def test_a_dropped_image_of_any_format_keeps_size_and_side(viewer, tmp_path, suffix, notifications):
    path = tmp_path / f"scan{suffix}"
    if suffix == "DICOM":
        write_series(path, VOXELS * 900, AFFINE)
    else:
        made = tmp_path / f"made{suffix.lower()}"
        sitk.WriteImage(to_itk(VOXELS, AFFINE), str(made))
        made.rename(path)
    drop(viewer.window._qt_viewer, path)
    (layer,) = viewer.layers
    assert isinstance(layer, Image)
    np.testing.assert_allclose(np.abs(layer.scale), SPACING_MM, rtol=1e-4)
    by_nifti = nifti(tmp_path)
    drop(viewer.window._qt_viewer, by_nifti)
    other = viewer.layers[1]
    np.testing.assert_allclose(layer.extent.world, other.extent.world, atol=1e-3)
    factor = 900 if suffix == "DICOM" else 1
    np.testing.assert_allclose(layer.data / factor, other.data, atol=2e-3)


def test_ambiguities_are_shown_once_and_kept(viewer, tmp_path, notifications):
    drop(viewer.window._qt_viewer, nifti(tmp_path, codes=(0, 0)))
    (layer,) = viewer.layers
    (message,) = notifications
    assert "No orientation is stored" in message
    source = layer.metadata["cowgan"]["provenance"]["sources"][-1]
    assert source["remarks"][0] in message


def test_an_unambiguous_image_is_opened_without_a_message(viewer, tmp_path, notifications):
    drop(viewer.window._qt_viewer, nifti(tmp_path))
    assert len(viewer.layers) == 1
    assert notifications == []


def test_an_impossible_size_asks_for_the_unit(viewer, tmp_path, notifications, qtbot):
    drop(viewer.window._qt_viewer, nifti(tmp_path, units="meter"))
    assert not viewer.layers
    (box,) = viewer.window._qt_window.findChildren(QMessageBox)
    assert "are the units millimetres?" in box.text()
    next(button for button in box.buttons() if button.text() == "Open in millimetres").click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 1)
    np.testing.assert_allclose(np.abs(viewer.layers[0].scale), SPACING_MM, rtol=1e-4)
    assert "millimetres were used, as asked" in notifications[0]


def test_a_mask_is_a_labels_layer_without_artery_names(viewer, tmp_path, notifications):
    mask = np.zeros(SHAPE, np.float32)
    mask[5:9, 8:20, 6:15] = 1
    nib.save(nib.Nifti1Image(mask.transpose(1, 2, 0), AFFINE), tmp_path / "mask.nii.gz")
    drop(viewer.window._qt_viewer, tmp_path / "mask.nii.gz")
    (layer,) = viewer.layers
    assert isinstance(layer, Labels)
    assert "artery" not in layer.features


@pytest.mark.parametrize(
    ("content", "part"),
    [(b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS"), (b"<html>", "a web page")],
)
def test_a_placeholder_of_an_image_is_reported(viewer, tmp_path, content, part):
    (tmp_path / "scan.nii.gz").write_bytes(content)
    drop(viewer.window._qt_viewer, tmp_path / "scan.nii.gz")
    (box,) = viewer.window._qt_window.findChildren(QMessageBox)
    assert part in box.text()
    assert not viewer.layers
    box.close()
