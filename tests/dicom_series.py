"""Writer of DICOM series for tests."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from cowgan.volume.itk import to_itk

UID = "1.2.826.0.1.3680043.2.1125.{}"


def write_series(
    folder: Path, data: np.ndarray, affine: np.ndarray, number: int = 5, **tags: str
) -> list[Path]:
    """Write a volume as a series, from the top down, and return the files.

    Parameters
    ----------
    folder : Path
        Is made.
    data : ndarray, shape (z, x, y)
        Rounded to 16 bits.
    affine : ndarray, shape (4, 4)
        As in `Volume.affine`.
    number : int
        Of the series; decides its identifier.
    **tags : str
        Values by tag, such as ``t0008_0008="DERIVED"``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    image = to_itk(np.rint(data).astype(np.int16), affine)
    # Tables of slices in the order of a scanner: from the top, rows from anterior to posterior.
    image = sitk.Flip(image, [True, True, True])
    directions = np.reshape(image.GetDirection(), (3, 3))
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    paths = []
    for k in range(image.GetSize()[2]):
        part = image[:, :, k]
        position = image.TransformIndexToPhysicalPoint((0, 0, k))
        values = {
            "0008|0060": "MR",
            "0008|0008": "ORIGINAL\\PRIMARY\\M\\ND",
            "0008|103e": f"TOF {number}",
            "0020|000d": UID.format(1),
            "0020|000e": UID.format(f"2.{number}"),
            "0008|0018": UID.format(f"3.{number}.{k + 1}"),
            "0020|0011": str(number),
            "0020|0013": str(k + 1),
            "0020|0032": "\\".join(f"{mm:.6f}" for mm in position),
            "0020|0037": "\\".join(f"{d:.8f}" for d in directions.T[:2].ravel()),
            "0018|0050": str(image.GetSpacing()[2]),
        } | {name[1:].replace("_", "|"): value for name, value in tags.items()}
        for tag, value in values.items():
            part.SetMetaData(tag, value)
        path = folder / f"IM{number:02}{(7 * k) % image.GetSize()[2]:04}"
        writer.SetFileName(f"{path}.dcm")
        writer.Execute(part)
        Path(f"{path}.dcm").rename(path)
        paths.append(path)
    return paths
