"""Brain masks from external skull stripping programs.

Masks only select voxels for registration; outputs are not masked.
"""

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError, require_choice
from cowgan.volume import Volume, read_volume, write_nifti
from cowgan.volume.resampling import Grid, resample

SkullStrip = Literal["auto", "none", "synthstrip", "hd-bet"]

_PROGRAMS = {"synthstrip": "mri_synthstrip", "hd-bet": "hd-bet"}
_TIMEOUT_S = 3600
_LEAST_SHARE = 0.005


@dataclass(frozen=True)
class Tool:
    """A skull stripping program.

    Parameters
    ----------
    name : {"synthstrip", "hd-bet"}
        Kind of program.
    program : str
        Its path.
    """

    name: str
    program: str

    def command(self, scan: Path, folder: Path) -> tuple[list[str], Path]:
        """Return the command line, and the path of the mask that it writes."""
        if self.name == "synthstrip":
            mask = folder / "mask.nii.gz"
            return [self.program, "-i", str(scan), "-m", str(mask)], mask
        # HD-BET 2 derives the mask name from an output that is not written here.
        options = ["-device", "cpu", "--disable_tta", "--save_bet_mask", "--no_bet_image"]
        output = folder / "brain.nii.gz"
        command = [self.program, "-i", str(scan), "-o", str(output), *options]
        return command, folder / "brain_bet.nii.gz"


def find_tool(choice: SkullStrip = "auto") -> Tool | None:
    """Return the program to use.

    Parameters
    ----------
    choice : {"auto", "none", "synthstrip", "hd-bet"}
        ``"auto"`` uses SynthStrip or, if it is not on the PATH, HD-BET.

    Returns
    -------
    Tool or None
        None for ``"none"``, and for ``"auto"`` if neither is installed.

    Raises
    ------
    CowganError
        The choice is unknown, or the wanted program is not installed.
    """
    require_choice("skull stripping", choice, get_args(SkullStrip))
    if choice == "none":
        return None
    for name in _PROGRAMS if choice == "auto" else [choice]:
        program = shutil.which(_PROGRAMS[name])
        if program is not None:
            return Tool(name, program)
    if choice == "auto":
        return None
    raise CowganError(f"Skull stripping with {choice} needs {_PROGRAMS[choice]} on the PATH.")


def brain_mask(volume: Volume, tool: Tool) -> NDArray[np.bool_]:
    """Return a brain mask.

    Parameters
    ----------
    volume : Volume
        A scan of the head.
    tool : Tool
        The program, which runs on a copy in a temporary folder.

    Returns
    -------
    ndarray of bool, shape (z, x, y)

    Raises
    ------
    CowganError
        The program failed or found almost no brain.
    """
    with tempfile.TemporaryDirectory(prefix="cowgan-") as temporary:
        folder = Path(temporary)
        scan = folder / "scan.nii.gz"
        write_nifti(Volume(volume.data, volume.affine), scan)
        command, target = tool.command(scan, folder)
        try:
            result = subprocess.run(
                command,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CowganError(
                f"Skull stripping with {tool.name} could not run or took too long.", repr(error)
            ) from error
        if result.returncode != 0 or not target.exists():
            raise CowganError(
                f"Skull stripping with {tool.name} failed.",
                f"{' '.join(command)}\nexit status {result.returncode}\n{result.stderr}",
            )
        found = read_volume(target)
    if found.shape == volume.shape and np.allclose(found.affine, volume.affine, atol=1e-3):
        mask = found.data > 0.5
    else:
        mask = resample(found, Grid(volume.shape, volume.affine), order=0).data > 0.5
    if mask.mean() < _LEAST_SHARE:
        raise CowganError(f"Skull stripping with {tool.name} found no brain.")
    return np.asarray(mask, dtype=np.bool_)
