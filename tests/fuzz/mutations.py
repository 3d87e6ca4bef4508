"""Ways to damage a file: blindly, and with knowledge of its format."""

import gzip
import io
import json
import random
import re
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import nibabel as nib
import numpy as np

Mutation = Callable[[bytes, random.Random], bytes]

_INTEGERS = (-1, 0, 1, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**63, 2**64 - 1)
_TEXTS = (
    *("", "x" * 5000, "\ud800", "\x00", "\x1b[2J", "a\nb", "=1+1", "../../etc/passwd", "/dev/zero"),
    *("2024-99-99", "NaN", "1e999", "None", "‮", "<script>", "C:\\x", "ab" * 32, "LIST", "%d"),
)
_NUMBERS = (
    *(0, 1, -1, 2, 3, 0.5, 1e-320, 1e155, 1e308, -1e308, 2**31, 2**53 + 1, 2**63, 2**64, 10**400),
    *(float("nan"), float("inf"), float("-inf")),
)


def damage(content: bytes, chosen: random.Random) -> bytes:
    """Flip, overwrite, cut, repeat, move or insert bytes, up to four times."""
    damaged = bytearray(content)
    for _ in range(chosen.choice((1, 1, 1, 2, 4))):
        # Half of all damage falls on the beginning, where headers are.
        reach = max(1, min(len(damaged), chosen.choice((64, 400, 4000, 2**40))))
        place = chosen.randrange(reach) if damaged else 0
        length = chosen.choice((1, 2, 4, 8, 64, 1000))
        match chosen.randrange(7):
            case 0 if damaged:
                damaged[place % len(damaged)] ^= 1 << chosen.randrange(8)
            case 1:
                damaged[place : place + length] = chosen.randbytes(length)
            case 2:
                del damaged[place:]
            case 3:
                damaged[place:place] = damaged[place : place + length]
            case 4:
                other = chosen.randrange(len(damaged) + 1)
                damaged[place:place] = damaged[other : other + length]
            case 5:
                size = chosen.choice((1, 2, 4, 8))
                value = chosen.choice(_INTEGERS) % 2 ** (8 * size)
                order = chosen.choice(("little", "big"))
                damaged[place : place + size] = value.to_bytes(size, order)
            case 6:
                damaged[place : place + length] = b""
    return bytes(damaged)


def mutated_json(content: Any, chosen: random.Random) -> Any:
    """Return parsed JSON with one to three places changed: type, size, depth, presence."""
    content = json.loads(json.dumps(content))
    for _ in range(chosen.choice((1, 1, 2, 3))):
        places = list(_places(content))
        if not places:
            return _hostile(chosen, content)
        parent, key = chosen.choice(places)
        match chosen.randrange(8):
            case 0:
                del parent[key]
            case 1 if isinstance(parent, dict):
                parent[chosen.choice(_TEXTS)] = parent[key]
            case 1 | 2:
                other, its = chosen.choice(places)
                # Through text, or a place could come to hold itself.
                parent[key] = json.loads(json.dumps(other[its]))
            case 3 if isinstance(parent[key], list) and parent[key]:
                parent[key] = parent[key] * chosen.choice((2, 50))
            case _:
                parent[key] = _hostile(chosen, parent[key])
    return content


def json_text(content: Any, chosen: random.Random) -> bytes:
    """Write JSON, now and then nested beyond any parser, with a mark or a key twice."""
    text = json.dumps(content)
    match chosen.randrange(12):
        case 0:
            depth = chosen.choice((500, 5000, 100_000))
            text = re.sub(r'(?<=: )("[^"]*"|\d+|null)', "[" * depth + "]" * depth, text, count=1)
        case 1:
            text = "\ufeff" + text.replace(", ", ",\r\n")
        case 2:
            text = text.replace("{", '{"schema": 1, "schema": [], ', 1)
        case 3:
            text = text[: chosen.randrange(len(text) + 1)]
    return text.encode("utf-8", "surrogatepass")


def structural_json(content: bytes, chosen: random.Random) -> bytes:
    """Change JSON as a document."""
    return json_text(mutated_json(json.loads(content), chosen), chosen)


def structural_toml(content: bytes, chosen: random.Random) -> bytes:
    """Change the values and tables of a TOML file."""
    lines = content.decode().splitlines()
    for _ in range(chosen.choice((1, 1, 3))):
        place = chosen.randrange(len(lines))
        name, _, value = lines[place].partition(" = ")
        other = chosen.choice(
            (*map(str, _NUMBERS[:-3]), "nan", "inf", "[" * 3000, "{}", "[1, 2]", '"text"', "true"),
        )
        lines[place] = chosen.choice(
            (f"{name} = {other}", f"{name}.x = {value}", f"[{name}]", f"[[{name}]]", f"x = {value}")
        )
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def structural_table(content: bytes, chosen: random.Random) -> bytes:
    """Change the cells, columns and quotes of a table."""
    lines = [re.split("([,\t])", line) for line in content.decode().splitlines()]
    for _ in range(chosen.choice((1, 2, 4))):
        line = chosen.choice(lines)
        place = chosen.randrange(len(line))
        line[place] = chosen.choice(
            ('"', '"""', "", ",", ",,,,", "\r", "x" * 140_000, *_TEXTS, *map(str, _NUMBERS))
        )
        if chosen.random() < 0.2:
            lines.append(list(chosen.choice(lines)))
    return "\n".join(map("".join, lines)).encode("utf-8", "surrogatepass")


