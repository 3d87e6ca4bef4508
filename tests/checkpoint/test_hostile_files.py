"""Files that are damaged, of another kind, or meant to do harm.

Each gives one sentence, in little time and little memory, and nothing in them ever runs.
"""

import contextlib
import io
import os
import pickle
import random
import struct
import tracemalloc
import zipfile
from collections import OrderedDict
from pathlib import Path

import checkpoint_files as files
import numpy as np
import psutil
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cowgan.checkpoint import load, save
from cowgan.errors import CowganError

fuzz = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SUFFIXES = (".pt", ".pth", ".safetensors")


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> dict[str, bytes]:
    """Return the bytes of one small checkpoint in each format."""
    folder = tmp_path_factory.mktemp("good")
    checkpoint = files.lively()
    content = {"GAN": files.published_state(checkpoint)}
    published = files.write_published(folder, content)
    legacy = files.write_published(folder, content, name="legacy.pt", legacy=True)
    save(checkpoint, folder / "native.safetensors")
    return {
        "zip.pt": published.read_bytes(),
        "legacy.pt": legacy.read_bytes(),
        "native.safetensors": (folder / "native.safetensors").read_bytes(),
    }


@pytest.fixture
def refused(tmp_path, single_sentence):
    def check(content: bytes, name: str = "model_1.pt") -> str:
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(CowganError) as refusal:
            load(path, 8)
        return single_sentence(refusal)

    return check


class TouchesFile:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return (os.mknod, (str(self.target),))


class RunsShell:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return (os.system, (f"touch {self.target}",))


class Evaluates:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return (eval, (f"open({str(self.target)!r}, 'w')",))


@pytest.mark.parametrize("attack", [TouchesFile, RunsShell, Evaluates])
@pytest.mark.parametrize("container", ["zip", "legacy", "plain", "key"])
def test_nothing_in_a_file_ever_runs(attack, container, refused, tmp_path):
    victim = tmp_path / "victim"
    content = {"GAN": {"GE.initial_block": attack(victim)}}
    if container == "key":
        content = {"GAN": files.published_state(files.lively()), "more": [attack(victim)]}
    buffer = io.BytesIO()
    if container == "plain":
        pickle.dump(content, buffer)
    else:
        torch.save(content, buffer, _use_new_zipfile_serialization=container != "legacy")
    assert "run programs" in refused(buffer.getvalue())
    assert not victim.exists()
    buffer.seek(0)
    with contextlib.suppress(Exception):
        torch.load(buffer, weights_only=False)
    assert victim.exists(), "the attack would have worked on a careless reader"


def test_a_script_archive_is_not_opened(refused):
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), buffer)
    refused(buffer.getvalue())


@pytest.mark.parametrize("name", ["zip.pt", "legacy.pt", "native.safetensors"])
def test_a_file_cut_anywhere_is_refused(good, refused, name):
    content = good[name]
    chosen = random.Random(0)
    cuts = [0, 1, 2, 4, 7, 8, 9, 64, *(chosen.randrange(len(content)) for _ in range(40))]
    cuts += [len(content) - n for n in (1, 2, 10, 22, 23, 100)]
    for cut in cuts:
        refused(content[:cut], name)


@pytest.mark.parametrize("name", ["zip.pt", "legacy.pt", "native.safetensors"])
def test_flipped_bits_in_the_header_are_refused_or_harmless(good, tmp_path, name, single_sentence):
    content = good[name]
    chosen = random.Random(1)
    path = tmp_path / name
    refusals = 0
    for _ in range(150):
        damaged = bytearray(content)
        damaged[chosen.randrange(min(20_000, len(content)))] ^= 1 << chosen.randrange(8)
        path.write_bytes(damaged)
        try:
            checkpoint = load(path, 8)
        except CowganError as error:
            refusals += 1
            assert "\n" not in error.sentence
            assert error.sentence.endswith(".")
        else:
            assert checkpoint.config == files.TINY or name == "native.safetensors"
            assert checkpoint.mapping(torch.ones(1, checkpoint.config.latent_dim)).shape[0] == 1
    assert refusals > 10


