import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from cowgan.errors import CowganError
from cowgan.pictures import read_picture


def test_a_picture_is_read_in_grey(tmp_path):
    Image.new("RGB", (3, 2), (255, 255, 255)).save(tmp_path / "p.png")
    assert np.asarray(read_picture(tmp_path / "p.png")).tolist() == [[255] * 3] * 2


@pytest.mark.parametrize("size", [(2**16, 2**16), (2**13, 2**13)])
def test_a_picture_that_would_fill_the_memory_is_refused(tmp_path, size, single_sentence):
    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(10**6)))
    (tmp_path / "p.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + data + chunk(b"IEND", b""))
    with pytest.raises(CowganError) as refusal:
        read_picture(tmp_path / "p.png")
    single_sentence(refusal)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_anything_but_a_picture_is_refused(tmp_path, content, single_sentence):
    (tmp_path / "p.png").write_bytes(content)
    with pytest.raises(CowganError) as refusal:
        read_picture(tmp_path / "p.png")
    single_sentence(refusal)
