"""``cowgan label-generator``."""

from pathlib import Path
from typing import Annotated

import typer

from cowgan.cli.options import (
    CheckpointOption,
    DepthOption,
    DeviceOption,
    OverwriteOption,
    open_model,
)
from cowgan.cli.output import say
from cowgan.errors import CowganError


def label_generator(
    annotated: Annotated[Path, typer.Option(help="Folder of volumes that cowgan generate wrote.")],
    scheme: Annotated[
        str,
        typer.Option(
            help="Meaning of the labels: topcow2024, topcow2023, seven-arteries or territories."
        ),
    ],
    checkpoint: CheckpointOption = None,
    depth: DepthOption = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Folder of label maps with the names of the volumes; default: that of the volumes."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File for the label head; default: MODEL.labels.safetensors beside the model, "
            "where the explorer and cowgan generate --labels look for it."
        ),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Optimisation steps.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Seed of weights and patches.", min=0)] = 0,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Teach a model to label the arteries of the volumes it generates, from a few label maps."""
    from cowgan.anatomy.label_schemes import label_scheme
    from cowgan.checkpoint import BUNDLED
    from cowgan.cli.console import progress_bar
    from cowgan.segmentation.annotated_volumes import read_annotated
    from cowgan.segmentation.label_head_files import label_head_path, save_label_head
    from cowgan.segmentation.label_head_fitting import STEPS, fit_label_head
    from cowgan.synthesis import Synthesizer

    of_labels = label_scheme(scheme)
    model = open_model(checkpoint, depth)
    target = out or label_head_path(model.path or BUNDLED)
    if target.exists() and not overwrite:
        raise CowganError(f"{target} exists already; use --overwrite to replace it.")
    synthesizer = Synthesizer(model, device)
    with progress_bar("Reading") as progress:
        volumes = read_annotated(annotated, labels or annotated, of_labels, synthesizer, progress)
    with progress_bar("Fitting") as progress:
        head = fit_label_head(volumes, of_labels, synthesizer, steps or STEPS, seed, progress)
    save_label_head(head, target)
    say(f"Saved the label head, fitted to {len(volumes)} volumes, to {target}")