def test_flipped_bits_in_the_directory_of_an_archive_are_refused_or_harmless(good, tmp_path):
    content = good["zip.pt"]
    start = content.index(b"PK\x01\x02")
    chosen = random.Random(2)
    path = tmp_path / "model_1.pt"
    for _ in range(200):
        damaged = bytearray(content)
        for _ in range(chosen.choice([1, 1, 8])):
            damaged[chosen.randrange(start, len(content))] = chosen.randrange(256)
        path.write_bytes(damaged)
        with contextlib.suppress(CowganError):
            load(path, 8)


@settings(fuzz, max_examples=150)
@given(st.binary(max_size=400), st.sampled_from(SUFFIXES))
@example(b"", ".pt")
@example(b"PK\x03\x04", ".pt")
@example(b"PK\x05\x06" + bytes(18), ".pt")
@example(b"\x80\x02.", ".pt")
@example(b"\x80\x02}.", ".pt")
@example(b"\x80\x02" + b"]" * 300 + b".", ".pt")
@example(struct.pack("<Q", 2**63) + b"{}", ".safetensors")
@example(struct.pack("<Q", 2) + b"{}", ".safetensors")
@example(struct.pack("<Q", 2) + b"[]", ".safetensors")
def test_random_bytes_are_refused(tmp_path, content, suffix):
    path = tmp_path / f"random{suffix}"
    path.write_bytes(content)
    with pytest.raises(CowganError) as refusal:
        load(path, 8)
    assert refusal.value.sentence.endswith(".")
    assert "\n" not in refusal.value.sentence


