"""``cowgan movie`` and ``cowgan keyframes``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cowgan.cli.options import (
    CheckpointOption,
    DepthOption,
    DeviceOption,
    JsonOption,
    OverwriteOption,
    PrecisionOption,
    open_model,
)
from cowgan.cli.output import say
from cowgan.cli.seeds import parse_seeds
from cowgan.errors import CowganError

if TYPE_CHECKING:
    from cowgan.latent.movies import Keyframe
    from cowgan.volume import Plane

_Mode = Literal["normal", "interpolation", "variation", "turntable"]


def movie(
    keyframes: Annotated[
        Path, typer.Argument(help="Key frames, from the explorer or cowgan keyframes.")
    ],
    out: Annotated[
        Path,
        typer.Option(help="File to write, .mp4 or .gif, or a new folder for NIfTI volumes."),
    ],
    checkpoint: CheckpointOption = None,
    depth: DepthOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "fast",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the movie of a walk through the latent space, as MP4, GIF or NIfTI volumes."""
    from cowgan.cli.console import print_json, progress_bar
    from cowgan.latent.movie_export import export_movie
    from cowgan.latent.movie_files import check_model, read_movie
    from cowgan.synthesis import Synthesizer

    read = read_movie(keyframes)
    model = open_model(checkpoint, depth)
    check_model(read, model)
    with progress_bar("Movie") as progress:
        export_movie(read, Synthesizer(model, device, precision), out, overwrite, progress)
    if as_json:
        print_json({"file": str(out), "frames": read.n_frames, "seconds": read.duration_s})
    else:
        say(f"Saved {read.n_frames} frames, {read.duration_s:.1f} s, to {out}")


def keyframes(
    seeds: Annotated[str, typer.Option(help="Seeds, such as 0-9 or 3,5,9-12.")],
    out: Annotated[Path, typer.Option(help="File to write, .movie.json.")],
    mode: Annotated[
        _Mode,
        typer.Option(
            help="normal: each seed by itself; interpolation: a walk from seed to seed; variation: "
            "one seed with ever new noise; turntable: one seed turning once."
        ),
    ] = "interpolation",
    frames: Annotated[
        int, typer.Option(help="Frames of each seed, walk, variation or turn.", min=1)
    ] = 100,
    psi: Annotated[float, typer.Option(help="Truncation; 1 is none, lower is more typical.")] = 1.0,
    plane: Annotated[
        Literal["axial", "coronal", "sagittal"], typer.Option(help="Side to look from.")
    ] = "axial",
    loop: Annotated[bool, typer.Option(help="Return to the first seed at the end.")] = False,
    checkpoint: CheckpointOption = None,
    depth: DepthOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Write key frames for cowgan movie, by the modes of the published generator script."""
    from cowgan.latent.movie_files import SUFFIX, write_movie
    from cowgan.latent.movies import Movie

    numbers = parse_seeds(seeds)
    if not out.name.endswith(SUFFIX):
        raise CowganError(f"{out.name} must end in {SUFFIX}.")
    if out.exists() and not overwrite:
        raise CowganError(f"{out} exists already; use --overwrite to replace it.")
    chosen = _chosen(mode, numbers, frames, psi, plane, loop)
    model = open_model(checkpoint, depth)
    loops = loop or mode == "turntable"
    write_movie(Movie(chosen, model.card.name, model.sha256, loop=loops), out)
    say(f"Saved {len(chosen)} key frames to {out}")


def _chosen(
    mode: _Mode, seeds: list[int], frames: int, psi: float, plane: "Plane", loop: bool
) -> "tuple[Keyframe, ...]":
    from cowgan.latent import movies
    from cowgan.synthesis import LatentState
    from cowgan.volume.orthographic import Camera

    states = [LatentState(seed, psi=psi) for seed in seeds]
    camera = Camera.of_plane(plane)
    if mode in ("variation", "turntable") and len(states) > 1:
        raise CowganError(f"The mode {mode} is of one seed.")
    if mode == "interpolation":
        found = movies.interpolation(states, frames, loop=loop)
    elif mode == "variation":
        found = movies.stochastic_variation(states[0], frames)
    elif mode == "turntable":
        found = movies.turntable(states[0], camera, frames)
    else:
        found = movies.held(states, frames)
    return tuple(replace(keyframe, camera=camera) for keyframe in found)
