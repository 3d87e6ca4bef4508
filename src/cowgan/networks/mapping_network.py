"""The mapping network, from z to w."""

from torch import Tensor, nn
from torch.nn import functional

from cowgan.networks.architecture import NetworkConfig
from cowgan.networks.layers import LEAK, ScaledLinear


class MappingNetwork(nn.Module):
    """The mapping network, from a latent z to an intermediate latent w."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(config.style_depth):
            layers.append(ScaledLinear(config.latent_dim, config.latent_dim, config.lr_mlp))
            layers.append(nn.LeakyReLU(LEAK))
        self.net = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Map z to w, both of shape (N, latent_dim); only z's direction matters."""
        w: Tensor = self.net(functional.normalize(z, dim=1))
        return w
