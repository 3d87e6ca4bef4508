"""Detection of file kinds from the first bytes."""

import codecs
import re

BYTES_NEEDED = 1024
"""Number of first bytes that suffice."""

SAFETENSORS = "a safetensors file"
TEXT = "a text file"
"""Kind of text files that are not placeholders."""

_DICOM_AT, _DICOM = 128, b"DICM"
_LFS = b"version https://git-lfs.github.com/spec/"
_ANNEX = re.compile(rb"[^\n]{0,400}annex/objects/")
_WEB_PAGE = re.compile(
    rb"(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b"
)
_XML = b"<?xml"
_LINK = re.compile(rb"[\w .+~-]*/[\w ./+~-]*[\w.+~-]\s*")
_DOWNLOAD = "and not the file itself; download it"

_STAND_INS = ("empty;", "filled with zeros;", "a pointer", "a web page", "an XML", "the text of a")
"""Beginnings of the kinds of missing or incomplete files."""

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\x03\x04", "a zip archive"),
    (0, b"PK\x05\x06", "an empty zip archive"),
    (0, b"\x1f\x8b", "packed by gzip"),
    (0, b"BZh", "packed by bzip2"),
    (0, b"\xfd7zXZ\x00", "packed by xz"),
    (0, b"\x28\xb5\x2f\xfd", "packed by zstandard"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (0, b"Rar!\x1a\x07", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"II*\x00", "a TIFF picture"),
    (0, b"MM\x00*", "a TIFF picture"),
    (_DICOM_AT, _DICOM, "a DICOM file"),
    (344, b"n+1\x00", "a NIfTI image"),
    (344, b"ni1\x00", "the header of a NIfTI image"),
    (4, b"n+2\x00\r\n\x1a\n", "a NIfTI-2 image"),
    (0, b"NRRD", "an NRRD image"),
    (0, b"ObjectType = Image", "a MetaImage"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (0, b"MATLAB 5.0 MAT", "a MATLAB file"),
    (0, b"\x93NUMPY", "a NumPy array"),
)


def what_it_is(start: bytes) -> str | None:
    """Return the kind of a file whose content does not match its name.

    Parameters
    ----------
    start : bytes
        The first `BYTES_NEEDED` bytes of the file, or all of it if it is shorter.

    Returns
    -------
    str or None
        The end of a sentence that begins with the file name and "is"; None if the content is
        unknown. Placeholders of files that were never downloaded (a pointer of Git LFS or
        git-annex, a link stored as text, a web page) are explained; common formats are named.
        The caller must first rule out the expected format: a zip archive, for example, can be
        a checkpoint.
    """
    start = start[:BYTES_NEEDED]
    if not start:
        return "empty; perhaps a download was interrupted"
    if not any(start):
        return "filled with zeros; perhaps a download or a copy was interrupted"
    # First, since their initial length may look like the magic number of another kind.
    if start[5:9] == b"\x00\x00\x00{":
        return SAFETENSORS
    for at, magic, kind in _MAGIC:
        if start[at : at + len(magic)] == magic:
            return kind
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        start = start.decode("utf-16", "replace").encode()
    start = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(_LFS):
        return f'a pointer of Git LFS {_DOWNLOAD}, for example with "git lfs pull"'
    if _ANNEX.match(start):
        return (
            f'a pointer of git-annex {_DOWNLOAD}, for example with "git annex get" or "datalad get"'
        )
    if _WEB_PAGE.match(start.lower()):
        return f"a web page {_DOWNLOAD} again, if need be after signing in"
    if start.startswith(_XML):
        return f"an XML document, such as a message of a web server, {_DOWNLOAD} again"
    if _LINK.fullmatch(start):
        return "the text of a link and not the file that the link leads to"
    return TEXT if _is_text(start) else None


def has_dicom_mark(start: bytes) -> bool:
    """Return whether a file has the DICOM prefix, even if it is also of another kind.

    Parameters
    ----------
    start : bytes
        As for `what_it_is`; the preamble may make it a picture too.
    """
    return start.startswith(_DICOM, _DICOM_AT)


def stand_in(start: bytes) -> str | None:
    """Return the kind of placeholder of a missing or incomplete file; None for other content.

    Parameters and result are those of `what_it_is`.
    """
    kind = what_it_is(start)
    return kind if kind is not None and kind.startswith(_STAND_INS) else None


def stored_link(content: bytes) -> str | None:
    """Return the target of a link that was stored as text.

    Git does so on systems and servers without symbolic links.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    str or None
        A relative path; None if the content is anything else.
    """
    if content.startswith(b"/") or not _LINK.fullmatch(content):
        return None
    return content.decode("ascii").strip()


def _is_text(start: bytes) -> bool:
    try:
        # The last character may be cut off.
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\r\n\t\f" for character in text)
