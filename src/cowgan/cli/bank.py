"""``cowgan build-bank``, ``cowgan simulate-bank`` and ``cowgan check-bank``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cowgan.cli.options import JobsOption, JsonOption, OverwriteOption, UnitsOption
from cowgan.cli.output import say
from cowgan.cli.remarks import print_remarks
from cowgan.errors import Cancelled, CowganError
from cowgan.text import dimensions

if TYPE_CHECKING:
    from cowgan.bank.bank import Bank
    from cowgan.bank.writing import BankOptions

BankOutOption = Annotated[Path, typer.Option(help="Folder of the new bank.")]
DtypeOption = Annotated[
    Literal["uint8", "uint16", "float16"],
    typer.Option(help="Storage type of intensities; the error of 8 bits is far below the noise."),
]
HoldoutOption = Annotated[float, typer.Option(help="Share of held-out subjects.")]
SplitOption = Annotated[
    Path | None,
    typer.Option(
        metavar="CSV",
        help="Table with the columns case, subject and, if wanted, split (training, holdout). "
        "Default: subjects from sub-XXX or IXIXXX in the names, else one for each name.",
    ),
]
SplitSeedOption = Annotated[int, typer.Option(help="Seed of the split.")]


def build_bank(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN...", help="NIfTI files, or folders of them.")
    ],
    out: BankOutOption,
    scaling: Annotated[
        Literal["none", "robust", "minmax"],
        typer.Option(
            help="none: intensities are from 0 to 1 already; robust: percentile 0.1 becomes 0 "
            "and 99.9 becomes 1; minmax: the extremes do."
        ),
    ] = "none",
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Folder of label maps with the names of the scans, on the grid of each scan or of "
            "what it was before cowgan preprocess."
        ),
    ] = None,
    scheme: Annotated[
        str | None,
        typer.Option(
            help="Meaning of the labels: topcow2024, topcow2023, seven-arteries or territories."
        ),
    ] = None,
    holdout: HoldoutOption = 0.1,
    split: SplitOption = None,
    split_seed: SplitSeedOption = 0,
    dtype: DtypeOption = "uint8",
    units: UnitsOption = None,
    jobs: JobsOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a training bank of preprocessed scans of one size."""
    if (labels is None) != (scheme is None):
        raise CowganError("Give both --labels and --scheme, or neither.")

    from cowgan.anatomy.label_schemes import label_scheme
    from cowgan.bank.from_nifti import LabelFolder, bank_from_nifti
    from cowgan.cli.console import progress_bar

    options = _options(holdout, split, split_seed, dtype, jobs, overwrite)
    maps = None
    if labels is not None and scheme is not None:
        label_scheme(scheme)
        maps = LabelFolder(labels, scheme)
    with _nothing_kept(), progress_bar("Building") as progress:
        bank = bank_from_nifti(inputs, out, scaling, options, progress, units=units, labels=maps)
    _print_summary(bank, as_json)


