"""``cowgan segment``: segmentations of arteries."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cowgan.cli.options import DeviceOption, OverwriteOption, PrecisionOption
from cowgan.cli.output import say
from cowgan.errors import CowganError

if TYPE_CHECKING:
    from cowgan.progress import Progress
    from cowgan.segmentation.case_source import CaseSource
    from cowgan.segmentation.label_pairs import ScoredPair
    from cowgan.segmentation.segmentation_config import SegmentationConfig
    from cowgan.segmentation.segmenter import ArterySegmenter
    from cowgan.synthesis.precision import Precision

app = typer.Typer(help="Segment arteries, and score segmentations.", no_args_is_help=True)

_SCHEMES = "Meaning of the labels: topcow2024, topcow2023, seven-arteries or territories."
_MODEL = (
    "Trained network, folder of a run, also of nnU-Net, or a network of the package: territories "
    "or topcow2024."
)
_Images = Annotated[Path | None, typer.Option(help="Folder of images.")]
_Labels = Annotated[
    Path | None, typer.Option(help="Folder of label maps with the names of the images.")
]
_Scheme = Annotated[str | None, typer.Option(help=_SCHEMES)]
_Bank = Annotated[
    Path | None, typer.Option(help="Bank with labels, instead of images and label maps.")
]


@app.command()
def train(
    out: Annotated[Path | None, typer.Option(help="Folder of a new run.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a run to continue.")] = None,
    images: _Images = None,
    labels: _Labels = None,
    scheme: _Scheme = None,
    bank: _Bank = None,
    network: Annotated[
        Literal["small", "medium", "large"],
        typer.Option(help="Architecture, which --config changes: small for CPUs, others for GPUs."),
    ] = "small",
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings, such as a run's config.toml.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Optimisation steps.", min=1)] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of weights, patches and augmentation.", min=0)
    ] = None,
    device: DeviceOption = "auto",
    devices: Annotated[
        int, typer.Option(min=1, help="Processes on each computer, one for each GPU.")
    ] = 1,
    nodes: Annotated[int, typer.Option(min=1, help="Computers that train together.")] = 1,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only print the memory and time of a new run.")
    ] = False,
) -> None:
    """Train a network that segments arteries, or continue a run with the data it started with.

    The run's folder holds model.safetensors, the network of the best validation, for cowgan segment
    predict.
    """
    if not estimate and (resume is None) == (out is None):
        raise CowganError("Name either a folder for a new run with --out, or one with --resume.")

    from cowgan.cli.console import progress_bar
    from cowgan.progress import Silent
    from cowgan.segmentation.case_source import CaseSource
    from cowgan.segmentation.segmentation_run import resume_segmenter, train_segmenter
    from cowgan.training.distributed import join_processes

    chosen = _settings(network, config, steps, seed)
    if estimate:
        _print_needs(chosen, CaseSource.of(images, labels, scheme, bank), device)
        return
    with (
        join_processes(devices, nodes, device) as processes,
        progress_bar("Training") if processes.is_leader else nullcontext(Silent()) as progress,
    ):
        where = processes.device
        if resume is not None:
            given = any((images, labels, scheme, bank))
            cases = CaseSource.of(images, labels, scheme, bank).read(progress) if given else None
            resume_segmenter(resume, cases, where, steps, progress, processes=processes)
        elif out is not None:
            source = CaseSource.of(images, labels, scheme, bank)
            train_segmenter(
                *(out, source.read(progress), chosen, where, progress),
                processes=processes,
                source=source,
            )
    say(f"The run in {out or resume} is complete.")


def _print_needs(config: "SegmentationConfig", source: "CaseSource", device: str) -> None:
    from cowgan.cli.console import progress_bar
    from cowgan.segmentation.fitting_needs import estimate_fitting, measure_fitting

    scheme = source.label_scheme()
    found = estimate_fitting(config, scheme, device)
    say(f"A pass of {config.batch} patches needs about {found.bytes / 1e9:.1f} GB.")
    if found.available_bytes:
        say(f"{found.available_bytes / 1e9:.1f} GB are free.")
    if not found.fits:
        say("That is too much: lower batch or the patch in --config, or choose a smaller network.")
        return
    with progress_bar("Measuring") as progress:
        taken = measure_fitting(config, scheme, device, progress)
    say(taken.summary(config))


@app.command()
def predict(
    volumes: Annotated[
        list[Path], typer.Argument(metavar="VOLUMES...", help="Scans, or folders of scans.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for the label maps.")],
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help=f"{_MODEL} Several are an ensemble, whose agreement is reported.",
        ),
    ] = None,
    augmented: Annotated[
        bool,
        typer.Option(help="Average over other contrasts and a shift, in four times the time."),
    ] = False,
    uncertainty: Annotated[
        bool, typer.Option(help="Also write the entropy of the classes, from 0 to 1.")
    ] = False,
    probabilities: Annotated[
        bool, typer.Option(help="Also write the probability of every artery.")
    ] = False,
    least_agreement: Annotated[
        float,
        typer.Option(
            help="Put label maps on which an ensemble agrees less, as mean Dice, into a folder "
            "set_aside.",
            min=0,
            max=1,
        ),
    ] = 0.0,
    whole_scan: Annotated[
        bool,
        typer.Option(
            "--whole-scan",
            help="Segment all of a large scan, rather than the surroundings of the Circle of "
            "Willis.",
        ),
    ] = False,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "fast",
    overwrite: OverwriteOption = False,
) -> None:
    """Write a label map of every scan, on its own grid, and a manifest.

    Scans that cannot be segmented are reported and do not stop the others; the exit status is then
    2.
    """
    from cowgan.cli.console import progress_bar
    from cowgan.cli.remarks import print_remarks
    from cowgan.data.scans import find_scans
    from cowgan.segmentation.prediction import PredictionOptions
    from cowgan.segmentation.prediction import predict as predict_scans

    if least_agreement and len(model or []) < 2:
        raise CowganError("Agreement is that of an ensemble: give --model more than once.")
    start = _open_models(model or [], device, precision, augmented)
    cases = find_scans(volumes).require_cases(volumes).cases
    options = PredictionOptions(uncertainty, probabilities, least_agreement, whole_scan, overwrite)
    with progress_bar("Segmenting") as progress, start(progress) as segmenter:
        rows = predict_scans(cases, segmenter, out, options, progress)
    print_remarks((row.case, row.remarks) for row in rows if row.remarks)
    failed = [row.error for row in rows if row.error]
    say(f"Saved {len(rows) - len(failed)} label maps ({segmenter.scheme.name}) to {out}")
    for error in failed:
        say(error, err=True)
    if failed:
        raise typer.Exit(2)


def _open_models(
    models: Sequence[str], device: str, precision: "Precision", augmented: bool = False
) -> "Callable[[Progress], AbstractContextManager[ArterySegmenter]]":
    """Read networks, and return what starts a segmenter that the user can cancel."""
    from cowgan.segmentation.bundled_segmenters import BUNDLED_SEGMENTERS, find_segmenter
    from cowgan.segmentation.nnunet_model import is_nnunet, open_nnunet

    if not models:
        names = " or ".join(BUNDLED_SEGMENTERS)
        raise CowganError(
            f"Give --model: a network, the folder of the run that trained it, or {names}."
        )
    if not any(is_nnunet(Path(name)) for name in models):
        from cowgan.segmentation.segmenter import Segmenter
        from cowgan.segmentation.segmenter_files import load_segmenter

        loaded = [load_segmenter(find_segmenter(name)) for name in models]
        segmenter = Segmenter(loaded, device, precision, augmented)
        return lambda _: nullcontext(segmenter)
    if len(models) > 1 or augmented:
        raise CowganError("An nnU-Net is used by itself: give one --model, without --augmented.")
    from cowgan.segmentation.nnunet_interpreter import remembered_interpreter
    from cowgan.segmentation.nnunet_segmenter import NnunetSegmenter

    network, python = open_nnunet(Path(models[0])), remembered_interpreter()
    return lambda progress: NnunetSegmenter(network, python, device, progress)


@app.command()
def score(
    out: Annotated[Path, typer.Option(help="Table to write, CSV.")],
    predicted: Annotated[
        Path | None, typer.Option(help="Predicted label map, or a folder of them.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="True label map, or a folder of them with the same names.")
    ] = None,
    scheme: _Scheme = None,
    bank: Annotated[
        Path | None,
        typer.Option(help="Bank with labels, on whose held-out subjects --model is scored."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="MODEL", help=f"{_MODEL} Several are an ensemble.")
    ] = None,
    overwrite: OverwriteOption = False,
    device: DeviceOption = "auto",
    precision: PrecisionOption = "fast",
) -> None:
    """Score label maps, or networks, against the truth: one row per artery and case, and a summary.

    The summary, beside the table, is named like it with _summary. Definitions are those of
    TopCoW's evaluation. Nothing is written if a pair cannot be compared.
    """
    of_maps, of_networks = (predicted, truth, scheme), (bank, model)
    if any(of_maps) == any(of_networks) or not (all(of_maps) or all(of_networks)):
        raise CowganError("Give --predicted, --truth and --scheme, or a --bank and a --model.")

    from cowgan.segmentation.score_files import summary_path, write_scores

    summary = summary_path(out)
    for file in (out, summary):
        if file.exists() and not overwrite:
            raise CowganError(f"{file} exists already; use --overwrite to replace it.")

    from cowgan.anatomy.label_schemes import label_scheme
    from cowgan.bank.bank import Bank
    from cowgan.cli.console import progress_bar
    from cowgan.cli.remarks import print_remarks
    from cowgan.segmentation.label_pairs import find_pairs, score_pairs
    from cowgan.segmentation.labelled_cases import of_bank
    from cowgan.segmentation.validation import score_cases

    with progress_bar("Scoring") as progress:
        if bank is not None:
            with _open_models(model or [], device, precision)(progress) as segmenter:
                scored = score_cases(segmenter, of_bank(Bank.open(bank), "holdout"), progress)
        else:
            assert predicted is not None and truth is not None and scheme is not None
            scored = score_pairs(find_pairs(predicted, truth), label_scheme(scheme), progress)
    write_scores(out, scored)
    print_remarks(remark for one in scored.values() for remark in one.remarks)
    say(f"Cases: {len(scored)}. {_mean_scores(scored)}")
    say(f"Table: {out}")
    say(f"Summary: {summary}")


@app.command()
def compare(
    predictions: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=FOLDER...",
            help="Predicted label maps and what to call them; the first is the reference.",
        ),
    ],
    truth: Annotated[
        Path, typer.Option(help="Folder of true label maps with the names of the predicted ones.")
    ],
    scheme: Annotated[str, typer.Option(help=_SCHEMES)],
    out: Annotated[Path, typer.Option(help="New folder for the report and its tables.")],
    margin: Annotated[
        float | None,
        typer.Option(
            help="Margin of equivalence of the Dice coefficient, chosen beforehand.", min=0, max=1
        ),
    ] = None,
) -> None:
    """Compare two or more segmentations of the same cases: paired, by subject.

    Writes a report (HTML and PDF) and tables of scores, means and differences. Nothing is written
    if a pair cannot be compared.
    """
    from cowgan.anatomy.label_schemes import label_scheme
    from cowgan.cli.console import progress_bar
    from cowgan.cli.remarks import print_remarks
    from cowgan.folders import refuse_existing
    from cowgan.report.drawing import require_libraries
    from cowgan.segmentation.comparison_files import HTML_FILE, write_comparison
    from cowgan.segmentation.comparison_report import verdict
    from cowgan.segmentation.label_pairs import find_pairs, score_pairs

    folders = _named_folders(predictions)
    labels = label_scheme(scheme)
    refuse_existing(out)
    require_libraries()
    pairs = {name: find_pairs(folder, truth) for name, folder in folders.items()}
    scored = {}
    for name, of_name in pairs.items():
        with progress_bar(f"Scoring {name}") as progress:
            scored[name] = score_pairs(of_name, labels, progress)
    found = write_comparison(out, pairs, scored, labels, margin)
    print_remarks(
        remark for cases in scored.values() for one in cases.values() for remark in one.remarks
    )
    box = verdict(found)
    for sentence in (f"{box.title}.", *box.sentences, *box.cautions):
        say(sentence)
    say(f"Report: {out / HTML_FILE}")


def _mean_scores(scored: "Mapping[str, ScoredPair]") -> str:
    from cowgan.segmentation.metrics import mean_over_arteries

    dice, hd95_mm = (
        mean(mean_over_arteries(one.rows, metric) for one in scored.values())
        for metric in ("dice", "hd95_mm")
    )
    return f"Mean of arteries: Dice {dice:.3f}, HD95 {hd95_mm:.2f} mm."


def _named_folders(predictions: list[str]) -> dict[str, Path]:
    folders: dict[str, Path] = {}
    for given in predictions:
        name, _, folder = given.partition("=")
        if not name or not folder:
            raise CowganError(f"Write {given} as NAME=FOLDER.")
        if name in folders:
            raise CowganError(f"Two predictions are called {name}; give each a name of its own.")
        folders[name] = Path(folder)
    if len(folders) < 2:
        raise CowganError("A comparison needs at least two predictions: NAME=FOLDER NAME=FOLDER.")
    return folders


@app.command()
def export_nnunet(
    out: Annotated[
        Path, typer.Option(help="Folder of nnUNet_raw and nnUNet_preprocessed; may exist.")
    ],
    images: _Images = None,
    labels: _Labels = None,
    scheme: _Scheme = None,
    bank: _Bank = None,
    number: Annotated[int, typer.Option(help="Number of the dataset, 1 to 999.")] = 600,
    name: Annotated[str, typer.Option(help="Name of the dataset.")] = "CircleOfWillis",
    folds: Annotated[int, typer.Option(help="Folds, which are split by subject.", min=2)] = 5,
) -> None:
    """Write images and label maps as a dataset of nnU-Net v2.

    Labels become consecutive; dataset.json names them. Of a bank, the training side is written.
    """
    from cowgan.cli.console import progress_bar
    from cowgan.data.image_pairs import find_image_pairs
    from cowgan.segmentation.case_source import CaseSource
    from cowgan.segmentation.nnunet_dataset import NnunetDataset, bank_sources
    from cowgan.segmentation.nnunet_dataset import export_nnunet as export

    dataset = NnunetDataset(number, name, folds)
    source = CaseSource.of(images, labels, scheme, bank)
    opened = source.open_bank()
    with progress_bar("Writing") as progress:
        pairs = find_image_pairs(*source.folders) if opened is None else bank_sources(opened)
        raw = export(pairs, source.label_scheme(), out, dataset, progress)
    say(f"Dataset: {raw}")
    say(f"Train with: cowgan segment train-nnunet --dataset {out} --out run")


@app.command()
def setup_nnunet(
    python: Annotated[
        Path | None,
        typer.Option(help="Python that has nnU-Net v2 already; nothing is installed then."),
    ] = None,
) -> None:
    """Install nnU-Net v2 in an environment of its own, or name the Python that has it.

    It is several gigabytes, and lies in the user's data folder. nnU-Net replaces torch by another
    version, so it is never installed beside this program.
    """
    from cowgan.cli.console import progress_bar
    from cowgan.segmentation.nnunet_interpreter import (
        remember,
        remembered_interpreter,
        set_up,
    )

    with progress_bar("Setting up nnU-Net") as progress:
        found = set_up(progress=progress) if python is None else remember(python, None, progress)
    gpu = "can" if found.gpus or found.mps else "cannot"
    say(f"nnU-Net {found.nnunetv2} with torch {found.torch}, which {gpu} use a GPU.")
    say(f"Python: {remembered_interpreter()}")


@app.command()
def train_nnunet(
    out: Annotated[Path | None, typer.Option(help="Folder of a new run.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Folder of a run to continue.")] = None,
    dataset: Annotated[
        Path | None, typer.Option(help="Dataset, as cowgan segment export-nnunet writes it.")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Length of the training.", min=1)] = 1000,
    iterations: Annotated[int, typer.Option(help="Iterations of an epoch.", min=1)] = 250,
    fold: Annotated[int, typer.Option(help="Fold that validates, from 0.", min=0)] = 0,
    plans: Annotated[
        Literal["default", "small"] | None,
        typer.Option(
            help="default: what nnU-Net plans, for GPUs; small: 1.4 million weights and patches of "
            "at most 64 voxels a side, for CPUs. Without a GPU: small."
        ),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Plan, preprocess, train and validate an nnU-Net v2, or continue a run.

    It learns without mirroring, which would confuse left and right. Its run can be given to cowgan
    segment predict; validation.csv holds the scores of its fold.
    """
    if (resume is None) == (out is None):
        raise CowganError("Name either a folder for a new run with --out, or one with --resume.")
    if out is not None and dataset is None:
        raise CowganError("Give the --dataset that cowgan segment export-nnunet wrote.")

    from cowgan.cli.console import progress_bar
    from cowgan.segmentation import nnunet_training as training
    from cowgan.segmentation.nnunet_interpreter import remembered_interpreter

    python = remembered_interpreter()
    with progress_bar("nnU-Net") as progress:
        if resume is not None:
            scored = training.resume_nnunet(resume, python, device, progress)
        elif out is not None and dataset is not None:
            scored = training.train_nnunet(
                out, dataset, python, epochs, iterations, fold, plans, device, progress
            )
    say(f"The run in {out or resume} is complete.")
    say(f"Validation: {len(scored)} cases. {_mean_scores(scored)}")


def _settings(
    network: str, file: Path | None, steps: int | None, seed: int | None
) -> "SegmentationConfig":
    from cowgan.segmentation.segmentation_config import SegmentationConfig
    from cowgan.segmentation.unet import NETWORKS
    from cowgan.training.config_files import read_config

    chosen = SegmentationConfig(network=NETWORKS[network])
    if file is not None:
        chosen = read_config(file, chosen)
    return chosen.with_changes(steps=steps, seed=seed)