@settings(fuzz, max_examples=100)
@given(st.binary(max_size=200))
def test_random_pickles_are_refused(tmp_path, content):
    """Random opcodes follow a valid start of a torch archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("model/data.pkl", b"\x80\x02" + content)
        archive.writestr("model/version", "3\n")
    path = tmp_path / "model_1.pt"
    path.write_bytes(buffer.getvalue())
    with pytest.raises(CowganError) as refusal:
        load(path, 8)
    assert "\n" not in refusal.value.sentence


def archive_with(pickled: bytes, compression: int = zipfile.ZIP_STORED, **more: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("model/data.pkl", pickled)
        archive.writestr("model/version", "3\n")
        for name, content in more.items():
            archive.writestr(f"model/{name}", content)
    return buffer.getvalue()


@contextlib.contextmanager
def bounded_memory(limit_mb: float):
    process = psutil.Process()
    before = process.memory_info().rss
    yield
    assert (process.memory_info().rss - before) / 1e6 < limit_mb


def test_an_archive_that_unpacks_to_gigabytes_is_refused_unopened(refused):
    bomb = archive_with(b"\0" * 200_000_000, zipfile.ZIP_DEFLATED)
    assert len(bomb) < 300_000
    tracemalloc.start()
    try:
        with bounded_memory(50):
            sentence = refused(bomb)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert "unpacks to 200 MB" in sentence


def test_an_archive_that_lies_about_its_size_is_refused(refused):
    bomb = bytearray(archive_with(b"\0" * 50_000_000, zipfile.ZIP_DEFLATED))
    true_size = struct.pack("<I", 50_000_000)
    while (position := bomb.find(true_size)) >= 0:
        bomb[position : position + 4] = struct.pack("<I", 1000)
    with bounded_memory(50):
        refused(bytes(bomb))


def test_storages_that_claim_more_than_the_file_holds_are_refused(refused):
    for legacy in (False, True):
        buffer = io.BytesIO()
        state = {"GE.initial_block": torch.zeros(1000)}
        torch.save({"GAN": state}, buffer, _use_new_zipfile_serialization=not legacy)
        content = buffer.getvalue()
        small, huge = b"M\xe8\x03", b"J\x00\x00\x00\x7f"
        assert small in content
        with bounded_memory(100):
            refused(content.replace(small, huge))


def test_a_tensor_that_repeats_one_number_2_to_the_60_times_is_refused(refused):
    state = files.published_state(files.lively())
    state["GE.blocks.1.to_style1.weight"] = torch.zeros(1).expand(2**30, 2**30)
    buffer = io.BytesIO()
    torch.save({"GAN": state}, buffer)
    with bounded_memory(50):
        refused(buffer.getvalue())


def test_a_consistent_model_of_repeated_numbers_is_refused(refused):
    """Every shape fits a large architecture, but one number stands behind each tensor."""
    from cowgan.networks import NetworkConfig

    large = NetworkConfig(64, 8, 32, 512, 512, 2)
    from cowgan.checkpoint import Checkpoint

    state = {
        name: torch.zeros(1).expand(tensor.shape)
        for name, tensor in files.published_state(Checkpoint.random(large)).items()
        if name.startswith(("GE.", "SE.")) and not name.endswith(".f")
    }
    buffer = io.BytesIO()
    torch.save({"GAN": state}, buffer)
    with bounded_memory(50):
        assert "claims more weights" in refused(buffer.getvalue())


def test_deeply_nested_content_is_refused(refused):
    nested: list = []
    for _ in range(300):
        nested = [nested]
    buffer = io.BytesIO()
    torch.save({"GAN": {"GE.x": nested}}, buffer)
    refused(buffer.getvalue())
    refused(archive_with(b"\x80\x02" + b"(" * 50_000 + b"l" * 50_000 + b"."))


def test_content_that_explodes_when_printed_is_refused(refused):
    laughs: tuple = ("ha",) * 10
    for _ in range(12):
        laughs = (laughs,) * 10
    buffer = io.BytesIO()
    torch.save({"GAN": {"GE.x": list(laughs)}}, buffer)
    refused(buffer.getvalue())


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\0" * 10_000, "filled with zeros"),
        (b"Dear colleague, please find the model attached.\n" * 100, "a text file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "a PNG picture"),
        (b"\x1f\x8b\x08\x00" + bytes(1000), "packed by gzip"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n", "Git LFS"),
        (b"/annex/objects/SHA256E-s194--00.pt\n", "git-annex"),
        (b"<!DOCTYPE html><html>404</html>", "a web page"),
        (b"PK\x03\x04" + bytes(range(256)) * 4, "a zip archive"),
    ],
    ids=lambda value: f"{value!r:.20}",
)
def test_files_of_another_kind_are_called_what_they_are(refused, content, message, suffix):
    assert message in refused(content, f"model_1{suffix}")


def test_an_archive_of_another_kind_is_named(refused):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", "<xml/>")
    assert "word/document.xml" in refused(buffer.getvalue())
    buffer = io.BytesIO()
    np.savez(buffer, weight=np.zeros(3))
    assert "zip archive of other files" in refused(buffer.getvalue())


def test_formats_with_exchanged_names_are_named(good, refused):
    assert "a zip archive" in refused(good["zip.pt"], "model_1.safetensors")
    assert "rename it to end in .safetensors" in refused(good["native.safetensors"], "model_1.pt")


def test_a_huge_header_is_refused_without_being_read(refused):
    content = struct.pack("<Q", 2**40) + b"{" + b" " * 1000
    refused(content, "model.safetensors")
    padded = b'{"a":' + b"[" * 3_000_000
    with bounded_memory(100):
        refused(struct.pack("<Q", len(padded)) + padded, "model.safetensors")


def test_tensors_beyond_the_end_of_a_native_file_are_refused(refused):
    header = b'{"x":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
    refused(struct.pack("<Q", len(header)) + header, "model.safetensors")


def test_a_folder_without_models_is_refused(tmp_path, single_sentence):
    (tmp_path / "notes.txt").write_text("none here", encoding="utf-8")
    (tmp_path / "model_x.pt").write_text("nor this", encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        load(tmp_path)
    single_sentence(refusal)


def test_a_model_that_is_a_folder_is_refused(tmp_path, single_sentence):
    (tmp_path / "model_1.pt").mkdir()
    with pytest.raises(CowganError) as refusal:
        load(tmp_path)
    single_sentence(refusal)


@pytest.mark.parametrize(
    "name",
    ["absent.pt", "absent.safetensors", "absent", "no/such/folder.pt", "x" * 5000, "a\0b.pt", ""],
    ids=lambda name: f"{name!r:.20}",
)
def test_a_missing_file_is_reported_as_such(tmp_path, name, single_sentence):
    with pytest.raises(CowganError) as refusal:
        load(f"{tmp_path}/{name}")
    sentence = str(refusal.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize("name", ["model.onnx", "model.ckpt", "model.nii.gz", "model_1"])
def test_an_unknown_suffix_says_what_can_be_opened(refused, name):
    assert "choose a .safetensors file" in refused(b"content", name)


def test_an_ordered_dictionary_is_as_good_as_a_plain_one(tmp_path):
    state = OrderedDict(files.published_state(files.lively()))
    assert load(files.write_published(tmp_path, OrderedDict(GAN=state)), 8)
