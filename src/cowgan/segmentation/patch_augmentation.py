"""Random changes of patches that leave their labels true."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter, zoom

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.segmentation.segmentation_config import SegmentationConfig

_TURN_DEG = 12.0
_SCALING = 0.15
_SHADING_NODES = 4


def augment(
    image: NDArray[np.float32],
    labels: NDArray[np.uint8],
    scheme: LabelScheme,
    config: SegmentationConfig,
    random: np.random.RandomState,
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return a changed patch and its labels.

    Parameters
    ----------
    image : ndarray, shape (z, x, y), float32
        Intensities from 0 to 1.
    labels : ndarray, shape (z, x, y), uint8
        Labels of the scheme. A mirrored patch has left and right swapped.
    scheme : LabelScheme
        Meaning of the labels.
    config : SegmentationConfig
        Probabilities and strength.
    random : RandomState
        Source of all choices.
    """
    if random.uniform() < config.mirror:
        image, labels = image[:, ::-1], scheme.mirrored(labels)
    if random.uniform() < config.distortion:
        image, labels = _distorted(image, labels, random)
    if config.intensity:
        image = change_intensities(image, config.intensity, random)
    return np.ascontiguousarray(image, np.float32), np.ascontiguousarray(labels)


def change_intensities(
    image: NDArray[np.float32], strength: float, random: np.random.RandomState
) -> NDArray[np.float32]:
    """Return an image of another contrast, shading, noise and sharpness, clipped to [0, 1].

    Each change is drawn with a probability of a half; its size grows with `strength`.
    """
    if random.uniform() < 0.5:
        blur = 0.7 * strength * random.uniform()
        image = gaussian_filter(image, blur)
    if random.uniform() < 0.5:
        image = image ** np.float32(np.exp(0.4 * strength * random.uniform(-1, 1)))
    if random.uniform() < 0.5:
        image = image * _shading(image.shape, strength, random)
    if random.uniform() < 0.5:
        low, high = (
            0.1 * strength * random.uniform(-1, 1),
            1 + 0.2 * strength * random.uniform(-1, 1),
        )
        image = low + (high - low) * image
    if random.uniform() < 0.5:
        noise = random.standard_normal(image.shape).astype(np.float32)
        image = image + noise * np.float32(0.06 * strength * random.uniform())
    return np.clip(image, 0, 1)


def _shading(
    shape: tuple[int, ...], strength: float, random: np.random.RandomState
) -> NDArray[np.float32]:
    """Return a smooth factor, such as coils and slabs leave behind."""
    nodes = 0.3 * strength * random.standard_normal((_SHADING_NODES,) * 3)
    smooth: NDArray[Any] = zoom(nodes, [n / _SHADING_NODES for n in shape], order=1)
    return np.exp(smooth).astype(np.float32)


def _distorted(
    image: NDArray[np.float32], labels: NDArray[np.uint8], random: np.random.RandomState
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Return a patch rotated about z and scaled; the mode of labels is that of their voxels."""
    angle = np.radians(_TURN_DEG) * random.uniform(-1, 1)
    scaling = 1 + _SCALING * random.uniform(-1, 1, 3)
    matrix = np.diag(scaling)
    matrix[1:, 1:] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]] @ matrix[
        1:, 1:
    ]
    middle = (np.array(image.shape) - 1) / 2
    offset = middle - matrix @ middle
    turned = affine_transform(image, matrix, offset, order=1, mode="constant")
    return turned, affine_transform(labels, matrix, offset, order=0, mode="constant")
