import json
import os

import checkpoint_files as files
import pytest
import torch

from cowgan.checkpoint import Checkpoint, load
from cowgan.errors import CowganError


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return files.lively()


@pytest.fixture
def state(checkpoint):
    return files.published_state(checkpoint)


@pytest.fixture
def refused(tmp_path, single_sentence):
    """Return a function that writes a file, expects refusal, and returns (sentence, detail)."""

    def check(content, settings=files.TINY_SETTINGS, depth=8, **options):
        path = files.write_published(tmp_path / "NAME", content, settings, **options)
        with pytest.raises(CowganError) as refusal:
            load(path, depth)
        return single_sentence(refusal)

    return check


def test_a_published_file_gives_its_ema_networks(checkpoint, state, tmp_path):
    for name in state:
        if name.startswith(("S.", "G.")) and not name.endswith(".f"):
            state[name] = state[name] + 1
    loaded = load(files.write_published(tmp_path / "NAME", {"GAN": state}), 8)
    assert loaded.config == checkpoint.config
    z = torch.randn(1, 8)
    expected = checkpoint.synthesis(checkpoint.mapping(z))
    assert torch.equal(loaded.synthesis(loaded.mapping(z)), expected)
    assert torch.equal(loaded.discriminator(expected), checkpoint.discriminator(expected))
    assert loaded.notes == ()
    assert "NAME" in loaded.card.name


@pytest.mark.parametrize("legacy", [False, True])
def test_old_and_new_torch_files_load(state, tmp_path, legacy):
    load(files.write_published(tmp_path, {"GAN": state, "version": "1.2"}, legacy=legacy), 8)


def test_half_precision_files_load(checkpoint, state, tmp_path):
    half = {name: tensor.half() for name, tensor in state.items()}
    loaded = load(files.write_published(tmp_path, {"GAN": half}), 8)
    assert loaded.synthesis.initial_block.dtype == torch.float32


def test_a_file_without_discriminator_or_settings_loads(state, tmp_path):
    generator = {name: tensor for name, tensor in state.items() if name.startswith(("SE.", "GE."))}
    loaded = load(files.write_published(tmp_path, {"GAN": generator}, settings=None), 8)
    assert loaded.discriminator is None
    assert loaded.config.lr_mlp == 0.1


def test_the_learning_rate_of_the_mapping_network_is_taken_from_the_settings(state, tmp_path):
    settings = files.TINY_SETTINGS | {"lr_mlp": 0.01}
    assert load(files.write_published(tmp_path, {"GAN": state}, settings), 8).config.lr_mlp == 0.01


def test_a_folder_gives_its_newest_checkpoint(state, tmp_path):
    for number in (2, 10, 9):
        files.write_published(tmp_path, {"GAN": state}, name=f"model_{number}.pt")
    (tmp_path / "model_11_backup.pt").write_text("not a checkpoint", encoding="utf-8")
    assert load(tmp_path, 8).path.name == "model_10.pt"


def test_depth_follows_the_argument_then_the_folder_then_the_paper(state, tmp_path):
    def loaded(folder, depth=None):
        return load(files.write_published(tmp_path / folder, {"GAN": state}), depth)

    assert loaded("16_16_4/models/NAME").config.depth == 4
    assert loaded("run_16_16_4_best").config.depth == 4
    assert loaded("16_16_4/16_16_8").config.depth == 8
    assert loaded("16_16_4", depth=16).config.depth == 16
    assert loaded("16_16_4").notes == ()
    for folder in ("32_32_4", "116_16_4", "plain"):
        guess = loaded(folder)
        assert guess.config.depth == 16, "32, or the image size where that is smaller"
        assert "16 was assumed" in guess.notes[0]


@pytest.mark.parametrize("depth", [0, -8, 2, 3, 32, 8.0, "8", True])
def test_an_impossible_depth_is_refused(state, refused, depth):
    refused({"GAN": state}, depth=depth)