def simulate_bank(
    anatomies: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="ANATOMIES...",
            help="Archive (.npz) of anatomies, NIfTI label maps, or folders of those.",
        ),
    ] = None,
    *,
    out: BankOutOption,
    phantoms: Annotated[
        int | None, typer.Option(help="Use this many phantoms instead.", min=1)
    ] = None,
    per_anatomy: Annotated[
        int, typer.Option(help="Volumes of each anatomy, with other intensities each.", min=1)
    ] = 1,
    joined: Annotated[
        int,
        typer.Option(
            help="Most further volumes of each training anatomy whose right half is another one's "
            "that fits at the midline.",
            min=0,
        ),
    ] = 0,
    deform: Annotated[
        bool,
        typer.Option(
            help="Vary the anatomy of each volume: turned by up to 6 degrees, tilted by 3, "
            "scaled by 6 %, moved by 1.5 mm and bent smoothly by about 1 mm."
        ),
    ] = False,
    max_off_centre_mm: Annotated[
        float | None,
        typer.Option(
            help="Leave out anatomies whose circle lies farther from the middle along an axis; "
            "default: none is left out.",
            min=0,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Decides intensities and variations; phantoms count from it.", min=0)
    ] = 0,
    holdout: HoldoutOption = 0.1,
    split: SplitOption = None,
    split_seed: SplitSeedOption = 0,
    dtype: DtypeOption = "uint8",
    jobs: JobsOption = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a training bank of simulated TOF MRA, from real anatomies or phantoms."""
    if bool(anatomies) == (phantoms is not None):
        raise CowganError("Give either anatomies or --phantoms.")
    if phantoms is not None and max_off_centre_mm is not None:
        raise CowganError("--max-off-centre-mm needs anatomies; phantoms are centred.")
    if phantoms is not None and joined:
        raise CowganError("--joined needs anatomies; each phantom is new.")

    from cowgan.bank.anatomies import read_anatomies
    from cowgan.bank.from_simulation import (
        Arteries,
        PhantomArteries,
        SimulationOptions,
        keep_centred,
    )
    from cowgan.bank.from_simulation import simulate_bank as simulate
    from cowgan.bank.writing import refuse_target
    from cowgan.cli.console import progress_bar
    from cowgan.simulate.deformation import DeformationLimits

    options = _options(holdout, split, split_seed, dtype, jobs, overwrite)
    simulation = SimulationOptions(
        per_anatomy, DeformationLimits() if deform else None, seed, joined
    )
    refuse_target(out, overwrite)
    origin: dict[str, Any] = {}
    chosen: list[Arteries]
    with _nothing_kept(), progress_bar("Simulating") as progress:
        if phantoms is not None:
            chosen = [PhantomArteries(seed + i) for i in range(phantoms)]
        else:
            found = read_anatomies(anatomies or [], options.jobs, progress)
            if max_off_centre_mm is not None:
                found, dropped = keep_centred(found, max_off_centre_mm, options.jobs, progress)
                origin["left_out"] = {
                    "max_off_centre_mm": max_off_centre_mm,
                    "anatomies": [anatomy.name for anatomy in dropped],
                }
            chosen = [*found]
        bank = simulate(chosen, out, simulation, options, progress, origin)
    if "left_out" in origin:
        names = origin["left_out"]["anatomies"]
        say(f"Note: left out {len(names)} off-centre: {', '.join(names)}", err=True)
    _print_summary(bank, as_json)


def check_bank(
    bank: Annotated[Path, typer.Argument(help="Folder of the bank.")],
    as_json: JsonOption = False,
) -> None:
    """Read a whole bank and verify its hashes."""
    from cowgan.bank.bank import Bank
    from cowgan.cli.console import progress_bar

    opened = Bank.open(bank)
    with progress_bar("Checking") as progress:
        opened.verify(progress)
    _print_summary(opened, as_json)


def _options(
    holdout: float,
    split: Path | None,
    split_seed: int,
    dtype: Literal["uint8", "uint16", "float16"],
    jobs: int | None,
    overwrite: bool,
) -> "BankOptions":
    from cowgan.bank.split import SplitRule
    from cowgan.bank.writing import BankOptions
    from cowgan.pool import available_cores

    rule = SplitRule(holdout, split_seed, split)
    return BankOptions(rule, dtype, jobs or available_cores(), overwrite)


@contextmanager
def _nothing_kept() -> Iterator[None]:
    try:
        yield
    except Cancelled:
        say("Stopped; no bank was written.", err=True)
        raise typer.Exit(130) from None


def _print_summary(bank: "Bank", as_json: bool) -> None:
    from cowgan.volume import remarks_in

    sides = {
        side: (len(indices), len({bank.cases[i].subject for i in indices}))
        for side, indices in (("training", bank.training), ("holdout", bank.holdout))
    }
    remarks = {
        case.name: list(texts) for case in bank.cases if (texts := remarks_in(case.provenance))
    }
    if as_json:
        from cowgan.cli.console import print_json

        print_json(
            {
                "bank": str(bank.path),
                "sha256": bank.sha256,
                "shape": [len(bank), *bank.shape],
                "dtype": bank.description.voxel_type,
                "spacing_mm": bank.spacing_mm,
                "label_scheme": bank.description.label_scheme,
                **{s: {"volumes": n, "subjects": m} for s, (n, m) in sides.items()},
                "warnings": list(bank.warnings),
                "remarks": remarks,
            }
        )
        return
    size = dimensions(bank.shape)
    spacing = dimensions(bank.spacing_mm, "g")
    rows = {
        "Bank": str(bank.path),
        "Volumes": f"{len(bank)} of {size} voxels of {spacing} mm (z, x, y), "
        f"{bank.description.voxel_type}",
        **{s.capitalize(): f"{n} volumes of {m} subjects" for s, (n, m) in sides.items()},
        "Labels": bank.description.label_scheme or "none",
        "SHA-256": bank.sha256,
    }
    print_remarks((name, text) for name, texts in remarks.items() for text in texts)
    for warning in bank.warnings:
        say(warning, err=True)
    for title, text in rows.items():
        say(f"{title:10} {text}")
