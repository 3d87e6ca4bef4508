"""``cowgan attributes``."""

from pathlib import Path
from typing import Annotated

import typer

from cowgan.cli.options import (
    CheckpointOption,
    DepthOption,
    DeviceOption,
    JsonOption,
    OverwriteOption,
    open_model,
)
from cowgan.cli.output import say
from cowgan.errors import CowganError


def attributes(
    out: Annotated[Path, typer.Option(help="File to write, .json.")],
    checkpoint: CheckpointOption = None,
    depth: DepthOption = None,
    samples: Annotated[
        int, typer.Option(help="Generated volumes to measure; those of earlier runs are kept.")
    ] = 2000,
    apart_from: Annotated[
        list[str] | None,
        typer.Option(help="Attribute that no other one is to change, such as volume_mm3."),
    ] = None,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find directions that change vessel volume, diameter or the PComs, by measuring volumes."""
    if out.suffix != ".json":
        raise CowganError(f"{out.name} must end in .json.")
    if out.exists() and not overwrite:
        raise CowganError(f"{out} exists already; use --overwrite to replace it.")

    from cowgan.cli.console import print_json, progress_bar
    from cowgan.latent.attribute_files import save_attributes
    from cowgan.latent.attribute_models import LEAST_SAMPLES
    from cowgan.latent.attributes import fit
    from cowgan.segmentation.artery_attributes import (
        ATTRIBUTES,
        FITTED,
        artery_segmenter,
        measured_values,
    )
    from cowgan.segmentation.attribute_samples import kept_samples, measured_samples
    from cowgan.synthesis import Synthesizer

    if samples < LEAST_SAMPLES:
        raise CowganError(f"--samples must be {LEAST_SAMPLES} or more, not {samples}.")
    fixed = apart_from or []
    for key in fixed:
        if key not in ATTRIBUTES:
            raise CowganError(
                f"There is no attribute {key!r:.40}; there are {', '.join(ATTRIBUTES)}."
            )
    model = open_model(checkpoint, depth)
    synthesizer, segmenter = Synthesizer(model, device), artery_segmenter(device)
    with progress_bar("Measuring") as progress:
        measured = measured_samples(synthesizer, segmenter, samples, kept_samples(model), progress)
    with progress_bar("Fitting") as progress:
        found = fit(
            synthesizer,
            measured,
            FITTED,
            lambda volume: measured_values(volume, segmenter),
            {key: [other for other in fixed if other != key] for key in ATTRIBUTES},
            progress,
        )
    save_attributes(out, found, samples, model)
    if as_json:
        shown = [
            {
                "attribute": each.attribute,
                "score": each.score,
                "per_sigma": each.per_sigma,
                "monotonicity": each.monotonicity,
                "blocks": [each.direction.first_block, each.direction.last_block],
            }
            for each in found
        ]
        print_json({"file": str(out), "samples": samples, "attributes": shown})
        return
    for each in found:
        attribute = ATTRIBUTES[each.attribute]
        score = f"{'AUC' if attribute.presence else 'R²'} {each.score:.2f}"
        blocks = f"blocks {each.direction.first_block}-{each.direction.last_block}"
        change = f"{each.per_sigma:+.3g} {attribute.unit}".rstrip()
        say(f"{attribute.title:24} {score:9} {blocks:12} {change} per sigma")
    say(f"Saved the directions of {len(found)} attributes to {out}")
