"""The renderer, from latent states to volumes."""

import copy
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from cowgan import __version__
from cowgan.checkpoint import Checkpoint
from cowgan.errors import Cancelled, CowganError
from cowgan.networks.layers import resize
from cowgan.networks.synthesis_network import NOISE_MEAN
from cowgan.synthesis.block_cache import BlockCache, BlockOutput, block_keys
from cowgan.synthesis.block_times import BlockTimes
from cowgan.synthesis.noise import block_noise
from cowgan.synthesis.precision import Precision, choose_device, choose_dtype
from cowgan.synthesis.state import LatentState
from cowgan.synthesis.styles import styles
from cowgan.volume import Volume, default_affine

FRAME_BUDGET_S = 0.08
"""Time in which a preview feels immediate."""


class Synthesizer:
    """Renders latent states as volumes.

    Activations of the last state are cached per block: a state that differs from it only from
    some block on recomputes only that block and the finer ones. Thread-safe; calls wait for each
    other.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    precision : {"fast", "exact"}
        Exact computes in float32 and agrees with the published code within 1e-4. Fast uses
        the quickest number format of the device and stays within 0.02 mean absolute
        difference of exact.

    Raises
    ------
    CowganError
        The device does not exist.
    """

    def __init__(
        self, checkpoint: Checkpoint, device: str = "auto", precision: Precision = "fast"
    ) -> None:
        if precision not in ("fast", "exact"):
            raise CowganError(f"The precision must be 'fast' or 'exact', not {precision!r}.")
        self.checkpoint = checkpoint
        self.device = choose_device(device)
        self.precision = precision
        self.dtype = choose_dtype(self.device, precision)
        network = copy.deepcopy(checkpoint.synthesis).to(self.device)
        self._network = network.freeze(self.dtype)
        self._config = checkpoint.config
        self._cache = BlockCache()
        self._times = BlockTimes(checkpoint.config.n_blocks)
        self._lock = threading.Lock()

    def render(
        self,
        state: LatentState,
        stop_block: int | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Volume:
        """Render one state.

        Parameters
        ----------
        state : LatentState
            State to render.
        stop_block : int, optional
            Stop after this block (0-based, inclusive) and enlarge its grey volume to full
            size: a coarse but true preview, since the grey volume accumulates over blocks.
        cancelled : callable, optional
            Called between blocks; rendering stops when it returns True.

        Returns
        -------
        Volume
            Values in [0, 1], full size, its provenance naming model, state and precision.

        Raises
        ------
        Cancelled
            `cancelled` returned True.
        CowganError
            The state does not fit the model, or the device ran out of memory.
        """
        stop = self._checked_stop(stop_block)
        with self._computing():
            image = self._render_cached(state, stop, cancelled)
            return self._volume(image, state, stop)

    def render_with_features(
        self, state: LatentState, cancelled: Callable[[], bool] = lambda: False
    ) -> tuple[Volume, tuple[Tensor, ...]]:
        """Render one state as `render` does, and return what the blocks computed for it.

        Returns
        -------
        volume : Volume
            Full size.
        features : tuple of Tensor, shape (1, channels, z, x, y)
            Activations of each block, coarse to fine, on the device and in its number format.
            They are those of the cache and must not be changed.

        Raises
        ------
        Cancelled, CowganError
            As for `render`.
        """
        last = self._config.n_blocks - 1
        with self._computing():
            image = self._render_cached(state, last, cancelled)
            features = tuple(self._cache.output(block).x for block in range(last + 1))
            return self._volume(image, state, last), features

    def features(self, ws: Tensor, state: LatentState) -> Tensor:
        """Return what the first blocks compute for given styles, with gradients towards these.

        Neither uses nor changes the cache of `render`, which may run in another thread meanwhile.

        Parameters
        ----------
        ws : Tensor
            Styles of as many blocks as are to be run, shape (blocks, latent_dim).
        state : LatentState
            Its noise is added.

        Returns
        -------
        Tensor
            Activations of the last of these blocks, shape (1, channels, z, x, y), float32.
        """
        return self._run_blocks(ws, state)[0].float()

    def image(self, ws: Tensor, noise: Sequence[Tensor], state: LatentState) -> Tensor:
        """Return the whole grey volume for given styles and noise, with gradients towards both.

        Neither uses nor changes the cache of `render`, which may run in another thread meanwhile.

        Parameters
        ----------
        ws : Tensor
            Styles of all blocks, shape (n_blocks, latent_dim).
        noise : sequence of Tensor
            Noise of the first blocks, in their shapes (d, h, w).
        state : LatentState
            Says how strong the noise is, and what that of the other blocks is.

        Returns
        -------
        Tensor
            Shape (z, x, y), float32, before values are clipped to [0, 1].
        """
        return self._run_blocks(ws, state, noise)[1][0, 0]

    def _run_blocks(
        self, ws: Tensor, state: LatentState, found: Sequence[Tensor] = ()
    ) -> tuple[Tensor, Tensor]:
        """Return activations and grey volume of the last of some blocks."""
        x, image = self._network.start(1), None
        for block, w in enumerate(ws.to(self.device)):
            noise = block_noise(state, block, self._config, found)
            x, image = self._network.run_block(
                block, x, image, w[None], None if noise is None else noise[None].to(self.device)
            )
        assert image is not None
        return x, image

    def provenance(self, state: LatentState, stop_block: int | None = None) -> dict[str, Any]:
        """Return the provenance of the volume that `render` returns."""
        stop = self._checked_stop(stop_block)
        checkpoint = {
            "name": self.checkpoint.card.name,
            "sha256": self.checkpoint.sha256,
            "licence": self.checkpoint.card.licence,
        }
        if self.checkpoint.tuned_to is not None:
            checkpoint["tuned_to"] = self.checkpoint.tuned_to
        return {
            "synthetic": True,
            "software": f"napari-cowgan {__version__}",
            "checkpoint": checkpoint,
            "state": state.to_dict(),
            "precision": self.precision,
            "preview_block": stop if stop < self._config.n_blocks - 1 else None,
        }

    def render_many(
        self,
        states: Iterable[LatentState],
        stop_block: int | None = None,
        batch_size: int | None = None,
    ) -> Iterator[Volume]:
        """Render many states, several at once where that is faster.

        Does not touch the cache of `render`, which suits thumbnails and exports while a user
        moves sliders.

        Parameters
        ----------
        states : iterable of LatentState
            States to render.
        stop_block : int, optional
            As in `render`.
        batch_size : int, optional
            States per pass; by default 8 on a GPU and 1 on a CPU, where batches are no faster.

        Yields
        ------
        Volume
            One per state, in order.
        """
        stop = self._checked_stop(stop_block)
        size = batch_size or (1 if self.device.type == "cpu" else 8)
        for batch in _batches(states, size):
            with self._computing():
                image = self._render_batch(batch, stop)
                volumes = [
                    self._volume(image[i : i + 1], state, stop) for i, state in enumerate(batch)
                ]
            yield from volumes

    def preview_block(self, state: LatentState, budget_s: float = FRAME_BUDGET_S) -> int | None:
        """Return the finest block to which `state` can be rendered within a time budget.

        Uses the measured time of each block and the cache. At least one block that is not cached
        is included, however long it takes.

        Returns
        -------
        int or None
            A `stop_block` for `render`; None if that is the whole volume.
        """
        with self._lock:
            keys = block_keys(state, styles(self.checkpoint, state))
            # At least one block that changed, or the preview would show the old state.
            stop = self._times.finest_block(self._cache.valid_blocks(keys), budget_s)
        return stop if stop < self._config.n_blocks - 1 else None

    def _checked_stop(self, stop_block: int | None) -> int:
        last = self._config.n_blocks - 1
        stop = last if stop_block is None else stop_block
        if not 0 <= stop <= last:
            raise CowganError(f"The model has blocks 0 to {last}; there is no block {stop}.")
        return stop

    @contextmanager
    def _computing(self) -> Iterator[None]:
        exact = self.precision == "exact"
        with (
            self._lock,
            torch.inference_mode(),
            torch.backends.cudnn.flags(
                enabled=True, benchmark=False, deterministic=False, allow_tf32=not exact
            ),
        ):
            try:
                yield
            except torch.OutOfMemoryError as error:
                self._cache.discard()
                raise CowganError(
                    "The graphics card has too little free memory for this model; close other "
                    "programs or choose the CPU as device.",
                    str(error),
                ) from error

    def _render_cached(
        self, state: LatentState, stop: int, cancelled: Callable[[], bool]
    ) -> Tensor:
        ws = styles(self.checkpoint, state)
        keys = block_keys(state, ws)
        first = min(self._cache.valid_blocks(keys), stop + 1)
        if first <= stop:
            self._cache.discard(first)
        for block in range(first, stop + 1):
            if cancelled():
                raise Cancelled
            start = time.perf_counter()
            if block:
                before = self._cache.output(block - 1)
                x, image = before.x, before.image
            else:
                x, image = self._network.start(1), None
            noise = block_noise(state, block, self._config)
            x, image = self._network.run_block(
                block,
                x,
                image,
                ws[block : block + 1].to(self.device),
                None if noise is None else noise[None].to(self.device),
            )
            self._cache.add(BlockOutput(keys[block], x, image))
            if self.device.type == "cuda":
                torch.cuda.synchronize(self.device)
            self._times.track(block, time.perf_counter() - start)
        return self._cache.output(stop).image

    def _render_batch(self, batch: Sequence[LatentState], stop: int) -> Tensor:
        ws = torch.stack([styles(self.checkpoint, state) for state in batch]).to(self.device)
        x, image = self._network.start(len(batch)), None
        # State by state, because only the newest noise cubes are kept.
        noises = [
            [block_noise(state, block, self._config) for block in range(stop + 1)]
            for state in batch
        ]
        for block in range(stop + 1):
            noise = _stack_noise(
                [of_state[block] for of_state in noises], self._config.block_shape(block)
            )
            x, image = self._network.run_block(
                block, x, image, ws[:, block], None if noise is None else noise.to(self.device)
            )
        assert image is not None
        return image

    def _volume(self, image: Tensor, state: LatentState, stop: int) -> Volume:
        full = resize(image.cpu(), self._config.volume_shape)[0, 0].clamp(0, 1)
        return Volume(
            full.numpy(),
            default_affine(self._config.volume_shape, self.checkpoint.spacing_mm),
            self.provenance(state, stop),
        )


def _batches(states: Iterable[LatentState], size: int) -> Iterator[list[LatentState]]:
    remaining = iter(states)
    while batch := list(islice(remaining, size)):
        yield batch


def _stack_noise(noises: Sequence[Tensor | None], shape: tuple[int, int, int]) -> Tensor | None:
    if all(noise is None for noise in noises):
        return None
    mean = torch.full(shape, NOISE_MEAN)
    return torch.stack([mean if noise is None else noise for noise in noises])
