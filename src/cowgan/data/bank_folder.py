"""Where a bank may be written."""

import os
from pathlib import Path

from cowgan.data.bank_format import CASES_FILE, DESCRIPTION_FILE, VOXELS_FILE
from cowgan.errors import CowganError

_BANK_FILES = {VOXELS_FILE, DESCRIPTION_FILE, CASES_FILE}


def refuse_target(target: Path, overwrite: bool) -> None:
    """Raise `CowganError` unless a bank may be written to `target`.

    An empty folder may always be filled. Overwriting replaces a bank, even a damaged one,
    but never a folder in which anything else lies.
    """
    target = Path(target)
    if not os.path.lexists(target):
        return
    if not target.is_dir() or target.is_symlink():
        raise CowganError(f"{target} is a file or a link and not a folder; choose another name.")
    found = {path.name for path in target.iterdir()}
    if not found <= _BANK_FILES:
        raise CowganError(
            f"{target} holds files that are not part of a bank; choose another folder."
        )
    if found and not overwrite:
        raise CowganError(f"{target} exists already; choose another name or allow overwriting.")
