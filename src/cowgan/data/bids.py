"""Selection of raw angiograms in BIDS data sets by file name.

Gorgolewski et al. 2016; bids-specification.readthedocs.io.
"""

import re
from pathlib import Path

from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.volume.formats import image_stem

DESCRIPTION = "dataset_description.json"

_NAME = re.compile(r"sub-[0-9A-Za-z+]+(?:_[0-9A-Za-z]+-[^_]+)*_(?P<suffix>[0-9A-Za-z]+)")
_APART = ("derivatives", "sourcedata", "code", "stimuli", "phenotype")
_ANGIOGRAM = "angio"
_OTHER_IMAGES = re.compile(
    r"T[12]\w*|PD\w*|FLAIR|FLASH|inplaneT[12]|UNIT1|MP2RAGE|ME[GS]\w*|MT\w*|MPM|VFA|IRT1"
    r"|defacemask|bold|cbv|sbref|dwi|asl|m0scan|epi|fieldmap|phase\w*|magnitude[12]?|swi|minIP"
    r"|Chimap|R2\w*|S0map|TB1\w*|pet|ct"
)
"""BIDS suffixes of images other than angiograms."""

_LEVELS_UP = 6


class Bids:
    """Selection rules for the files below a folder, by the data set they belong to.

    Parameters
    ----------
    top : Path
        The folder given by the user. If it is a data set of derivatives, or lies in one,
        these are accepted.
    """

    def __init__(self, top: Path) -> None:
        self._top = top
        self._roots: list[tuple[Path, bool]] = []
        for folder in list(top.parents)[:_LEVELS_UP]:
            if _is_data_set(folder) and not set(_APART) & set(top.relative_to(folder).parts):
                self._roots.append((folder, _is_raw(folder)))
                break

    def enter(self, folder: Path, readable: Path) -> None:
        """Register a folder before its content is judged."""
        if _is_data_set(readable):
            self._roots.append((folder, _is_raw(readable)))

    def why_not(self, path: Path) -> str:
        """Return why a file is not a raw angiogram; empty if it may be one."""
        suffix = suffix_of(path)
        root, raw = self._root_of(path)
        if root is not None and root != self._top and not raw:
            return "It belongs to a BIDS data set of derivatives and not of raw images."
        if root is not None and raw:
            folder = path.relative_to(root).parts[0]
            if folder in _APART:
                return f"It lies in {folder}, apart from the raw BIDS images."
            if suffix is None:
                return "Its name is not one of a raw BIDS image."
            if suffix != _ANGIOGRAM:
                return f"Its BIDS name ends in _{suffix} and not in _angio."
            return ""
        if suffix is not None and _OTHER_IMAGES.fullmatch(suffix):
            return f"Its BIDS name ends in _{suffix} and not in _angio."
        return ""

    def _root_of(self, path: Path) -> tuple[Path | None, bool]:
        """Return the innermost data set around a file, and whether it is raw."""
        inside = [one for one in self._roots if path.is_relative_to(one[0])]
        outermost_raw = next((one for one in inside if one[1]), None)
        if outermost_raw is not None:
            # Files in the derivatives of a raw data set are reported as such.
            root, raw = outermost_raw
            if path.relative_to(root).parts[0] in _APART:
                return root, raw
        return max(inside, key=lambda one: len(one[0].parts), default=(None, False))


def suffix_of(path: Path) -> str | None:
    """Return the suffix of a BIDS name, such as ``"T1w"`` of ``sub-01_T1w.nii.gz``."""
    found = _NAME.fullmatch(image_stem(path))
    return found["suffix"] if found else None


def _is_data_set(folder: Path) -> bool:
    return (folder / DESCRIPTION).is_file()


def _is_raw(folder: Path) -> bool:
    try:
        content = read_json(folder / DESCRIPTION, object)
    except CowganError:
        return True
    kind = content.get("DatasetType") if isinstance(content, dict) else None
    return kind != "derivative"
