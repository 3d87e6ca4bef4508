import json

import checkpoint_files as files
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from cowgan.checkpoint import Checkpoint, ModelCard, load, load_bundled, save, to_p, to_w
from cowgan.checkpoint.latent_statistics import measure_statistics
from cowgan.errors import CowganError
from cowgan.files import sha256_of
from cowgan.networks import NetworkConfig


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    checkpoint = files.lively()
    checkpoint.card = ModelCard("A model", "CC BY 4.0", "phantoms", "ünïcode", {"step": 3})
    checkpoint.spacing_mm = (0.5, 0.25, 0.75)
    return checkpoint


@pytest.fixture
def written(checkpoint, tmp_path):
    path = tmp_path / "model.safetensors"
    save(checkpoint, path)
    return path


def volume(checkpoint: Checkpoint) -> torch.Tensor:
    z = torch.randn(2, checkpoint.config.latent_dim, generator=torch.Generator().manual_seed(0))
    return checkpoint.synthesis(checkpoint.mapping(z))


def test_a_checkpoint_survives_the_disk_bit_by_bit(checkpoint, written):
    copy = load(written)
    assert (copy.config, copy.card, copy.spacing_mm) == (
        checkpoint.config,
        checkpoint.card,
        checkpoint.spacing_mm,
    )
    for name in ("mapping", "synthesis", "discriminator"):
        tensors = getattr(copy, name).state_dict()
        for key, tensor in getattr(checkpoint, name).state_dict().items():
            assert torch.equal(tensors[key], tensor), key
    for name in ("w_mean", "p_mean", "p_covariance"):
        assert torch.equal(getattr(copy.statistics, name), getattr(checkpoint.statistics, name))
    assert copy.sha256 == sha256_of(written)
    assert copy.path == written


def test_half_precision_saves_space_keeps_latents_and_hardly_changes_volumes(tmp_path):
    config = NetworkConfig(32, 16, 4, 32, 64, 4)
    checkpoint = files.lively(config)
    for precision in ("float32", "float16"):
        save(checkpoint, tmp_path / f"{precision}.safetensors", precision)
    full, half = (tmp_path / f"{precision}.safetensors" for precision in ("float32", "float16"))
    assert half.stat().st_size < 0.65 * full.stat().st_size
    z = torch.randn(10, config.latent_dim, generator=torch.Generator().manual_seed(0))
    assert torch.equal(load(half).mapping(z), load(full).mapping(z))
    difference = (volume(load(half)) - volume(load(full))).abs().mean()
    assert difference < 1e-3


def test_a_model_without_discriminator_stays_without(tmp_path):
    save(Checkpoint.random(files.TINY, discriminator=False), tmp_path / "m.safetensors")
    assert load(tmp_path / "m.safetensors").discriminator is None


def test_loaded_networks_need_no_gradient_and_share_no_memory_with_the_file(written):
    copy = load(written)
    written.write_bytes(b"\0" * written.stat().st_size)
    assert volume(copy).isfinite().all()
    assert not any(parameter.requires_grad for parameter in copy.synthesis.parameters())
    assert not copy.synthesis.training


def test_the_depth_may_be_repeated_but_not_contradicted(written, single_sentence):
    assert load(written, depth=8).config.depth == 8
    with pytest.raises(CowganError) as refusal:
        load(written, depth=16)
    assert "8 slices, not 16" in single_sentence(refusal)


def test_the_name_must_end_in_safetensors(checkpoint, tmp_path, single_sentence):
    with pytest.raises(CowganError) as refusal:
        save(checkpoint, tmp_path / "model.pt")
    single_sentence(refusal)
    assert not list(tmp_path.iterdir())


def test_a_failed_save_leaves_the_old_file(checkpoint, written, monkeypatch, single_sentence):
    before = written.read_bytes()

    def fail(path, content):
        path.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cowgan.checkpoint.model_files.write_serialised", fail)
    with pytest.raises(CowganError) as refusal:
        save(checkpoint, written)
    assert "No space left" in single_sentence(refusal)
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


