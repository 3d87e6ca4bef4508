"""Case names, used for outputs, banks, studies and tables."""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path, PurePath

from cowgan.data.subjects import subject_of

LONGEST_NAME_BYTES = 200
"""Longest name in UTF-8. File systems allow 255 bytes, including suffixes of temporary names."""

_RESERVED = {"manifest", "failed", "quality"}
_UNSAFE = re.compile(r"[^\w.+-]+")
_HEAD_BYTES = 40
_DIGEST_DIGITS = 6


def case_name(path: PurePath | str) -> str:
    """Return the case name of a file.

    Parameters
    ----------
    path : PurePath or str
        Path of the file below the searched folder, without suffix.

    Returns
    -------
    str
        Folders and file name joined by ``_``, without folders that the file name repeats:
        ``"sub-01_angio"`` for ``sub-01/anat/sub-01_angio``. Characters that are unsafe in file
        names become ``_``. In names above `LONGEST_NAME_BYTES`, six digits of the SHA-256
        replace the middle; the subject is kept.
    """
    *folders, stem = PurePath(path).parts or ("",)
    entities = set(stem.split("_"))
    if stem.startswith("sub-"):
        entities.add("anat")
    name = _UNSAFE.sub("_", "_".join([*(f for f in folders if f not in entities), stem]))
    return _shortened(name or "scan")


def name_cases(proposals: Mapping[Path, str], known: Mapping[Path, str]) -> dict[Path, str]:
    """Return names that are unique, also where file names ignore case.

    Parameters
    ----------
    proposals : mapping of Path to str
        Case name of each file.
    known : mapping of Path to str
        Names from earlier runs, which are kept.

    Returns
    -------
    dict of Path to str
        Colliding names have six digits added, of the SHA-256 of the shortest end of the path
        that distinguishes the files.
    """
    rivals: dict[str, list[Path]] = {}
    for path, name in proposals.items():
        rivals.setdefault(name.casefold(), []).append(path)
    taken = {name.casefold() for name in known.values()} | _RESERVED
    names = {}
    for path, proposal in proposals.items():
        if path in known:
            name = known[path]
        else:
            others = [other for other in rivals[proposal.casefold()] if other != path]
            offers = [proposal] if not others else []
            offers += [f"{proposal}-{_digest(tail)}" for tail in _tails(path, others)]
            name = next(offer for offer in offers if offer.casefold() not in taken)
            taken.add(name.casefold())
        names[path] = name
    return names


def _tails(path: Path, others: Sequence[Path]) -> Iterator[str]:
    """Yield the ends of a path that no other path has, the shortest first."""
    for length in range(1, len(path.parts) + 1):
        tail = path.parts[-length:]
        if all(other.parts[-length:] != tail for other in others):
            yield "/".join(tail)


def _shortened(name: str) -> str:
    if len(name.encode()) <= LONGEST_NAME_BYTES:
        return name
    subject = subject_of(name)
    head = _cut(name, _HEAD_BYTES)
    if subject != name and subject not in head:
        head = _cut(subject, _HEAD_BYTES)
    head += f"_{_digest(name)}_"
    room = LONGEST_NAME_BYTES - len(head.encode())
    return head + name.encode()[-room:].decode("utf-8", "ignore")


def _cut(text: str, size_bytes: int) -> str:
    return text.encode()[:size_bytes].decode("utf-8", "ignore")


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGEST_DIGITS]
