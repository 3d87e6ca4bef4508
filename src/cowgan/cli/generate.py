"""``cowgan generate``."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

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
    from cowgan.segmentation.labelled_generation import LabelledGeneration
    from cowgan.synthesis import Synthesizer

_PSI_LIMIT = 3
"""Beyond it, styles lie so far out that networks give noise or overflow."""


def generate(
    seeds: Annotated[str, typer.Option(help="Seeds, such as 0-9 or 3,5,9-12.")],
    out: Annotated[Path, typer.Option(help="Folder for the volumes.")],
    checkpoint: CheckpointOption = None,
    depth: DepthOption = None,
    psi: Annotated[float, typer.Option(help="Truncation; 1 is none, lower is more typical.")] = 1.0,
    centre: Annotated[
        Literal["mean", "nearest"],
        typer.Option(
            help="Truncate towards the mean style, or the nearest of the model's cluster centres."
        ),
    ] = "mean",
    cutoff: Annotated[
        int | None, typer.Option(help="Truncate only the blocks below this one.")
    ] = None,
    noise: Annotated[bool, typer.Option(help="Add noise, or give every volume none.")] = True,
    noise_seed: Annotated[
        int | None, typer.Option(help="The same noise for all; default: each seed's own.")
    ] = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "fast",
    labels: Annotated[
        bool,
        typer.Option(
            help="Write label maps too, by the label head beside the model or those named."
        ),
    ] = False,
    label_head: Annotated[
        Path | None, typer.Option(help="Label head of the model; see cowgan label-generator.")
    ] = None,
    segmenter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help="Segmentation network, folder of a run, or network of the package (territories or "
            "topcow2024), that labels the volumes instead; several are an ensemble, whose "
            "agreement the manifest lists.",
        ),
    ] = None,
    layout: Annotated[
        Literal["nnunet", "bids-derivative"], typer.Option(help="Layout of images and label maps.")
    ] = "nnunet",
    least_agreement: Annotated[
        float,
        typer.Option(
            help="Put pairs on which an ensemble agrees less, as mean Dice, into a folder "
            "set_aside.",
            min=0,
            max=1,
        ),
    ] = 0.0,
    devices: Annotated[
        int,
        typer.Option(min=1, help="With --labels: processes on each computer, one for each GPU."),
    ] = 1,
    nodes: Annotated[
        int, typer.Option(min=1, help="With --labels: computers that generate together.")
    ] = 1,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write one NIfTI and one JSON file per seed, and a manifest; with --labels also label maps."""
    numbers = parse_seeds(seeds)
    if not -_PSI_LIMIT <= psi <= _PSI_LIMIT:
        raise CowganError(f"--psi must lie between -{_PSI_LIMIT} and {_PSI_LIMIT}.")
    if noise_seed is not None and not noise:
        raise CowganError("--noise-seed and --no-noise contradict each other.")
    if not labels and (label_head or segmenter or least_agreement or devices * nodes > 1):
        raise CowganError(
            "--label-head, --segmenter, --least-agreement, --devices and --nodes need --labels."
        )
    if label_head and segmenter:
        raise CowganError("Give either --label-head or --segmenter.")
    if least_agreement and len(segmenter or []) < 2:
        raise CowganError("Agreement is that of an ensemble: give --segmenter more than once.")

    from cowgan.cli.console import print_json, progress_bar
    from cowgan.synthesis import LatentState, Synthesizer, export_volumes
    from cowgan.training.distributed import join_processes

    states = [
        LatentState(seed, psi=psi, centre=centre, cutoff=cutoff, noise=noise, noise_seed=noise_seed)
        for seed in numbers
    ]
    with join_processes(devices, nodes, device) as processes:
        model = open_model(checkpoint, depth)
        if cutoff is not None and cutoff > model.config.n_blocks:
            raise CowganError(
                f"--cutoff must not exceed the model's {model.config.n_blocks} blocks."
            )
        synthesizer = Synthesizer(model, processes.device, precision)
        with progress_bar("Generating") if processes.is_leader else nullcontext() as progress:
            if not labels:
                exported: Sequence[Any] = export_volumes(
                    synthesizer, states, out, overwrite, progress
                )
            else:
                generation = _labelled(
                    synthesizer,
                    label_head,
                    segmenter or [],
                    layout,
                    out,
                    least_agreement,
                    overwrite,
                )
                exported = generation.run(states, progress, processes)
    if as_json:
        print_json([vars(volume) for volume in exported])
    else:
        what = "volumes with label maps" if labels else "volumes"
        say(f"Saved {len(exported)} {what} and manifest.csv to {out}")


def _labelled(
    synthesizer: "Synthesizer",
    label_head: Path | None,
    segmenters: Sequence[str],
    layout: str,
    out: Path,
    least_agreement: float,
    overwrite: bool,
) -> "LabelledGeneration":
    from cowgan.checkpoint import BUNDLED
    from cowgan.segmentation.bundled_segmenters import find_segmenter
    from cowgan.segmentation.label_head_files import label_head_path, load_label_head
    from cowgan.segmentation.labelled_generation import LabelledGeneration
    from cowgan.segmentation.pair_layouts import LAYOUTS
    from cowgan.segmentation.segmenter import Segmenter
    from cowgan.segmentation.segmenter_files import load_segmenter
    from cowgan.segmentation.volume_labellers import (
        HeadLabeller,
        SegmenterLabeller,
        VolumeLabeller,
    )

    model = synthesizer.checkpoint
    if segmenters:
        networks = [load_segmenter(find_segmenter(name)) for name in segmenters]
        segmenter = Segmenter(networks, str(synthesizer.device), synthesizer.precision)
        labeller: VolumeLabeller = SegmenterLabeller(synthesizer, segmenter)
    else:
        file = label_head or label_head_path(model.path or BUNDLED)
        if label_head is None and not file.exists():
            raise CowganError(
                f"{model.card.name} has no label head beside it; fit one by cowgan "
                "label-generator, or name --label-head or --segmenter."
            )
        labeller = HeadLabeller(synthesizer, load_label_head(file, model))
    return LabelledGeneration(
        labeller, LAYOUTS[layout](labeller.scheme), out, least_agreement, overwrite
    )
