"""The encoder, in which projections start: fitting and files."""

import checkpoint_files as files
import pytest
import torch

from cowgan.checkpoint import load, load_bundled, save
from cowgan.errors import Cancelled, CowganError
from cowgan.latent.encoder import LatentEncoder
from cowgan.latent.encoder_files import encoder_path, load_encoder, save_encoder, stored_encoder
from cowgan.latent.encoder_fitting import fit_encoder, fit_to_samples
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
    fitted = fit_encoder(synthesizer, samples=100)
    errors = []
    for seed in range(20):
        volume = torch.from_numpy(synthesizer.render(LatentState(seed)).data)[None, None]
        coarse = torch.nn.functional.adaptive_avg_pool3d(volume, fitted.encoder.input_shape)
        code = fitted.encoder(coarse, torch.ones_like(coarse))
        errors.append((code[0] - space.whitened(style(checkpoint, seed))).square().mean())
    # The mean code, the best guess without looking, has an error of 1.
    assert torch.stack(errors).mean() < 0.8
    assert abs(torch.stack(errors).mean() - fitted.provenance["code_error"]) < 0.2


def test_what_volumes_determine_is_guessed_better_than_by_the_mean():
    generator = torch.Generator().manual_seed(0)
    encoder = LatentEncoder(files.lively().config, 3)
    patterns = torch.randn(2, *encoder.input_shape, generator=generator)
    # Three codes, of which the volumes show the first two.
    codes = torch.randn(40, 3, generator=generator)
    volumes = torch.einsum("nk,kzxy->nzxy", codes[:, :2], patterns)[:, None]
    errors = fit_to_samples(encoder, volumes, codes)
    assert (errors[:2] < 0.5).all()
    assert errors[2] / codes[:, 2].var() > 0.8


def test_brightness_and_contrast_do_not_change_the_guess(checkpoint):
    encoder = fit_encoder(Synthesizer(checkpoint, "cpu"), samples=20).encoder
    volume = torch.rand(1, 1, *encoder.input_shape, generator=torch.Generator().manual_seed(0))
    share = torch.ones_like(volume)
    torch.testing.assert_close(encoder(volume, share), encoder(0.3 + 0.5 * volume, share))
    # Nor does what was not imaged.
    share[:, :, 0] = 0
    other = torch.where(share > 0, volume, 1 - volume)
    torch.testing.assert_close(encoder(volume, share), encoder(other, share))


def test_an_encoder_is_found_beside_its_model_and_only_there(checkpoint, tmp_path):
    assert stored_encoder(checkpoint) is None
    fitted = fit_encoder(Synthesizer(checkpoint, "cpu"), samples=10)
    path = encoder_path(checkpoint.path)
    save_encoder(fitted, path)
    found = stored_encoder(checkpoint)
    assert found is not None
    assert found.provenance == fitted.provenance
    save(files.lively(seed=2), tmp_path / "other.safetensors")
    other = load(tmp_path / "other.safetensors")
    with pytest.raises(CowganError, match="belongs to another model"):
        load_encoder(path, other)


def test_a_model_without_a_file_has_no_encoder():
    with pytest.raises(CowganError, match="saved to a file"):
        fit_encoder(Synthesizer(files.lively(), "cpu"), samples=10)


def test_fitting_can_be_cancelled(checkpoint):
    class Cancelling(Silent):
        cancelled = True

    with pytest.raises(Cancelled):
        fit_encoder(Synthesizer(checkpoint, "cpu"), 10, progress=Cancelling())


def test_the_encoder_of_the_bundled_model_guesses_nearer_than_the_mean():
    bundled = load_bundled()
    found = stored_encoder(bundled)
    assert found is not None
    assert found.generator_sha256 == bundled.sha256
    space, synthesizer = PSpace.of(bundled), Synthesizer(bundled, "cpu")
    errors, spread = [], []
    for seed in (1, 2, 3):
        volume = torch.from_numpy(synthesizer.render(LatentState(seed)).data)[None, None]
        coarse = torch.nn.functional.adaptive_avg_pool3d(volume, found.encoder.input_shape)
        code = space.whitened(style(bundled, seed))
        errors.append((found.encoder(coarse, torch.ones_like(coarse))[0] - code) * space.sd)
        spread.append(code * space.sd)
    assert torch.stack(errors).square().sum() < 0.9 * torch.stack(spread).square().sum()
