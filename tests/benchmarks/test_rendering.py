"""Medium_v2 (32 x 128 x 128) against the convolutions it cannot do without."""

from collections.abc import Callable
from itertools import chain, count

import published_formula as published
import torch
from torch.nn import functional

from cowgan.checkpoint import Checkpoint, load_bundled
from cowgan.latent.dragging import Pull, beyond_reach, drag
from cowgan.latent.inversion import Effort, project
from cowgan.latent.latent_map import LatentMap
from cowgan.networks import NetworkConfig
from cowgan.synthesis import BlockMix, LatentState, Synthesizer
from cowgan.volume.orthographic import Camera, mip_from


def bare_convolutions(config: NetworkConfig, dtype: torch.dtype) -> Callable[[], None]:
    """Return a function that runs the network's 3 x 3 x 3 convolutions and nothing else."""
    layers = []
    channels = config.synthesis_channels
    shapes = [(channels[0], channels[0], (4, 4, 4))]
    for block, out_channels in enumerate(channels):
        shape = config.block_shape(block)
        in_channels = channels[max(block - 1, 0)]
        shapes += [(in_channels, out_channels, shape), (out_channels, out_channels, shape)]
    for in_channels, out_channels, shape in shapes:
        x = torch.randn(1, in_channels, *shape).to(dtype)
        weight = torch.randn(out_channels, in_channels, 3, 3, 3).to(dtype)
        layers.append(
            [tensor.contiguous(memory_format=torch.channels_last_3d) for tensor in (x, weight)]
        )

    def run() -> None:
        with torch.inference_mode():
            for x, weight in layers:
                functional.conv3d(x, weight, padding=1)

    return run


def renderer(synthesizer: Synthesizer, stop_block: int | None = None) -> Callable[[], None]:
    """Return a function that renders a state never seen before."""
    seeds = count()
    return lambda: synthesizer.render(LatentState(next(seeds)), stop_block)


def test_a_full_volume(compare, medium: Checkpoint):
    compare(
        "Full volume, fast",
        {
            "render": renderer(Synthesizer(medium, "cpu", "fast")),
            "bare bfloat16 convolutions": bare_convolutions(medium.config, torch.bfloat16),
        },
        limit="bare bfloat16 convolutions",
        repetitions=15,
    )


def test_an_exact_volume(compare, medium: Checkpoint):
    weights = medium.synthesis.state_dict()
    ws = torch.randn(1, medium.config.n_blocks, medium.config.latent_dim)
    noise = torch.rand(1, *medium.config.volume_shape)

    def published_formula() -> None:
        with torch.inference_mode():
            published.synthesise(weights, ws, noise, medium.config.depth)

    compare(
        "Full volume, exact",
        {
            "render": renderer(Synthesizer(medium, "cpu", "exact")),
            "published formula (weights modulated)": published_formula,
            "bare float32 convolutions": bare_convolutions(medium.config, torch.float32),
        },
        limit="bare float32 convolutions",
    )


def test_previews(compare, medium: Checkpoint):
    blocks = range(medium.config.n_blocks)
    names = {block: "x".join(map(str, medium.config.block_shape(block))) for block in blocks}
    compare(
        "Fast volume stopped after a block",
        {
            f"block {block} ({names[block]})": renderer(Synthesizer(medium, "cpu"), block)
            for block in blocks
        }
        | {"bare bfloat16 convolutions": bare_convolutions(medium.config, torch.bfloat16)},
        limit="bare bfloat16 convolutions",
        repetitions=15,
    )


def test_the_block_cache(compare, medium: Checkpoint):
    def edit(block: int) -> Callable[[], None]:
        synthesizer = Synthesizer(medium, "cpu", "fast")
        seeds = count(1)
        return lambda: synthesizer.render(LatentState(mixing=(BlockMix(block, next(seeds)),)))

    compare(
        "Edit of one block, fast, cached",
        {f"style of block {block} changes": edit(block) for block in (5, 4, 3, 0)},
        limit="style of block 0 changes",
    )


def test_batches(compare, medium: Checkpoint):
    synthesizer = Synthesizer(medium, "cpu", "fast")
    seeds = count()

    def many(batch_size: int) -> Callable[[], None]:
        def run() -> None:
            states = [LatentState(next(seeds)) for _ in range(4)]
            list(synthesizer.render_many(states, batch_size=batch_size))

        return run

    compare(
        "Four volumes, fast",
        {f"{size} at a time": many(size) for size in (4, 2, 1)},
        limit="1 at a time",
        repetitions=5,
    )


def test_one_ordinary_convolution_instead_of_one_group_per_sample(compare, medium: Checkpoint):
    """Two volumes at once in float32, as in training: scale activations, not weights."""
    weights = medium.synthesis.state_dict()
    ws = torch.randn(2, medium.config.n_blocks, medium.config.latent_dim)
    noise = torch.rand(2, *medium.config.volume_shape)

    def grouped() -> None:
        with torch.inference_mode():
            published.synthesise(weights, ws, noise, medium.config.depth)

    def ordinary() -> None:
        with torch.inference_mode():
            medium.synthesis(ws, noise)

    compare(
        "Two volumes at once, float32",
        {"one group per sample, weights scaled": grouped, "activations scaled": ordinary},
        limit="activations scaled",
        repetitions=7,
    )


def test_a_frame_of_a_movie(compare, medium: Checkpoint):
    synthesizer = Synthesizer(medium, "cpu", "fast")
    volume = synthesizer.render(LatentState(0))
    azimuths = count()

    def frame() -> None:
        mip_from(volume, Camera(7.0 * next(azimuths), -30.0), (512, 512))

    compare(
        "Frame of a movie",
        {"picture": frame, "its volume": renderer(synthesizer)},
        limit="its volume",
        repetitions=10,
    )


def test_a_step_of_a_drag(compare):
    """Dragging the bundled model, against rendering one of its volumes."""
    synthesizer = Synthesizer(load_bundled(), "cpu", "fast")
    pull = Pull((16, 55, 83), (16, 63, 83))
    fixed = beyond_reach([pull], 16, synthesizer.checkpoint.config.volume_shape)
    steps = chain.from_iterable(
        drag(synthesizer, LatentState(1, psi=0.9), [pull], fixed) for _ in count()
    )
    compare(
        "Dragging the bundled model, fast",
        {"one step": lambda: next(steps), "one volume": renderer(synthesizer)},
        limit="one volume",
    )


def test_a_click_on_the_map(compare):
    """Finding the volume under the pointer, and where it lies, against rendering it."""
    bundled = load_bundled()
    synthesizer, shown = Synthesizer(bundled, "cpu", "fast"), LatentMap(bundled)

    def click() -> None:
        index = shown.nearest("pca_1", "pca_2", (0.5, -0.5), (0.01, 0.01))
        assert index is not None
        shown.typicality(shown.position(shown.state(index)))

    compare(
        "A click on the map, bundled model",
        {"the click": click, "its volume": renderer(synthesizer)},
        limit="its volume",
    )


def test_steps_of_a_projection(compare):
    bundled = load_bundled()
    synthesizer = Synthesizer(bundled, "cpu", "fast")
    scan = synthesizer.render(LatentState(0))
    compare(
        "Projection, bundled model",
        {
            "5 steps at full resolution": lambda: project(
                scan, bundled, "w+", "cpu", Effort(style=1, half=1, full=5)
            ),
            "5 steps at half the resolution": lambda: project(
                scan, bundled, "w", "cpu", Effort(style=5)
            ),
            "render": renderer(synthesizer),
        },
        limit="render",
        repetitions=3,
    )
