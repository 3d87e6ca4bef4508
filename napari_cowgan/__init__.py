"""The napari plugin CoW-GAN; ``napari.yaml`` declares its contributions."""

from cowgan._version import __version__

__all__ = ["__version__"]
