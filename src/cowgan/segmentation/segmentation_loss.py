"""Loss of a segmentation network: Dice and cross-entropy, and optional terms for connectedness."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from cowgan.errors import CowganError
from cowgan.segmentation.monai_needed import MONAI_NEEDED
from cowgan.segmentation.segmentation_config import SegmentationConfig

_CLDICE_ITERATIONS = 3


class SegmentationLoss:
    """The weighted sum of the loss terms of a run.

    Dice and cross-entropy are those of nnU-Net (Isensee et al. 2021), soft clDice of all arteries
    as one mask follows Shit et al. 2021, and skeleton recall Kirchhoff et al. 2024. Levels of deep
    supervision count half as much as the next finer one.

    Parameters
    ----------
    config : SegmentationConfig
        Weights of the terms.

    Raises
    ------
    CowganError
        MONAI is not installed.
    """

    def __init__(self, config: SegmentationConfig) -> None:
        try:
            from monai.losses.cldice import SoftclDiceLoss
            from monai.losses.dice import DiceCELoss
        except ImportError as error:
            raise CowganError(f"{MONAI_NEEDED}.", repr(error)) from error
        self._config = config
        self._dice_ce = DiceCELoss(
            include_background=False, to_onehot_y=True, softmax=True, batch=True
        )
        self._cldice = SoftclDiceLoss(iter_=_CLDICE_ITERATIONS)

    def __call__(
        self, levels: Sequence[Tensor], truth: Tensor, skeleton: Tensor | None = None
    ) -> Tensor:
        """Return the loss.

        Parameters
        ----------
        levels : sequence of Tensor, shape (n, classes, z, x, y)
            Logits of `SegmentationNetwork`.
        truth : Tensor of int, shape (n, 1, z, x, y)
            True classes.
        skeleton : Tensor of bool, shape (n, 1, z, x, y), optional
            Voxels of the skeletons of arteries; needed if they have a weight.
        """
        logits = levels[0].float()
        weights = [0.5**level for level in range(len(levels))]
        loss: Tensor = sum(
            weight * self._dice_ce(level.float(), truth)
            for weight, level in zip(weights, levels, strict=True)
        ) / sum(weights)
        if self._config.cldice_weight:
            vessel = 1 - torch.softmax(logits, 1)[:, :1]
            loss = loss + self._config.cldice_weight * self._cldice(vessel, (truth > 0).float())
        if skeleton is not None:
            loss = loss + self._config.skeleton_weight * skeleton_recall_loss(
                logits, truth, skeleton
            )
        return loss


def skeleton_recall_loss(logits: Tensor, truth: Tensor, skeleton: Tensor) -> Tensor:
    """Return 1 minus the mean share of skeletons found, over the classes that have one.

    Parameters
    ----------
    logits : Tensor, shape (n, classes, z, x, y)
        Of the classes.
    truth : Tensor of int, shape (n, 1, z, x, y)
        True classes.
    skeleton : Tensor of bool, shape (n, 1, z, x, y)
        Voxels of the skeletons.
    """
    on_skeleton = torch.where(skeleton, truth, 0)[:, 0].long()
    wanted = functional.one_hot(on_skeleton, logits.shape[1])[..., 1:].sum((0, 1, 2, 3))
    found = torch.softmax(logits, 1).gather(1, on_skeleton[:, None])[:, 0]
    of_class = torch.zeros(logits.shape[1], dtype=found.dtype, device=found.device)
    of_class = of_class.index_add(0, on_skeleton.flatten(), found.flatten())[1:]
    there = wanted > 0
    if not there.any():
        return logits.sum() * 0
    return 1 - (of_class[there] / wanted[there]).mean()
