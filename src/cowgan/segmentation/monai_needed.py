"""Whether MONAI is installed, which segmentation networks need, and how to install it."""

from importlib.util import find_spec

MONAI_NEEDED = (
    'Segmentation networks need the extra "segment": pip install "napari-cowgan[segment]"'
)


def monai_is_installed() -> bool:
    """Return whether MONAI is installed, without the time of importing it."""
    return find_spec("monai") is not None
