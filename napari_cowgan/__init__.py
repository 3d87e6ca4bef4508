"""The napari plugin CoW-GAN; what it offers is declared in ``napari.yaml``."""

from cowgan._version import __version__

__all__ = ["__version__"]