def test_others_on_the_computer_can_read_what_was_saved(checkpoint, tmp_path):
    save(checkpoint, tmp_path / "model.safetensors")
    (tmp_path / "plain").touch()
    expected = (tmp_path / "plain").stat().st_mode
    assert (tmp_path / "model.safetensors").stat().st_mode == expected


def test_a_real_write_error_is_reported_in_one_sentence(checkpoint, tmp_path, single_sentence):
    resource = pytest.importorskip("resource")
    path = tmp_path / "model.safetensors"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(CowganError) as refusal:
            save(checkpoint, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    single_sentence(refusal)
    assert not list(tmp_path.iterdir())


def test_saving_where_a_folder_stands_is_refused(checkpoint, tmp_path, single_sentence):
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(CowganError) as refusal:
        save(checkpoint, tmp_path / "model.safetensors")
    single_sentence(refusal)


def rewrite(path, change=None, describe=None, **metadata):
    """Write the file again with changed tensors or description."""
    with safe_open(path, "pt") as file:
        old = file.metadata()
    tensors = load_file(path)
    if change:
        change(tensors)
    content = json.loads(old["header"])
    if describe:
        describe(content)
    save_file(tensors, path, {**old, "header": json.dumps(content), **metadata})


def drop(name):
    return lambda tensors: tensors.pop(name)


def put(name, value):
    return lambda tensors: tensors.__setitem__(name, value)


W = "synthesis.blocks.1.conv1.weight"


@pytest.mark.parametrize(
    "change",
    [
        drop(W),
        drop("mapping.net.0.bias"),
        drop("statistics.w_mean"),
        drop("discriminator.to_logit.weight"),
        put("synthesis.surprise", torch.zeros(1)),
        put("surprise", torch.zeros(1)),
        put(W, torch.zeros(1)),
        put(W, torch.zeros(8, 8, 3, 3, 3, dtype=torch.int32)),
        put(W, torch.zeros(8, 8, 3, 3, 3, dtype=torch.bool)),
        put(W, torch.zeros(8, 8, 3, 3, 3, dtype=torch.complex64)),
        put(W, torch.full((8, 8, 3, 3, 3), torch.nan)),
        put(W, torch.full((8, 8, 3, 3, 3), torch.inf)),
        put(W, torch.full((8, 8, 3, 3, 3), 1e300, dtype=torch.float64)),
        put("statistics.w_mean", torch.full((8,), torch.nan)),
        put("statistics.w_mean", torch.zeros(8, dtype=torch.bool)),
        put("statistics.w_mean", torch.full((8,), torch.nan).to(torch.float8_e8m0fnu)),
        put("statistics.w_mean", torch.zeros(9)),
        put("statistics.p_covariance", torch.zeros(8)),
        lambda tensors: tensors.update({f"x{name}": tensors.pop(name) for name in list(tensors)}),
        lambda tensors: tensors.clear(),
    ],
)
def test_wrong_tensors_are_refused(written, change, single_sentence):
    rewrite(written, change)
    with pytest.raises(CowganError) as refusal:
        load(written)
    single_sentence(refusal)


def configure(**changes):
    return lambda header: header["config"].update(changes)


def replace(key, value):
    return lambda header: header.__setitem__(key, value)


@pytest.mark.parametrize(
    "header",
    [
        configure(image_size=-16),
        configure(image_size="16"),
        configure(image_size=32),
        configure(image_size=1e400),
        configure(depth=3),
        configure(latent_dim=10**400),
        configure(style_depth=3),
        configure(lr_mlp=None),
        configure(lr_mlp=float("nan")),
        configure(network_capacity=256, fmap_max=4096, latent_dim=4096, image_size=1024),
        configure(more=1),
        replace("config", []),
        replace("config", None),
        replace("spacing_mm", [1, 1]),
        replace("spacing_mm", [0, 1, 1]),
        replace("spacing_mm", [-1, 1, 1]),
        replace("spacing_mm", [10**400, 1, 1]),
        replace("spacing_mm", float("nan")),
        replace("spacing_mm", ["a", "b", "c"]),
        replace("card", []),
        replace("card", {"name": 3}),
        replace("card", {"provenance": "none"}),
        lambda header: header.clear(),
    ],
)
def test_a_wrong_description_is_refused(written, header, single_sentence):
    rewrite(written, describe=header)
    with pytest.raises(CowganError) as refusal:
        load(written)
    single_sentence(refusal)


@pytest.mark.parametrize(
    "metadata",
    [
        {"header": "["},
        {"header": "[" * 100_000},
        {"header": "null"},
        {"header": "1" * 10_000},
        {"header": '"' + "x" * 3_000_000},
        {"format": "someone-else"},
        {"version": "2"},
        {"version": ""},
    ],
    ids=lambda metadata: f"{metadata!r:.30}",
)
def test_a_wrong_header_is_refused(written, metadata, single_sentence):
    rewrite(written, **metadata)
    with pytest.raises(CowganError) as refusal:
        load(written)
    single_sentence(refusal)


def test_a_card_of_a_later_version_is_read_as_far_as_it_is_known(written):
    rewrite(written, describe=lambda header: header["card"].update(colour="green"))
    assert load(written).card.name == "A model"


def test_safetensors_of_another_program_are_named_as_such(tmp_path, single_sentence):
    path = tmp_path / "foreign.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(CowganError) as refusal:
        load(path)
    assert "not a checkpoint of this program" in single_sentence(refusal)


def test_p_is_w_before_the_last_leaky_relu():
    p = torch.linspace(-3, 3, 13)
    assert torch.equal(to_w(p), torch.nn.functional.leaky_relu(p, 0.2))
    torch.testing.assert_close(to_p(to_w(p)), p)


def test_statistics_are_the_moments_of_mapped_latents():
    checkpoint = files.lively()
    z = torch.randn(200_000, 8, generator=torch.Generator().manual_seed(9))
    w = checkpoint.mapping(z)
    p = to_p(w)
    spread = w.std(0).max()
    statistics = checkpoint.statistics
    torch.testing.assert_close(statistics.w_mean, w.mean(0), atol=0.02 * spread, rtol=0)
    torch.testing.assert_close(statistics.p_mean, p.mean(0), atol=0.1 * spread, rtol=0)
    covariance = torch.cov(p.T)
    torch.testing.assert_close(
        statistics.p_covariance, covariance, atol=0.03 * covariance.max(), rtol=0
    )
    again = measure_statistics(checkpoint.mapping, 8)
    assert torch.equal(again.w_mean, statistics.w_mean)


def test_random_models_follow_their_seed():
    first, second, other = (Checkpoint.random(files.TINY, seed) for seed in (1, 1, 2))
    assert torch.equal(volume(first), volume(second))
    assert not torch.equal(volume(first), volume(other))
    assert first.sha256 is None


def test_the_bundled_model_loads():
    from cowgan.checkpoint import BUNDLED

    if not BUNDLED.exists():
        pytest.skip("this checkout has no bundled model yet")
    assert load_bundled().card.name != "Unnamed model"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "\ud800"},
        {"name": 5},
        {"provenance": None},
        {"provenance": {"a": "\ud800"}},
        {"provenance": {"a": json.loads("[" * 500 + "]" * 500)}},
    ],
    ids=lambda change: f"{change!r:.40}",
)
def test_a_card_that_cannot_be_shown_is_refused(written, tmp_path, change, single_sentence):
    tensors = load_file(written)
    with safe_open(written, framework="pt") as file:
        metadata = file.metadata()
    header = json.loads(metadata["header"])
    header["card"] |= change
    path = tmp_path / "hostile.safetensors"
    save_file(tensors, path, metadata | {"header": json.dumps(header)})
    with pytest.raises(CowganError) as refusal:
        load(path)
    assert "is damaged" in single_sentence(refusal)
