"""Tests of opening extractors by name."""

import pytest

from cowgan.errors import CowganError
from cowgan.features.efficientnet import EfficientNetFeatures
from cowgan.features.extractors import EXTRACTORS, open_extractor, weights_file
from cowgan.features.weights_files import WeightsFile, default_folder


def test_an_extractor_whose_weights_are_installed_opens():
    assert open_extractor("efficientnet").recipe == EfficientNetFeatures().recipe


FETCHED = [name for name, known in EXTRACTORS.items() if isinstance(known.weights, WeightsFile)]


@pytest.mark.parametrize("name", FETCHED)
def test_weights_are_looked_for_where_they_are_fetched_to(name, single_sentence, tmp_path):
    with pytest.raises(CowganError) as refusal:
        open_extractor(name)
    assert f"cowgan features fetch {name}" in single_sentence(refusal)
    kept = default_folder() / weights_file(name).name
    kept.parent.mkdir(parents=True, exist_ok=True)
    for path in (kept, tmp_path / "mine.pth"):
        path.write_bytes(b"no weights")
        with pytest.raises(CowganError, match=path.name):
            open_extractor(name, None if path == kept else path)
        path.unlink()


def test_wrong_choices_are_refused(single_sentence, tmp_path):
    for open_it in (
        lambda: open_extractor("dino"),
        lambda: open_extractor("efficientnet", tmp_path),
        lambda: open_extractor("dinov2"),
        lambda: open_extractor("dinov2", tmp_path),
        lambda: weights_file("efficientnet"),
        lambda: weights_file("dinov2"),
    ):
        with pytest.raises(CowganError) as refusal:
            open_it()
        single_sentence(refusal)
