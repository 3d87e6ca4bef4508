"""The generator in training: mapping and synthesis network with style mixing."""

from copy import deepcopy

import torch
from torch import Tensor, nn

from cowgan.networks import MappingNetwork, NetworkConfig, SynthesisNetwork
from cowgan.networks.initialisation import ROTATION_MEAN
from cowgan.networks.synthesis_network import SynthesisBlock
from cowgan.training.config import COARSE, StartKind
from cowgan.training.sampling import Latents


class Generator(nn.Module):
    """Mapping and synthesis network as one, with styles mixed between two latents.

    After a linear start the mapping network stays a rotation, and synthesis is trained on w
    without its mean: a large mean shared by all inputs would make every layer of styles
    ill-conditioned. `published_synthesis` adds it again.

    Parameters
    ----------
    network : NetworkConfig
        Architecture.
    start : {"published", "linear"}
        How training began, see `TrainingConfig`.

    Attributes
    ----------
    one_by_one : bool
        Whether the volumes of a batch are synthesised one after the other.
    """

    def __init__(self, network: NetworkConfig, start: StartKind) -> None:
        super().__init__()
        self.mapping = MappingNetwork(network)
        self.synthesis = SynthesisNetwork(network)
        self.one_by_one = False
        self._mean_w = ROTATION_MEAN if start == "linear" else 0.0

    def styles(self, latents: Latents, device: torch.device) -> Tensor:
        """Return W+, shape (N, n_blocks, latent_dim), in float32.

        In bfloat16, w would be off by a tenth of its deviation, and the network would learn to
        expect that.
        """
        with torch.autocast(device.type, enabled=False):
            flat = self.mapping(latents.z.to(device).flatten(0, 1))
        w = flat.view(latents.z.shape) - self._mean_w
        n_blocks = self.synthesis.config.n_blocks
        second = torch.arange(n_blocks) >= latents.crossover[:, None]
        return torch.where(second.to(device)[..., None], w[:, 1:], w[:, :1])

    def forward(self, latents: Latents, device: torch.device) -> Tensor:
        """Return volumes, shape (N, 1, depth, size, size)."""
        ws, noise = self.styles(latents, device), latents.noise.to(device)
        at_once = 1 if self.one_by_one else len(ws)
        parts = zip(ws.split(at_once), noise.split(at_once), strict=True)
        return torch.cat([self.synthesis(*part) for part in parts])

    def coarse_blocks(self) -> list[SynthesisBlock]:
        """Return the blocks that a linear start fits."""
        blocks = [block for block in self.synthesis.blocks if isinstance(block, SynthesisBlock)]
        return [block for block in blocks if block.shape[1] <= COARSE]

    @torch.no_grad()
    def latent_axes(self) -> Tensor:
        """Return the change of w with each latent of unit variance, (latent_dim, latent_dim)."""
        size = self.synthesis.config.latent_dim
        unit = torch.eye(size, device=self.synthesis.initial_block.device)
        axes: Tensor = (self.mapping(unit) - self._mean_w) / size**0.5
        return axes

    @torch.no_grad()
    def published_synthesis(self) -> SynthesisNetwork:
        """Return a copy of the synthesis network that takes w with its mean."""
        return self._with_mean(deepcopy(self.synthesis), -self._mean_w)

    @torch.no_grad()
    def from_published(self) -> None:
        """Adapt a synthesis network, just loaded, that takes w with its mean."""
        self._with_mean(self.synthesis, self._mean_w)

    def _with_mean(self, synthesis: SynthesisNetwork, mean: float) -> SynthesisNetwork:
        for name, layer in synthesis.named_modules():
            if isinstance(layer, nn.Linear) and "to_style" in name:
                layer.bias.add_(mean * layer.weight.sum(1))
        return synthesis