def nifti_fields(content: bytes, chosen: random.Random) -> bytes:
    """Change fields of a NIfTI-1 or NIfTI-2 header to senseless values."""
    kind = nib.Nifti2Header if nib.Nifti2Header.may_contain_header(content) else nib.Nifti1Header
    fields = np.frombuffer(content[: kind.sizeof_hdr], kind.template_dtype)[0].copy()
    for _ in range(chosen.choice((1, 1, 2, 4))):
        name = chosen.choice(kind.template_dtype.names)
        values = fields[name]
        if values.dtype.kind == "S":
            fields[name] = chosen.randbytes(values.dtype.itemsize)
            continue
        with np.errstate(all="ignore"):
            value = np.array(
                float(chosen.choice((*_NUMBERS[:10], *_NUMBERS[-3:], 32767, 512, 4, 16)))
            ).astype(values.dtype)
        if values.ndim:
            values[chosen.randrange(values.size)] = value
        else:
            fields[name] = value
    return fields.tobytes() + content[kind.sizeof_hdr :]


def gzipped(inner: Mutation) -> Mutation:
    """Return a mutation of what is packed; now and then it is packed with much more."""

    def mutate(content: bytes, chosen: random.Random) -> bytes:
        unpacked = inner(gzip.decompress(content), chosen)
        more = chosen.choice((0, 0, 0, 100, 2 * 10**6, 300 * 10**6 if chosen.random() < 0.1 else 0))
        packed = gzip.compress(unpacked, 1, mtime=0)
        # Zeros in another member, which costs no memory here.
        return packed + (_zeros(more) if more else b"")

    return mutate


def safetensors_header(content: bytes, chosen: random.Random) -> bytes:
    """Change the header of a safetensors file, or a document within its metadata."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    metadata = header.get("__metadata__", {})
    documents = [name for name, text in metadata.items() if text.startswith("{")]
    if documents and chosen.random() < 0.7:
        name = chosen.choice(documents)
        inner = json_text(mutated_json(json.loads(metadata[name]), chosen), chosen)
        metadata[name] = inner.decode("utf-8", "replace")
    else:
        header = mutated_json(header, chosen)
    text = json.dumps(header).encode()
    stated = chosen.choice((len(text),) * 9 + (2**40,))
    return struct.pack("<Q", stated) + text + content[8 + length :]


def npy_header(content: bytes, chosen: random.Random) -> bytes:
    """Change the header of a NumPy array: shape, type, order, length, nesting."""
    length = int.from_bytes(content[8:10], "little")
    text = content[10 : 10 + length].decode("latin-1").rstrip()
    match chosen.randrange(5):
        case 0:
            shape = ", ".join(str(chosen.choice((0, 1, 3, -1, 2**40, 10**30))) for _ in range(4))
            text = re.sub(r"\([^)]*\)", f"({shape})", text)
        case 1:
            kind = chosen.choice(("O", "|V4", ">u2", "<f8", "<U99999999", "no", "<M8[s]", "(9,)u1"))
            text = re.sub(r"'descr': '[^']*'", f"'descr': '{kind}'", text)
        case 2:
            text = text.replace(": ", ": " + "(" * chosen.choice((50, 5000)), 1)
        case 3:
            text = text.replace("False", chosen.choice(("True", "0L", "None", "__import__('os')")))
        case 4:
            text = damage(text.encode("latin-1"), chosen).decode("latin-1")
    header = (text + "\n").encode("latin-1")[:65535]
    return content[:8] + len(header).to_bytes(2, "little") + header + content[10 + length :]


def zip_members(inner: dict[str, Mutation]) -> Mutation:
    """Return a mutation of the files of an archive, of its list of them, or of how they are packed.

    Parameters
    ----------
    inner : dict of str to Mutation
        By the ending of a name.
    """

    def mutate(content: bytes, chosen: random.Random) -> bytes:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        name = chosen.choice(list(files))
        match chosen.randrange(6):
            case 0 | 1 | 2:
                ending = next((end for end in inner if name.endswith(end)), None)
                files[name] = (inner[ending] if ending else damage)(files[name], chosen)
            case 3:
                del files[name]
            case 4:
                files[chosen.choice(("../" + name, "/" + name, "x/" + name, name * 20))] = b"x"
            case 5:
                files[name] += bytes(chosen.choice((1, 10**6, 3 * 10**7)))
        method = chosen.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", method, compresslevel=1) as archive:
            for name, written in files.items():
                archive.writestr(zipfile.ZipInfo(name), written, method)
        result = bytearray(packed.getvalue())
        if chosen.random() < 0.3:
            # The list at the end of the archive: sizes, methods, flags, places.
            start = result.find(b"PK\x01\x02")
            for _ in range(chosen.choice((1, 3))):
                result[chosen.randrange(max(start, 0), len(result))] = chosen.randrange(256)
        return bytes(result)

    return mutate


def _zeros(count: int) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as file:
        for _ in range(count // 10**6 + 1):
            file.write(bytes(10**6))
    return packed.getvalue()


def _places(content: Any) -> Any:
    """Yield every container of a document and a key of it."""
    waiting = [content]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        for key in keys:
            yield node, key
            if isinstance(node[key], dict | list):
                waiting.append(node[key])


def _hostile(chosen: random.Random, before: Any) -> Any:
    nested: Any = 1
    for _ in range(chosen.choice((3, 60, 400))):
        nested = chosen.choice(([nested], {"a": nested}))
    others = (None, True, [], {}, [[]], [None] * 3, nested, str(before), [before], {"a": before})
    return chosen.choice((chosen.choice(_TEXTS), chosen.choice(_NUMBERS), chosen.choice(others)))
