"""Segmentation of volumes by a trained nnU-Net v2."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.errors import CowganError
from cowgan.progress import Progress, Silent
from cowgan.segmentation.classes import Classes
from cowgan.segmentation.label_cleaning import drop_small_pieces
from cowgan.segmentation.nnunet_interpreter import check_interpreter
from cowgan.segmentation.nnunet_model import NnunetModel
from cowgan.segmentation.nnunet_process import NnunetProcess, NnunetReport, nnunet_process
from cowgan.segmentation.nnunet_training import choose_device
from cowgan.segmentation.segmenter import Segmentation, doubts, entropy
from cowgan.volume import Volume, write_nifti
from cowgan.volume.intensity import rescale


class _Canceller:
    """Passes on that the user cancelled, and no progress, which is that of the scans."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def report(self, done: int, total: int, message: str = "") -> None:
        """Show nothing."""

    @property
    def cancelled(self) -> bool:
        return self._progress.cancelled


class NnunetSegmenter:
    """Segments volumes with a trained nnU-Net, or with the mean of its folds.

    As a context manager it ends the process in which nnU-Net waits for the next volume.

    Parameters
    ----------
    model : NnunetModel
        The network.
    python : Path
        Interpreter that has nnU-Net.
    device : str
        "auto", "cpu", "cuda", "cuda:1", "mps".
    progress : Progress, optional
        Ends the work on a volume if the user cancels.

    Raises
    ------
    CowganError
        The interpreter has no nnU-Net, or not this device.
    """

    def __init__(
        self,
        model: NnunetModel,
        python: Path,
        device: str = "auto",
        progress: Progress | None = None,
    ) -> None:
        self._model, self._python = model, python
        self._progress = _Canceller(progress or Silent())
        self._device = choose_device(device, check_interpreter(python, self._progress))
        self._stack = ExitStack()
        self._process: NnunetProcess | None = None
        self._reports: Iterator[NnunetReport] = iter(())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    @property
    def scheme(self) -> LabelScheme:
        """Meaning of the labels."""
        return self._model.scheme

    @property
    def classes(self) -> Classes:
        """The labels that the network tells apart."""
        return self._model.classes

    @property
    def records(self) -> list[dict[str, str]]:
        """Name and hash of the network."""
        return [{"name": self._model.name, "sha256": self._model.sha256}]

    @property
    def extent_mm(self) -> tuple[float, ...]:
        """Size along (z, x, y) of the images that the network learned from."""
        return self._model.extent_mm

    def __call__(self, volume: Volume, *, keep_probabilities: bool = False) -> Segmentation:
        """Segment a volume of any voxel size.

        Parameters
        ----------
        volume : Volume
            TOF MRA in the unit of the images that the network learned from.
        keep_probabilities : bool
            Whether the result holds probabilities.

        Raises
        ------
        CowganError
            Nearly all voxels have the same intensity, or nnU-Net failed.
        Cancelled
            The user cancelled.
        """
        # For its error: nnU-Net would scale the noise of an empty image to that of a full one.
        rescale(volume.data)
        with tempfile.TemporaryDirectory(prefix="cowgan-") as temporary:
            folder = Path(temporary)
            image, result = folder / "scan_0000.nii.gz", folder / "scan"
            write_nifti(Volume(volume.data, volume.affine), image)
            try:
                self._ask(image, result)
            except BaseException:
                # The next volume may be smaller, so it gets a new process.
                self._stop()
                raise
            probabilities = self._read(result.with_suffix(".npz"), volume.shape)
        labels = self.classes.labels(probabilities.argmax(0).astype(np.uint8))
        return Segmentation(
            drop_small_pieces(labels, volume.spacing_mm),
            self.scheme,
            probabilities.astype(np.float16) if keep_probabilities else None,
            entropy(probabilities),
            None,
            tuple(doubts(volume, self._model.extent_mm)),
        )

    def _ask(self, image: Path, result: Path) -> None:
        if self._process is None:
            self._start()
        assert self._process is not None
        self._process.ask(image=str(image), result=str(result))
        self._await("result")

    def _start(self) -> None:
        task = {
            "action": "predict",
            "model": str(self._model.folder),
            "folds": list(self._model.folds),
            "device": self._device.partition(":")[0],
        }
        self._process = self._stack.enter_context(
            _logged_process(self._python, self._progress, task, self._device)
        )
        self._reports = self._process.reports()
        self._await("ready")

    def _await(self, kind: str) -> None:
        for report in self._reports:
            if report.kind == kind:
                return
        raise CowganError("nnU-Net ended before it was done, without saying why.")

    def _stop(self) -> None:
        self._process = None
        self._stack.close()

    def _read(self, path: Path, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return probabilities, which nnU-Net stores in the order (classes, z, y, x)."""
        try:
            with np.load(path, allow_pickle=False) as file:
                found = np.asarray(file["probabilities"], np.float32).swapaxes(2, 3)
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise CowganError("nnU-Net wrote no probabilities.", repr(error)) from error
        if found.shape != (self.classes.count, *shape):
            raise CowganError(
                "nnU-Net wrote probabilities of another shape than the scan's.",
                f"{found.shape} for {self.classes.count} classes of {shape}",
            )
        return found


@contextmanager
def _logged_process(
    python: Path, progress: Progress, task: Mapping[str, Any], device: str
) -> Iterator[NnunetProcess]:
    with (
        tempfile.TemporaryFile() as log,
        nnunet_process(python, log, progress, task, device=device) as process,
    ):
        yield process