@pytest.mark.parametrize(
    "change",
    [
        {"image_size": 128},
        {"image_size": "many\nlines\n" * 500},
        {"network_capacity": 16},
        {"network_capacity": -2},
        {"transparent": True},
        {"attn_layers": [1, 2]},
        {"fq_layers": [1]},
        {"no_const": True},
        {"lr_mlp": -0.1},
        {"lr_mlp": "0.1"},
        {"lr_mlp": True},
        {"lr_mlp": None},
        {"lr_mlp": 10**400},
        {"lr_mlp": float("nan")},
    ],
    ids=lambda change: f"{change!r:.40}",
)
def test_settings_that_contradict_the_weights_are_refused(state, refused, change):
    refused({"GAN": state}, files.TINY_SETTINGS | change)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", "[" * 100_000, "\x00", '{"lr_mlp": 1' + "0" * 9999],
    ids=lambda text: f"{text!r:.20}",
)
def test_damaged_settings_are_refused(state, tmp_path, text, single_sentence):
    path = files.write_published(tmp_path, {"GAN": state})
    (tmp_path / ".config.json").write_text(text, encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        load(path, 8)
    single_sentence(refusal)


def test_settings_that_are_not_text_are_refused(state, tmp_path, single_sentence):
    path = files.write_published(tmp_path, {"GAN": state})
    (tmp_path / ".config.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CowganError) as refusal:
        load(path, 8)
    single_sentence(refusal)


WEIGHT = "GE.blocks.1.conv1.weight"
SHAPE = (8, 8, 3, 3, 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (WEIGHT, None),
        (WEIGHT, torch.zeros(8)),
        (WEIGHT, torch.zeros(SHAPE, dtype=torch.int64)),
        (WEIGHT, torch.zeros(SHAPE, dtype=torch.bool)),
        (WEIGHT, torch.zeros(SHAPE, dtype=torch.complex64)),
        (WEIGHT, torch.full(SHAPE, torch.nan)),
        (WEIGHT, torch.full(SHAPE, -torch.inf)),
        (WEIGHT, torch.zeros(SHAPE, device="meta")),
        (WEIGHT, torch.zeros(SHAPE).to_sparse()),
        (WEIGHT, torch.quantize_per_tensor(torch.zeros(SHAPE), 0.1, 0, torch.qint8)),
        (WEIGHT, torch.zeros(1).expand(2**20, 2**10, 2**10, 2**10, 2**10)),
        (WEIGHT, "text"),
        (WEIGHT, 3.0),
        (WEIGHT, []),
        ("GE.blocks.0.conv1.weight", torch.zeros(1).expand(2**30, 2**30, 1, 1, 1)),
        ("GE.blocks.2.conv1.weight", torch.zeros(1).expand(2, 8, 3, 3, 3)),
        ("GE.blocks.2.conv1.weight", torch.zeros(0, 8, 3, 3, 3)),
        ("GE.blocks.3.conv1.weight", torch.zeros(4, 4, 3, 3, 3)),
        ("SE.net.0.weight", torch.zeros(1).expand(8, 2**40)),
        ("SE.net.0.weight", torch.zeros(8, 0)),
        ("SE.net.0.weight", torch.tensor(1.0)),
        ("SE.net.4.weight", torch.zeros(8, 8)),
        ("D.blocks.0.conv_res.weight", torch.tensor(1.0)),
        ("D.blocks.0.conv_res.weight", torch.zeros(1).expand(2**40, 1, 1, 1, 1)),
        ("D.unknown", torch.zeros(1)),
        ("GE.blocks.0.to_grayscale.upsample.1.f", torch.tensor([1.0, 3.0, 1.0])),
        ("GE.blocks.0.to_grayscale.upsample.1.f", torch.zeros(1).expand(2**60)),
        ("GE.blocks.0.to_grayscale.upsample.1.f", torch.zeros(3, device="meta")),
        ("GE.blocks.0.to_grayscale.upsample.1.f", torch.ones(3, dtype=torch.complex64)),
    ],
    ids=lambda value: f"{value!r:.40}" if not isinstance(value, torch.Tensor) else str(value.shape),
)
def test_wrong_tensors_are_refused(state, refused, name, value):
    if value is None:
        del state[name]
    else:
        state[name] = value
    refused({"GAN": state})


def test_what_served_training_alone_is_left_out(checkpoint, state, tmp_path):
    state |= {
        "D_cl.net.to_logit.weight": torch.zeros(1, 8),
        "D_cl.projector.1.num_batches_tracked": torch.tensor(3),
        "optimizer": {"step": 3},
        3: torch.zeros(1),
    }
    loaded = load(files.write_published(tmp_path, {"GAN": state, "optimizer": {"lr": 0.1}}), 8)
    z = torch.randn(1, 8)
    expected = checkpoint.synthesis(checkpoint.mapping(z))
    assert torch.equal(loaded.synthesis(loaded.mapping(z)), expected)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_settings_saved_by_an_editor_on_windows_are_read(state, tmp_path, encoding):
    path = files.write_published(tmp_path, {"GAN": state})
    text = json.dumps(files.TINY_SETTINGS | {"lr_mlp": 0.01}, indent=1)
    (tmp_path / ".config.json").write_text(text.replace("\n", "\r\n"), encoding, newline="")
    assert load(path, 8).config.lr_mlp == 0.01


def test_renamed_tensors_are_refused(state, refused):
    refused({"GAN": {name.replace("GE.", "GX."): tensor for name, tensor in state.items()}})
    refused({"GAN": {name.replace("GE.", "G."): tensor for name, tensor in state.items()}})


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        None,
        3,
        "text",
        torch.zeros(3),
        {"GAN": None},
        {"GAN": {}},
        {"GAN": []},
        {"GAN": torch.zeros(3)},
        {"state_dict": {"weight": torch.zeros(3)}},
    ],
    ids=repr,
)
def test_a_torch_file_of_something_else_is_refused(refused, content):
    assert "not a 3D StyleGAN checkpoint" in refused(content)


def test_a_tensor_whose_name_ends_like_a_blur_kernel_but_is_none_is_refused(state, refused):
    state["GE.blocks.0.to_grayscale.upsample.1.f"] = "not a tensor"
    refused({"GAN": state})


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs POSIX permissions")
def test_an_unreadable_file_or_folder_is_reported_as_such(state, tmp_path, single_sentence):
    path = files.write_published(tmp_path / "NAME", {"GAN": state})
    native = path.with_name("model.safetensors")
    native.write_bytes(b"x")
    locked = [path, native]
    for file in locked:
        file.chmod(0)
    for folder in (tmp_path / "NAME", tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    root = os.geteuid() == 0
    for target, problem in ((path, 0o755), (native, 0o755), (path.parent, 0), (path, 0)):
        path.parent.chmod(problem)
        if root:
            os.seteuid(65534)
        try:
            with pytest.raises(CowganError) as refusal:
                load(target, 8)
        finally:
            if root:
                os.seteuid(0)
            path.parent.chmod(0o755)
        assert "Permission denied" in single_sentence(refusal)


def test_settings_may_hold_more_than_is_known(state, tmp_path):
    settings = files.TINY_SETTINGS | {"fmap_max": 512, "comment": "x"}
    path = files.write_published(tmp_path, {"GAN": state}, settings)
    assert json.loads((tmp_path / ".config.json").read_text(encoding="utf-8"))["comment"] == "x"
    assert load(path, 8)
