"""Tests of the segmentation of volumes by networks and ensembles."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from segmentation_cases import LEFT, RIGHT, SPACING_MM, TINY, tubes
from tube_networks import tube_network

from cowgan.anatomy.label_schemes import SEVEN_ARTERIES, TERRITORIES
from cowgan.errors import Cancelled, CowganError
from cowgan.measure.overlap import dice
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.segmenter import Segmenter
from cowgan.segmentation.segmenter_files import (
    SegmenterModel,
    load_segmenter,
    save_segmenter,
)
from cowgan.segmentation.unet import SegmentationNetwork
from cowgan.volume import Volume, default_affine


@pytest.fixture(scope="module")
def trained() -> SegmenterModel:
    return tube_network()


def random_model(seed: int, scheme=TERRITORIES) -> SegmenterModel:
    torch.manual_seed(seed)
    network = SegmentationNetwork(TINY, Classes.of(scheme).count).eval()
    return SegmenterModel(network, scheme, SPACING_MM)


def volume(image: np.ndarray, spacing_mm=SPACING_MM) -> Volume:
    return Volume(image.astype(np.float32), default_affine(image.shape, spacing_mm))


def test_a_trained_network_finds_arteries_it_has_not_seen(trained) -> None:
    image, truth = tubes(100)
    found = Segmenter([trained], "cpu", "exact")(volume(image), keep_probabilities=True)
    assert dice(found.labels == LEFT, truth == LEFT) > 0.9
    assert dice(found.labels == RIGHT, truth == RIGHT) > 0.6
    assert found.scheme is TERRITORIES
    assert found.agreement is None
    assert found.probabilities is not None
    assert found.probabilities.shape == (5, *image.shape)
    np.testing.assert_allclose(found.probabilities.sum(0, dtype=float), 1, atol=0.01)
    assert 0 <= found.uncertainty.min() < 0.1 < found.uncertainty.max() <= 1


def test_contrast_does_not_matter(trained) -> None:
    image, _ = tubes(101)
    segmenter = Segmenter([trained], "cpu", "exact")
    plain, scaled = segmenter(volume(image)), segmenter(volume(500 * image.astype(float) - 30))
    assert dice(plain.labels > 0, scaled.labels > 0) > 0.99


def test_labels_are_on_the_grid_of_a_scan_with_other_voxels(trained) -> None:
    image, truth = tubes(102)
    fine = image.repeat(2, 1).repeat(2, 2)
    half = (SPACING_MM[0], SPACING_MM[1] / 2, SPACING_MM[2] / 2)
    found = Segmenter([trained], "cpu", "exact")(volume(fine, half))
    assert found.labels.shape == fine.shape
    assert dice(found.labels == LEFT, truth.repeat(2, 1).repeat(2, 2) == LEFT) > 0.9


def test_a_large_volume_is_segmented_in_windows_as_well_as_in_one(trained) -> None:
    image, truth = tubes(103)
    many = np.tile(image, (5, 1, 7))
    found = Segmenter([trained], "cpu", "exact")(volume(many))
    assert found.labels.shape == many.shape == (40, 32, 224)
    assert dice(found.labels == LEFT, np.tile(truth, (5, 1, 7)) == LEFT) > 0.9
    assert any("field of view" in remark for remark in found.remarks)
    assert not Segmenter([trained], "cpu")(volume(image)).remarks


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 7, 33), (33, 9, 129)])
def test_volumes_of_any_size_are_segmented(shape) -> None:
    image = np.random.default_rng(0).uniform(size=shape)
    found = Segmenter([random_model(0)], "cpu", augmented=True)(volume(image))
    assert found.labels.shape == found.uncertainty.shape == shape


def test_an_ensemble_averages_probabilities_and_reports_agreement(trained) -> None:
    image, _ = tubes(104)
    other = random_model(1)
    alone = [
        Segmenter([one], "cpu", "exact")(volume(image), keep_probabilities=True).probabilities
        for one in (trained, other)
    ]
    both = Segmenter([trained, other], "cpu", "exact")(volume(image), keep_probabilities=True)
    np.testing.assert_allclose(both.probabilities, np.mean(alone, 0, dtype=float), atol=2e-3)
    assert both.agreement is not None and both.agreement < 0.9
    twins = Segmenter([trained, trained], "cpu", "exact")(volume(image))
    assert twins.agreement == 1


def test_networks_that_do_not_belong_together_are_refused(single_sentence) -> None:
    one = random_model(0)
    for others in (
        [],
        [one, random_model(1, SEVEN_ARTERIES)],
        [one, replace(one, spacing_mm=(1, 1, 1))],
    ):
        with pytest.raises(CowganError) as refusal:
            Segmenter(others)
        single_sentence(refusal)


def test_a_segmentation_can_be_cancelled_between_windows() -> None:
    class OneWindow:
        done = 0

        @property
        def cancelled(self) -> bool:
            return self.done >= 1

        def report(self, done: int, total: int, message: str = "") -> None:
            self.done = done

    progress = OneWindow()
    with pytest.raises(Cancelled):
        Segmenter([random_model(0)], "cpu")(
            volume(np.zeros((70, 20, 20)) + np.arange(20)), progress
        )
    assert progress.done == 1


def test_a_file_keeps_the_network_and_the_same_network_gives_the_same_bytes(
    trained, tmp_path
) -> None:
    first, second = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    save_segmenter(trained, first)
    loaded = load_segmenter(first)
    save_segmenter(loaded, second)
    assert first.read_bytes() == second.read_bytes()
    assert (loaded.scheme, loaded.spacing_mm, loaded.card) == (
        TERRITORIES,
        SPACING_MM,
        trained.card,
    )
    image, _ = tubes(105)
    before, after = (
        Segmenter([model], "cpu", "exact")(volume(image)).labels for model in (trained, loaded)
    )
    assert dice(before > 0, after > 0) > 0.99


@pytest.mark.parametrize("damage", ["cut", "other", "nan", "missing"])
def test_a_damaged_or_foreign_file_is_one_sentence(damage, tmp_path, single_sentence) -> None:
    path = tmp_path / "model.safetensors"
    model = random_model(0)
    if damage == "nan":
        next(model.network.parameters()).data.fill_(float("nan"))
    save_segmenter(model, path)
    content = path.read_bytes()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "other":
        path.write_bytes(content.replace(b"cowgan-segmenter", b"cowgan-something"))
    elif damage == "missing":
        path.unlink()
    with pytest.raises(CowganError) as refusal:
        load_segmenter(path)
    assert "model.safetensors" in single_sentence(refusal)
