"""Tests of the detection of placeholders and of known file kinds."""

import gzip
import io
import zipfile

import numpy as np
import pytest

from cowgan.file_kinds import BYTES_NEEDED, what_it_is

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 4138\n"
KEY = b"annex/objects/SHA256E-s1000--" + b"01" * 32 + b".nii.gz"


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "content")
    return file.getvalue()


@pytest.mark.parametrize("start", [LFS, LFS.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + LFS])
def test_pointers_of_git_lfs(start: bytes) -> None:
    assert what_it_is(start) is not None
    assert "pointer of Git LFS" in str(what_it_is(start))


@pytest.mark.parametrize("start", [b"/" + KEY + b"\n", b"../../.git/" + KEY, b"/" + KEY + b"\r\n"])
def test_pointers_of_git_annex_and_its_links_stored_as_text(start: bytes) -> None:
    assert "pointer of git-annex" in str(what_it_is(start))


@pytest.mark.parametrize(
    "start",
    [
        b"<!DOCTYPE html><html><head><title>Virus scan warning</title></head></html>",
        b"\n\n  <HTML lang='en'>",
        b"\xef\xbb\xbf<!doctype HTML>",
        "<!DOCTYPE html>".encode("utf-16"),
        b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">',
        b"<!-- saved from url -->\n<html>",
    ],
)
def test_web_pages(start: bytes) -> None:
    assert "a web page" in str(what_it_is(start))


def test_messages_of_web_servers() -> None:
    start = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'
    assert "message of a web server" in str(what_it_is(start))


def test_links_stored_as_text() -> None:
    assert "text of a link" in str(what_it_is(b"../store/sub-07"))


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"", "empty"),
        (bytes(352), "zeros"),
        (zipped(), "a zip archive"),
        (gzip.compress(b"content", mtime=0), "packed by gzip"),
        (bytes(128) + b"DICM" + bytes(20), "a DICOM file"),
        (b"%PDF-1.7", "a PDF document"),
        (b"a,b\n1,2\n", "a text file"),
        ((0x088B1F).to_bytes(8, "little") + b'{"w":', "a safetensors file"),
    ],
)
def test_known_kinds(start: bytes, kind: str) -> None:
    assert kind in str(what_it_is(start))


@pytest.mark.parametrize("cut", range(4))
def test_text_whose_last_character_is_cut_off(cut: int) -> None:
    text = ("a" * (BYTES_NEEDED - 2 - cut) + "größe€").encode()
    assert what_it_is(text[:BYTES_NEEDED]) == "a text file"


def test_noise_is_nothing_known() -> None:
    noise = np.random.default_rng(0).bytes(BYTES_NEEDED)
    assert what_it_is(noise) is None
