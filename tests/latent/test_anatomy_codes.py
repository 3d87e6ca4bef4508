"""Real anatomies that a model's encoder has seen."""

import checkpoint_files as files
import pytest
import torch

from cowgan.checkpoint import load, load_bundled, save
from cowgan.errors import CowganError
from cowgan.latent.anatomy_codes import (
    anatomies_path,
    encode_anatomies,
    save_anatomies,
    stored_anatomies,
)
from cowgan.latent.encoder_files import encoder_path, save_encoder
from cowgan.latent.encoder_fitting import fit_encoder
from cowgan.latent.p_space import PSpace
from cowgan.synthesis import LatentState, Synthesizer

pytestmark = pytest.mark.usefixtures("single_threaded")


def test_encoded_people_are_found_beside_their_model_and_only_there(tmp_path):
    save(files.lively(), tmp_path / "small.safetensors")
    model = load(tmp_path / "small.safetensors")
    synthesizer = Synthesizer(model, "cpu")
    people = [(f"person {seed}", synthesizer.render(LatentState(seed))) for seed in range(3)]
    with pytest.raises(CowganError, match="no encoder"):
        encode_anatomies(model, people)
    save_encoder(fit_encoder(synthesizer, samples=20), encoder_path(model.path))
    with pytest.raises(CowganError, match="no people"):
        encode_anatomies(model, [])
    encoded = encode_anatomies(model, people)
    assert stored_anatomies(model) is None
    save_anatomies(encoded, anatomies_path(model.path))
    found = stored_anatomies(model)
    assert found.people == ("person 0", "person 1", "person 2")
    torch.testing.assert_close(found.codes, encoded.codes, rtol=0, atol=0)
    save(files.lively(seed=2), model.path)
    with pytest.raises(CowganError, match="another model"):
        stored_anatomies(load(model.path))


def test_the_people_of_the_bundled_model_lie_within_its_latents():
    model = load_bundled()
    found = stored_anatomies(model)
    assert len(found.people) == len(set(found.people)) == 399
    w = PSpace.of(model).w(found.codes.float())
    assert w.shape == (399, model.config.latent_dim)
    # A linear guess is nearer to the mean than a random latent is.
    assert 0.01 < found.codes.float().square().mean() < 1
