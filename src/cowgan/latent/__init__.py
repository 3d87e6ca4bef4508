"""Directions of the latent space, and movies of walks through it."""

from cowgan.latent.components import block_thirds, pca_directions, sefa_directions
from cowgan.latent.direction_between import direction_between
from cowgan.latent.p_space import PSpace
from cowgan.latent.search import default_directions, find_directions, rank_by_effect
from cowgan.latent.storage import (
    BUNDLED_DIRECTIONS,
    StoredDirections,
    load_directions,
    save_directions,
    stored_directions,
)

__all__ = [
    "BUNDLED_DIRECTIONS",
    "PSpace",
    "StoredDirections",
    "block_thirds",
    "default_directions",
    "direction_between",
    "find_directions",
    "load_directions",
    "pca_directions",
    "rank_by_effect",
    "save_directions",
    "sefa_directions",
    "stored_directions",
]
