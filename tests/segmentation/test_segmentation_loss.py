"""Tests of the loss of segmentation networks, against formulas written out."""

import numpy as np
import pytest
import torch
from segmentation_cases import tiny_config

from cowgan.segmentation.segmentation_loss import SegmentationLoss, skeleton_recall_loss

CLASSES = 4


@pytest.fixture
def truth() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randint(0, CLASSES, (2, 1, 4, 5, 6))


@pytest.fixture
def logits() -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(2, CLASSES, 4, 5, 6)


def test_the_loss_is_that_of_dice_and_cross_entropy(truth, logits) -> None:
    p = np.exp(logits.numpy().astype(float))
    p /= p.sum(1, keepdims=True)
    true = truth.numpy()[:, 0]
    chosen = np.take_along_axis(p, true[:, None], 1)
    dices = []
    for c in range(1, CLASSES):
        overlap = (p[:, c] * (true == c)).sum()
        dices.append(2 * overlap / (p[:, c].sum() + (true == c).sum()))
    wanted = 1 - np.mean(dices) - np.log(chosen).mean()
    found = SegmentationLoss(tiny_config())([logits], truth)
    assert float(found) == pytest.approx(wanted, abs=1e-4)


def test_a_coarser_level_counts_half(truth, logits) -> None:
    loss = SegmentationLoss(tiny_config())
    other = torch.zeros_like(logits)
    both = float(loss([logits, other], truth))
    assert both == pytest.approx(
        (2 * float(loss([logits], truth)) + float(loss([other], truth))) / 3
    )


def test_skeleton_recall_is_the_share_of_the_skeleton_found(truth, logits) -> None:
    skeleton = torch.rand(truth.shape) < 0.3
    p = torch.softmax(logits, 1)
    recalls = []
    for c in range(1, CLASSES):
        line = (skeleton & (truth == c))[:, 0]
        if line.any():
            recalls.append(float((p[:, c] * line).sum() / line.sum()))
    found = skeleton_recall_loss(logits, truth, skeleton)
    assert float(found) == pytest.approx(1 - np.mean(recalls), abs=1e-6)
    nothing = torch.zeros_like(skeleton)
    assert float(skeleton_recall_loss(logits, truth, nothing)) == 0


@pytest.mark.parametrize("weights", [{"cldice_weight": 1.0}, {"skeleton_weight": 1.0}])
def test_a_perfect_result_costs_less_than_a_broken_one(weights) -> None:
    truth = torch.zeros(1, 1, 8, 16, 16, dtype=torch.long)
    truth[..., 3:5, 3:5, :] = 1
    broken = truth.clone()
    broken[..., 6:10] = 0
    loss = SegmentationLoss(tiny_config(**weights))
    plain = SegmentationLoss(tiny_config())
    skeleton = torch.zeros_like(truth, dtype=torch.bool)
    skeleton[..., 3, 3, :] = True
    given = skeleton if "skeleton_weight" in weights else None

    def cost(result: torch.Tensor, by: SegmentationLoss, line: torch.Tensor | None) -> float:
        one_hot = torch.nn.functional.one_hot(result[:, 0], 2).movedim(-1, 1)
        return float(by([20.0 * one_hot], truth, line))

    assert cost(truth, loss, given) < 0.1
    extra = [cost(result, loss, given) - cost(result, plain, None) for result in (truth, broken)]
    assert extra[1] > extra[0] + 0.05
