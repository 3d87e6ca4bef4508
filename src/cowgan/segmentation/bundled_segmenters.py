"""The segmentation networks of the package."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

BUNDLED_SEGMENTERS: Mapping[str, Path] = {
    name: Path(str(files("cowgan"))) / "bundled" / f"segmenter_{name}.safetensors"
    for name in ("territories", "topcow2024")
}
"""Files of the bundled networks, by the name of their label scheme."""


def find_segmenter(named: str | Path) -> Path:
    """Return the file of a network.

    Parameters
    ----------
    named : str or Path
        A file, the folder of a run, or, where there is neither, the name of a bundled network.
    """
    # Imports torch, without which the panel opens.
    from cowgan.segmentation.segmenter_files import segmenter_path

    path = Path(named)
    if not path.exists() and str(named) in BUNDLED_SEGMENTERS:
        return BUNDLED_SEGMENTERS[str(named)]
    return segmenter_path(path)
