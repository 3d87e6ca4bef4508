"""Who is reading, by the journals as they grow."""

import os
import time
from pathlib import Path

from cowgan.errors import CowganError
from cowgan.files import open_regular
from cowgan.turing.reading.package import JOURNAL_FILE, PACKAGES

RECENT_S = 120.0
"""Who has done nothing for so long counts as away."""

_TAIL_BYTES = 64 * 2**10


def last_change(study: Path, reader: str) -> float | None:
    """Return when a reader's journal was written last, as `time.time`; None if there is none."""
    try:
        return _journal(study, reader).stat().st_mtime
    except OSError:
        return None


def reads_now(study: Path, reader: str) -> bool:
    """Return whether a reader has done something recently, and has not closed the page."""
    changed = last_change(study, reader)
    if changed is None or time.time() - changed > RECENT_S:
        return False
    try:
        with open_regular(_journal(study, reader)) as file:
            file.seek(-min(_TAIL_BYTES, file.seek(0, os.SEEK_END)), os.SEEK_END)
            last = file.read(_TAIL_BYTES).rstrip(b"\n").rpartition(b"\n")[2]
    except (OSError, CowganError):
        return False
    return not any(f'"kind":"{kind}"'.encode() in last for kind in ("stop", "finish"))


def _journal(study: Path, reader: str) -> Path:
    return study / PACKAGES / reader / JOURNAL_FILE
