"""Labelling of generated volumes, by their generator's label head or by segmentation networks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.segmentation.label_cleaning import drop_small_pieces
from cowgan.segmentation.label_head_files import LabelHeadModel
from cowgan.segmentation.segmenter import Segmenter, entropy
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import Volume

_DECIMALS = 4


@dataclass(frozen=True, eq=False)
class GeneratedWithLabels:
    """A generated volume and the labels of its arteries.

    Parameters
    ----------
    volume : Volume
        The volume.
    labels : ndarray, shape (z, x, y), uint8
        Label map.
    uncertainty : float or None
        Mean entropy of the classes in the voxels of arteries, from 0 to 1; None without arteries.
    agreement : float or None
        See `cowgan.segmentation.segmenter.Segmentation`.
    """

    volume: Volume
    labels: NDArray[np.uint8]
    uncertainty: float | None
    agreement: float | None = None


class VolumeLabeller(Protocol):
    """Generates labelled volumes."""

    synthesizer: Synthesizer
    scheme: LabelScheme

    @property
    def provenance(self) -> dict[str, Any]:
        """What the labels come from, as JSON-ready data."""

    def __call__(
        self, state: LatentState, cancelled: Callable[[], bool] = lambda: False
    ) -> GeneratedWithLabels:
        """Return the labelled volume of a state; raises as `Synthesizer.render` does."""


class HeadLabeller:
    """Labels volumes from the features of their generator.

    Parameters
    ----------
    synthesizer : Synthesizer
        Of the generator that the head belongs to.
    model : LabelHeadModel
        See `cowgan.segmentation.label_head_files.load_label_head`.
    """

    def __init__(self, synthesizer: Synthesizer, model: LabelHeadModel) -> None:
        self.synthesizer, self.scheme = synthesizer, model.scheme
        self._model = model
        self._head = model.head.to(synthesizer.device)

    @property
    def provenance(self) -> dict[str, Any]:
        """Hash of the head."""
        return {"label_head": self._model.sha256}

    def __call__(
        self, state: LatentState, cancelled: Callable[[], bool] = lambda: False
    ) -> GeneratedWithLabels:
        """Return the labelled volume of a state; raises as `Synthesizer.render` does."""
        volume, features = self.synthesizer.render_with_features(state, cancelled)
        device, dtype = self.synthesizer.device, self.synthesizer.dtype
        low = dtype != torch.float32
        with (
            torch.inference_mode(),
            torch.autocast(device.type, dtype if low else None, enabled=low),
        ):
            logits = self._head(features)[0]
        probabilities = torch.softmax(logits.float(), 0).cpu().numpy()
        classes = probabilities.argmax(0).astype(np.uint8)
        labels = drop_small_pieces(self._model.classes.labels(classes), volume.spacing_mm)
        return GeneratedWithLabels(volume, labels, _mean_in(labels, entropy(probabilities)))


class SegmenterLabeller:
    """Labels volumes by segmentation networks, as scans are labelled.

    Parameters
    ----------
    synthesizer : Synthesizer
        Renders the volumes.
    segmenter : Segmenter
        Finds the arteries.
    """

    def __init__(self, synthesizer: Synthesizer, segmenter: Segmenter) -> None:
        self.synthesizer, self.scheme = synthesizer, segmenter.scheme
        self._segmenter = segmenter

    @property
    def provenance(self) -> dict[str, Any]:
        """Hashes of the networks."""
        return {"segmenters": [model.sha256 for model in self._segmenter.models]}

    def __call__(
        self, state: LatentState, cancelled: Callable[[], bool] = lambda: False
    ) -> GeneratedWithLabels:
        """Return the labelled volume of a state; raises as `Synthesizer.render` does."""
        volume = self.synthesizer.render(state, cancelled=cancelled)
        found = self._segmenter(volume)
        agreement = None if found.agreement is None else round(found.agreement, _DECIMALS)
        uncertainty = _mean_in(found.labels, found.uncertainty)
        return GeneratedWithLabels(volume, found.labels, uncertainty, agreement)


def _mean_in(labels: NDArray[np.uint8], uncertainty: NDArray[np.float32]) -> float | None:
    arteries = uncertainty[labels > 0]
    return round(float(arteries.mean(dtype=np.float64)), _DECIMALS) if arteries.size else None
