"""Tests of what an evaluation is asked for."""

from pathlib import Path

import pytest
from evaluation_folders import COUNT, write_people

from cowgan.checkpoint import Checkpoint, save
from cowgan.errors import CowganError
from cowgan.evaluation.evaluation_request import EvaluationRequest
from cowgan.networks import NetworkConfig


def test_a_number_of_volumes_is_meant_for_models(tmp_path: Path) -> None:
    real = write_people(tmp_path / "real", 0)
    made = write_people(tmp_path / "made", 100)
    model = tmp_path / "model.safetensors"
    save(Checkpoint.random(NetworkConfig(16, 16, 1, 8, latent_dim=16, style_depth=2)), model)
    sets = EvaluationRequest(real, made, count=30, against=model).open_sets()
    assert len(sets.generated.names) == COUNT
    sets = EvaluationRequest(real, model, count=30, against=made).open_sets()
    assert len(sets.generated.names) == 30
    with pytest.raises(CowganError, match="name no number"):
        EvaluationRequest(real, made, count=30, against=made).open_sets()
