"""``cowgan project`` and ``cowgan fit-encoder``."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cowgan.cli.options import (
    CheckpointOption,
    DepthOption,
    DeviceOption,
    JsonOption,
    OverwriteOption,
    UnitsOption,
    open_model,
)
from cowgan.cli.output import say
from cowgan.errors import CowganError


def project(
    scan: Annotated[Path, typer.Argument(help="TOF MRA: an image file or a DICOM folder.")],
    out: Annotated[Path, typer.Option(help="New folder for the result.")],
    checkpoint: CheckpointOption = None,
    depth: DepthOption = None,
    stage: Annotated[
        Literal["w", "w+", "pivotal"],
        typer.Option(
            help="w: one style for all blocks; w+: one for each, and noise; pivotal: also tune the "
            "model's weights, saved beside the result."
        ),
    ] = "w+",
    device: DeviceOption = "auto",
    units: UnitsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find the latent state whose volume looks like a scan.

    Writes state.json, projected.nii.gz, scan.nii.gz, comparison.png and report.json. Ctrl+C keeps
    the best state so far.
    """
    from cowgan.cli.console import print_json, progress_bar
    from cowgan.cli.remarks import print_remarks
    from cowgan.folders import refuse_existing
    from cowgan.latent.inversion import project as project_volume
    from cowgan.latent.projection_files import write_projection
    from cowgan.volume import image_sha256, read_volume

    refuse_existing(out)
    model = open_model(checkpoint, depth)
    volume = read_volume(scan, units=units)
    print_remarks((scan.name, remark) for remark in volume.remarks)
    origin = f"{scan.name}, sha256 {image_sha256(scan)}"
    with progress_bar("Projecting") as progress:
        found = project_volume(volume, model, stage, device, progress=progress, origin=origin)
    report = write_projection(out, scan, found, model)
    if as_json:
        print_json(report.to_dict(scan, model))
        return
    for remark in found.target.remarks:
        say(remark)
    if not found.complete:
        say("Stopped early: this is the best state so far.")
    for finding, quality in zip(found.findings, report.qualities, strict=True):
        line = f"{finding.stage:8} PSNR {quality.psnr:.1f} dB, SSIM {quality.ssim:.3f}"
        say(f"{line}, vessel Dice {quality.vessel_dice:.3f}")
    say(f"Saved to {out}")


def fit_encoder(
    checkpoint: CheckpointOption = None,
    depth: DepthOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File for the encoder; default: MODEL.encoder.safetensors beside the model, where "
            "projections look for it."
        ),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(help="Volumes of the model to learn from.", min=1)
    ] = None,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Learn to guess the latents of a model's volumes, where projections start."""
    from cowgan.checkpoint import BUNDLED
    from cowgan.cli.console import progress_bar
    from cowgan.latent.encoder_files import encoder_path, save_encoder
    from cowgan.latent.encoder_fitting import SAMPLES
    from cowgan.latent.encoder_fitting import fit_encoder as fit
    from cowgan.synthesis import Synthesizer

    model = open_model(checkpoint, depth)
    target = out or encoder_path(model.path or BUNDLED)
    if target.exists() and not overwrite:
        raise CowganError(f"{target} exists already; use --overwrite to replace it.")
    with progress_bar("Fitting") as progress:
        encoder = fit(Synthesizer(model, device), samples or SAMPLES, progress)
    save_encoder(encoder, target)
    explained = 1 - encoder.provenance["p_error"]
    say(f"It explains {explained:.0%} of the variance of left-out latents.")
    say(f"Saved the encoder to {target}")
