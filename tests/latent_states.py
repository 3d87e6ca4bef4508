"""Hypothesis strategies for latent states."""

import numpy as np
from hypothesis import strategies as st

from cowgan.networks import NetworkConfig
from cowgan.randomness import MAX_SEED
from cowgan.synthesis import BlockMix, Direction, Edit, LatentState, NoiseMap, NoiseShare

seeds = st.integers(0, MAX_SEED)


def directions(config: NetworkConfig) -> st.SearchStrategy[Direction]:
    def build(seed: int, space: str, blocks: list[int], effect: float) -> Direction:
        vector = np.random.default_rng(seed).standard_normal(config.latent_dim)
        return Direction(f"PC {seed}", "PCA", space, vector, min(blocks), max(blocks), effect)

    block = st.integers(0, config.n_blocks - 1)
    return st.builds(
        build,
        st.integers(0, 5),
        st.sampled_from(["p", "w"]),
        st.lists(block, min_size=2, max_size=2),
        st.floats(0, 1),
    )


def states(config: NetworkConfig) -> st.SearchStrategy[LatentState]:
    block = st.integers(0, config.n_blocks - 1)
    row = st.lists(
        st.floats(-3, 3, width=32), min_size=config.latent_dim, max_size=config.latent_dim
    ).map(tuple)
    explicit = st.one_of(
        st.tuples(row), st.lists(row, min_size=config.n_blocks, max_size=config.n_blocks).map(tuple)
    )
    edit = st.builds(Edit, directions(config), st.floats(-4, 4), block, block)
    mixing = st.lists(
        st.builds(BlockMix, block, seeds, st.floats(0, 1)),
        max_size=config.n_blocks,
        unique_by=lambda mix: mix.block,
    )
    maps = st.builds(
        lambda shape, seed: NoiseMap(shape, np.random.default_rng(seed).random(shape)),
        block.map(config.block_shape),
        seeds,
    )
    return st.builds(
        LatentState,
        seed=seeds,
        w=st.none() | explicit,
        psi=st.floats(-1, 2),
        centre=st.sampled_from(["mean", "nearest"]),
        cutoff=st.none() | st.integers(0, 9),
        mixing=mixing.map(tuple),
        noise=st.booleans(),
        noise_seed=st.none() | seeds,
        noise_strength=st.lists(st.floats(0, 2), max_size=config.n_blocks).map(tuple),
        noise_maps=st.lists(maps, max_size=2, unique_by=lambda each: each.shape).map(tuple),
        edits=st.lists(edit, max_size=3).map(tuple),
        noise_blend=st.lists(st.builds(NoiseShare, seeds, st.floats(-1, 1)), max_size=3).map(tuple),
    )
