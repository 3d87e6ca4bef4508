"""Engine of napari-cowgan: 3D StyleGAN2 for Circle of Willis TOF MR angiography.

The rooms are subpackages (``cowgan.volume``, ``cowgan.networks``,
``cowgan.checkpoint``, ``cowgan.synthesis``, ``cowgan.latent``, ``cowgan.cli``);
importing ``cowgan`` alone loads none of them, so it stays free of torch and Qt.
"""

from cowgan._version import __version__

__all__ = ["__version__"]
