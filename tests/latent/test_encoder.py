"""The encoder, in which projections start: fitting and files."""

import checkpoint_files as files
import pytest
import torch

from cowgan.checkpoint import load, load_bundled, save
from cowgan.errors import Cancelled, CowganError
from cowgan.latent.encoder_files import encoder_path, load_encoder, save_encoder, stored_encoder
from cowgan.latent.encoder_fitting import fit_encoder
from cowgan.latent.p_space import PSpace
from cowgan.progress import Silent
from cowgan.synthesis import LatentState, Synthesizer, style

pytestmark = pytest.mark.usefixtures("single_threaded")


@pytest.fixture
def checkpoint(tmp_path):
    save(files.lively(), tmp_path / "small.safetensors")
    return load(tmp_path / "small.safetensors")


def test_an_encoder_guesses_the_codes_of_volumes_it_has_not_seen(checkpoint):
    synthesizer, space = Synthesizer(checkpoint, "cpu", "exact"), PSpace.of(checkpoint)
    encoder = fit_encoder(synthesizer, samples=100, steps=120).encoder
    errors = []
    for seed in range(20):
        volume = torch.from_numpy(synthesizer.render(LatentState(seed)).data)[None, None]
        coarse = torch.nn.functional.adaptive_avg_pool3d(volume, encoder.input_shape)
        code, _ = encoder(coarse, torch.ones_like(coarse))
        errors.append((code[0] - space.whitened(style(checkpoint, seed))).square().mean())
    # The mean code, the best guess without looking, has an error of 1.
    assert torch.stack(errors).mean() < 0.8


def test_an_encoder_is_found_beside_its_model_and_only_there(checkpoint, tmp_path):
    assert stored_encoder(checkpoint) is None
    fitted = fit_encoder(Synthesizer(checkpoint, "cpu"), samples=4, steps=2)
    path = encoder_path(checkpoint.path)
    save_encoder(fitted, path)
    found = stored_encoder(checkpoint)
    assert found is not None
    assert found.provenance == {"samples": 4, "steps": 2, "seed": 0}
    save(files.lively(seed=2), tmp_path / "other.safetensors")
    other = load(tmp_path / "other.safetensors")
    with pytest.raises(CowganError, match="belongs to another model"):
        load_encoder(path, other)


def test_a_model_without_a_file_has_no_encoder():
    with pytest.raises(CowganError, match="saved to a file"):
        fit_encoder(Synthesizer(files.lively(), "cpu"), samples=4, steps=2)


def test_fitting_can_be_cancelled(checkpoint):
    class Cancelling(Silent):
        cancelled = True

    with pytest.raises(Cancelled):
        fit_encoder(Synthesizer(checkpoint, "cpu"), 4, 2, progress=Cancelling())


def test_an_encoder_beside_the_bundled_model_belongs_to_it():
    bundled = load_bundled()
    found = stored_encoder(bundled)
    assert found is None or found.generator_sha256 == bundled.sha256
