"""Conversion between volumes and SimpleITK images and transforms."""

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError

RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def simpleitk() -> ModuleType:
    """Return the SimpleITK module.

    Raises
    ------
    CowganError
        It is not installed.
    """
    try:
        import SimpleITK
    except ImportError as error:
        raise CowganError(
            'This needs SimpleITK: pip install "napari-cowgan[preprocess]".', repr(error)
        ) from error
    return SimpleITK


def quiet_simpleitk() -> ModuleType:
    """Return the SimpleITK module for reading files; see `simpleitk`.

    It suppresses ITK's own warnings on damaged files, which are reported as `CowganError`.
    """
    sitk = simpleitk()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    return sitk


def to_itk(data: NDArray[Any], affine: NDArray[np.float64]) -> Any:
    """Return a SimpleITK image of an array in network axis order.

    Parameters
    ----------
    data : ndarray, shape (z, x, y)
        Voxels of a `Volume`, or a mask on its grid.
    affine : ndarray, shape (4, 4)
        As in `Volume.affine`; may be oblique.

    Returns
    -------
    SimpleITK.Image
        At the same physical position, in LPS millimetres.
    """
    image = simpleitk().GetImageFromArray(np.ascontiguousarray(data.transpose(0, 2, 1)))
    to_lps = RAS_TO_LPS @ affine
    spacing_mm = np.linalg.norm(to_lps[:3, :3], axis=0)
    image.SetSpacing(spacing_mm.tolist())
    image.SetOrigin(to_lps[:3, 3].tolist())
    image.SetDirection((to_lps[:3, :3] / spacing_mm).ravel().tolist())
    return image


def image_affine(image: Any) -> NDArray[np.float64]:
    """Return the map from the index (x, y, z) of a 3D SimpleITK image to RAS millimetres."""
    to_lps = np.eye(4)
    to_lps[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    to_lps[:3, 3] = image.GetOrigin()
    return RAS_TO_LPS @ to_lps


def to_itk_transform(matrix: NDArray[np.float64]) -> Any:
    """Return a rigid map between points in RAS millimetres as a SimpleITK transform."""
    lps = RAS_TO_LPS @ matrix @ RAS_TO_LPS
    transform = simpleitk().Euler3DTransform()
    transform.SetMatrix(lps[:3, :3].ravel().tolist(), 1e-6)
    transform.SetTranslation(lps[:3, 3].tolist())
    return transform


def from_itk_transform(transform: Any) -> NDArray[np.float64]:
    """Return a rigid SimpleITK transform as a 4 x 4 map between points in RAS millimetres."""
    centre = np.array(transform.GetCenter())
    rotation = np.reshape(transform.GetMatrix(), (3, 3))
    lps = np.eye(4)
    lps[:3, :3] = rotation
    lps[:3, 3] = centre + transform.GetTranslation() - rotation @ centre
    return RAS_TO_LPS @ lps @ RAS_TO_LPS
