"""The projected discriminator: heads on features that a pretrained network sees in views.

After Sauer et al., "Projected GANs Converge Faster", NeurIPS 2021, extended to volumes by
projections and slabs in three planes.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized

from cowgan.features.efficientnet import CHANNELS, Backbone
from cowgan.features.views import NAMES, PLANES, Features, draw_views, resized
from cowgan.networks.layers import LEAK

_WIDTH = 64
_HIDDEN = 96
_EDGE = 64
"""Columns of the pictures for whole-view heads; larger ones have only local heads."""

_FINE = "_fine"


class Projector(nn.Module):
    """Fixed random mixing of features, across channels and then from coarse to fine.

    The first pictures set the scale of each depth to unit variance.
    """

    scales: Tensor

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        for scale, channels in enumerate(CHANNELS):
            across = torch.randn(_WIDTH, channels, 1, 1, generator=generator)
            between = torch.randn(_WIDTH, _WIDTH, 3, 3, generator=generator)
            self.register_buffer(f"across{scale}", across / math.sqrt(channels))
            self.register_buffer(f"between{scale}", between / math.sqrt(9 * _WIDTH))
        self.register_buffer("scales", torch.zeros(len(CHANNELS)))

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Return mixed features, (N, 64, h, w) at each depth, fine to coarse."""
        across = [
            functional.conv2d(one, getattr(self, f"across{scale}"))
            for scale, one in enumerate(features)
        ]
        if not self.scales.any():
            spread = [1 / one.detach().float().std().clamp(min=1e-6) for one in across]
            self.scales.copy_(torch.stack(spread))
        mixed: list[Tensor] = []
        above: Tensor | None = None
        for scale in reversed(range(len(features))):
            y = across[scale] * self.scales[scale].to(across[scale].dtype)
            if above is not None:
                above = functional.interpolate(
                    above, size=y.shape[2:], mode="bilinear", align_corners=False
                )
                y = (y + above) / math.sqrt(2)
            above = functional.conv2d(y, getattr(self, f"between{scale}"), padding=1)
            mixed.insert(0, above)
        return mixed


class LocalHead(nn.Module):
    """A head that judges patches of a view."""

    def __init__(self, halve: bool) -> None:
        super().__init__()
        first = nn.Conv2d(_WIDTH, _WIDTH, 4 if halve else 3, 2 if halve else 1, 1)
        self.net = nn.Sequential(
            spectral_norm(first),
            nn.LeakyReLU(LEAK),
            spectral_norm(nn.Conv2d(_WIDTH, 1, 3, 1, 1)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, 64, h, w) to logits (N, patches)."""
        logits: Tensor = self.net(x)
        return logits.flatten(1)


class WholeHead(nn.Module):
    """A head that judges a whole view, and the variation of views in a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            spectral_norm(nn.Conv2d(_WIDTH, _HIDDEN, 3, 1, 1)),
            nn.LeakyReLU(LEAK),
            spectral_norm(nn.Conv2d(_HIDDEN, _HIDDEN, 3, 1, 1)),
            nn.LeakyReLU(LEAK),
            nn.AdaptiveAvgPool2d((2, 4)),
            nn.Flatten(),
        )
        self.hidden = spectral_norm(nn.Linear(8 * _HIDDEN + 1, _HIDDEN))
        self.to_logit = spectral_norm(nn.Linear(_HIDDEN, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (N, 1) and a description (N, 96) for the joint head."""
        described = functional.leaky_relu(self.hidden(_with_deviation(self.net(x))), LEAK)
        return self.to_logit(described), described


class ProjectedDiscriminator(nn.Module):
    """Small heads on frozen features of six views; a lower logit means more real.

    Local heads judge every view at three scales; whole-view heads and a joint head over them
    see what no patch shows: whether the circle is closed, and whether a batch varies. They use
    pictures of 64 columns for all sizes of volumes. Of larger volumes, further local heads
    judge the same views at full size.

    Parameters
    ----------
    depth, image_size : int
        Slices and columns of a volume.
    generator : torch.Generator
        Random generator of the fixed projections and of the heads' initial weights.
    """

    def __init__(self, depth: int, image_size: int, generator: torch.Generator) -> None:
        super().__init__()
        self.depth = depth
        self._edges = {"": _EDGE}
        if image_size > _EDGE:
            self._edges[_FINE] = image_size
        self._pictures = [f"{name}{kind}" for kind in self._edges for name in NAMES]
        self.projector = Projector(generator)
        # Layers initialise themselves from torch's global generator.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))
            self.backbone = Backbone()
            self.local = nn.ModuleDict(
                {
                    f"{picture}{scale}": LocalHead(scale == 0)
                    for picture in self._pictures
                    for scale in range(3)
                }
            )
            self.whole = nn.ModuleDict({view: WholeHead() for view in PLANES})
            self.joint = nn.Sequential(
                spectral_norm(nn.Linear(_HIDDEN * len(PLANES) + 1, _HIDDEN)),
                nn.LeakyReLU(LEAK),
                spectral_norm(nn.Linear(_HIDDEN, 1)),
            )
        self.look(torch.Generator().manual_seed(0))
        # Spectral norms are estimated by `renew` alone, not by every pass.
        self.eval()

    @torch.no_grad()
    def renew(self) -> None:
        """Update the estimates of the weights' spectral norms by one iteration."""
        self.train()
        for module in self.modules():
            if is_parametrized(module, "weight"):
                _ = module.weight  # Access in training mode runs an iteration.
        self.eval()

    def look(self, generator: torch.Generator) -> None:
        """Choose the slabs of the next volumes."""
        self._views = draw_views(self.depth, generator)

    def forward(self, volumes: Tensor) -> list[Tensor]:
        """Map volumes (N, 1, z, x, y) to the logits of every head, each (N, n)."""
        return self.judge(self.features(volumes))

    def judge(self, features: Features) -> list[Tensor]:
        """Map mixed features to the logits of every head, each (N, n)."""
        logits = [
            self.local[f"{picture}{scale}"](features[picture][scale])
            for picture in self._pictures
            for scale in range(3)
        ]
        described = []
        for view in PLANES:
            verdict, description = self.whole[view](features[view][2])
            logits.append(verdict)
            described.append(description)
        return [*logits, self.joint(_with_deviation(torch.cat(described, 1)))]

    def features(self, volumes: Tensor) -> Features:
        """Return mixed features of each picture; pictures of one shape share a pass."""
        views = {name: self._views[name](volumes) for name in NAMES}
        features: Features = {}
        for kind, edge in self._edges.items():
            for flat in (False, True):
                names = [name for name in NAMES if name.startswith("axial") != flat]
                pictures = [resized(views[name], edge, flat) for name in names]
                mixed = self.projector(self.backbone(torch.cat(pictures)))
                parts = [scale.chunk(len(names)) for scale in mixed]
                for place, name in enumerate(names):
                    features[f"{name}{kind}"] = [part[place] for part in parts]
        return features


def _with_deviation(x: Tensor) -> Tensor:
    """Add a column with the mean standard deviation over the batch to (N, C)."""
    deviation = x.float().std(0, unbiased=False).mean()
    return torch.cat([x, deviation.to(x.dtype).expand(len(x), 1)], 1)
