"""``cowgan turing``: visual Turing tests."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cowgan.cli.options import DeviceOption, JsonOption
from cowgan.cli.output import say
from cowgan.cli.windows import plugin_module
from cowgan.errors import Cancelled, CowganError

if TYPE_CHECKING:
    from cowgan.turing.analysis import Analysis
    from cowgan.turing.blinding.audit import Audit
    from cowgan.turing.blinding.classifier_test import Separability

AcceptLeakOption = Annotated[
    str | None,
    typer.Option(
        metavar="REASON", help="Freeze even if the audit finds leaks; the report prints why."
    ),
]

ByOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who unblinds the study; default: the name of the account."),
]
EarlyOption = Annotated[
    bool,
    typer.Option("--early", help="End the study although readers have not finished."),
]

app = typer.Typer(
    help="Visual Turing tests: can a reader tell generated volumes from real ones?",
    no_args_is_help=True,
)


@app.command()
def new(
    study: Annotated[Path, typer.Argument(help="Folder of the new study.")],
    real: Annotated[Path, typer.Option(help="Folder of real volumes (NIfTI).")],
    generated: Annotated[
        Path, typer.Option(help="Folder of generated volumes, or a model file or folder.")
    ],
    readers: Annotated[int, typer.Option(help="Number of readers.", min=1)] = 5,
    cases: Annotated[int, typer.Option(help="Volumes to read, half of them generated.")] = 100,
    seed: Annotated[int, typer.Option(help="Decides, with a secret, what is shown and when.")] = 0,
    design: Annotated[
        Literal["rating", "2afc"],
        typer.Option(help="rating: real or generated?; 2afc: which of two is generated?"),
    ] = "rating",
    repeats: Annotated[
        int | None,
        typer.Option(help="Trials shown twice; default: a tenth of all, if there are 40 or more."),
    ] = None,
    practice: Annotated[
        int | None,
        typer.Option(
            help="Further volumes to practise with; default: 6, or fewer if there are no more."
        ),
    ] = None,
    impressions: Annotated[
        int, typer.Option(help="Further volumes to be judged before the purpose is explained.")
    ] = 0,
    psi: Annotated[float, typer.Option(help="Truncation that the model renders with.")] = 1.0,
    crop: Annotated[
        str, typer.Option(metavar="Z,X,Y", help="Voxels cut off at both ends of each axis.")
    ] = "0,0,0",
    marks: Annotated[bool, typer.Option(help="Let readers mark what gives a volume away.")] = True,
    mip: Annotated[bool, typer.Option(help="Let readers see projections.")] = True,
    accept_leak: AcceptLeakOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Make a study: a folder for the coordinator, and in it a package for each reader.

    It is frozen at once unless the audit finds that it is not blinded.
    """
    from cowgan.cli.console import print_json, progress_bar
    from cowgan.turing.design.protocol import Protocol, default_practice, default_repeats
    from cowgan.turing.design.sources import RECOGNISED, FolderSource, generated_source
    from cowgan.turing.design.trials import Rules
    from cowgan.turing.study.creation import new_study
    from cowgan.turing.study.publication import frozen_line

    sources = FolderSource(real), generated_source(generated, psi, device)
    if practice is None:
        spare = min(source.available for source in sources) - impressions // 2
        practice = default_practice(cases, spare)
    rules = Rules(design, marks=marks, mip=mip)
    protocol = Protocol(
        seed,
        readers,
        cases,
        default_repeats(cases, rules) if repeats is None else repeats,
        practice=practice,
        impressions=impressions,
        psi=psi,
        crop=_parse_crop(crop),
        rules=rules,
    )
    try:
        with progress_bar("Making") as progress:
            made = new_study(
                study,
                *sources,
                protocol,
                progress,
                accept_leak,
            )
    except Cancelled:
        say("Stopped; no study was written.", err=True)
        raise typer.Exit(130) from None
    for note in made.notes:
        say(f"Note: {note}", err=True)
    if not made.frozen:
        say(
            f"Note: the study is not frozen, as it is not blinded: {'; '.join(made.audit.leaks)}. "
            f"See `cowgan turing audit {study}`.",
            err=True,
        )
    if as_json:
        print_json(
            {
                "study": str(study),
                "frozen": made.frozen,
                "leaks": made.audit.leaks,
                "key_commitment": made.description["key_commitment"],
                "study_sha256": made.sha256 if made.frozen else None,
                "packages": {r: str(made.package_folder(r)) for r in made.readers},
            }
        )
        return
    n_trials = len(made.package(made.readers[0]).manifest.trials)
    state = "Froze" if made.frozen else "Made"
    say(
        f"{state} {study}: {cases} cases and {practice} to practise, "
        f"{n_trials} trials for each reader"
    )
    for reader in made.readers:
        say(f"{reader}  {made.package_folder(reader)}")
    if made.frozen:
        say(f"Give each reader one package, and keep all else to yourself. {RECOGNISED}")
        _print_hash(frozen_line(made), "before anybody reads, for example in a preregistration")


@app.command()
def read(
    package: Annotated[
        Path | None,
        typer.Argument(help="Folder that the coordinator gave you; the window asks for it."),
    ] = None,
    copy: Annotated[
        Path | None,
        typer.Option(help="File, best on another disk, that receives every answer too."),
    ] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(help="File for your receipt, written once you have finished."),
    ] = None,
) -> None:
    """Read a package: opens a window that leads through it, or goes on where you stopped.

    Keep the finish code or the receipt: by either, anybody can check that neither the study
    nor your answers were changed afterwards.
    """
    from cowgan.turing.reading.package import key_beside

    if package is None and receipt is not None:
        raise CowganError("--receipt needs the folder of the package; the window saves one too.")
    if package is not None and key_beside(package):
        say(
            "Note: the key of the study lies beside this package, where whoever reads can open it; "
            "the report will say so.",
            err=True,
        )
    status = plugin_module("reading", "Reading").launch(package, copy)
    if status == 0 and package is not None:
        _print_receipt(package, receipt)
    raise typer.Exit(status)


@app.command()
def serve(
    study: Annotated[Path, typer.Argument(help="Folder of the study; the key is not needed.")],
    host: Annotated[str, typer.Option(help="Network interface.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port.", min=1, max=65535)] = 8765,
    certfile: Annotated[
        Path | None, typer.Option(help="Certificate for TLS, PEM, with --keyfile.")
    ] = None,
    keyfile: Annotated[Path | None, typer.Option(help="Private key of the certificate.")] = None,
    behind_proxy: Annotated[
        bool, typer.Option("--behind-proxy", help="A server in front encrypts.")
    ] = False,
    origin: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="What readers open, such as https://reading.example.org; default: host and port.",
        ),
    ] = "",
) -> None:
    """Let readers read in the browser, each with a personal link (`cowgan turing link`).

    Answers lie in the packages, like those of the desktop window. Other computers are served
    with TLS only: give a certificate, or encrypt in front.
    """
    from cowgan.turing.serving.links import read_links, served_readers
    from cowgan.turing.serving.server import Address
    from cowgan.turing.serving.server import serve as serve_study

    address = Address(host, port, certfile, keyfile, behind_proxy, origin)
    readers = served_readers(study)
    links = read_links(study)

    def tell() -> None:
        say(f"Serving {study} at {address.origins[0]}; Ctrl+C ends it.")
        without = [r for r in readers if r not in links or not links[r].valid()]
        if without:
            say(f"Without a link: {', '.join(without)}; make them with `cowgan turing link`.")

    serve_study(study, address, tell)


@app.command()
def link(
    study: Annotated[Path, typer.Argument(help="Folder of the study.")],
    readers: Annotated[
        list[str] | None,
        typer.Argument(metavar="[READER]...", help="Such as sub-R01; default: all without one."),
    ] = None,
    origin: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="What readers open; default: as the study was served last."
        ),
    ] = None,
    days: Annotated[int, typer.Option(help="How long they are valid.", min=1, max=3650)] = 90,
    revoke: Annotated[
        bool, typer.Option("--revoke", help="Make the links of these readers useless instead.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make the personal links with which readers read in the browser, and print them once.

    A new link replaces the reader's earlier one. Only hashes are kept.
    """
    from cowgan.cli.console import print_json
    from cowgan.turing.serving.links import (
        link_address,
        new_tokens,
        read_links,
        served_readers,
    )
    from cowgan.turing.serving.links import revoke as revoke_links
    from cowgan.turing.serving.server import Address, served_origin

    if revoke:
        if not readers:
            raise CowganError("Name the readers whose links are to be revoked.")
        revoke_links(study, readers)
        say(f"Revoked: {', '.join(readers)}.")
        return
    served = Address(origin=origin) if origin else None
    base = served.origins[0] if served else served_origin(study) or Address().origins[0]
    if not readers:
        valid = {reader for reader, one in read_links(study).items() if one.valid()}
        readers = [reader for reader in served_readers(study) if reader not in valid]
    tokens = new_tokens(study, readers, days)
    addresses = {reader: link_address(base, token) for reader, token in tokens.items()}
    if as_json:
        print_json(addresses)
        return
    for reader, shown in addresses.items():
        say(f"{reader}  {shown}")
    if addresses:
        say(f"Valid for {days} days, and not shown again. Send each to its reader alone.")
    else:
        say("All readers have a link; name those who need a new one.")


@app.command()
def audit(
    study: Annotated[Path, typer.Argument(help="Folder of the study.")],
    accept_leak: AcceptLeakOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check whether anything but its appearance gives a volume away; freeze a blinded study.

    A: files must be alike. B: grey levels must not separate the classes. C: whether
    noise, sharpness and borders do, which may be the generator's own doing.
    """
    from cowgan.cli.console import print_json, progress_bar
    from cowgan.turing.study.publication import frozen_line
    from cowgan.turing.study.study import Study

    opened = Study.open(study)
    with progress_bar("Auditing") as progress:
        found = opened.check(progress)
    if as_json:
        print_json({**found.to_dict(), "leaks": found.leaks})
    else:
        _print_audit(found)
    if not opened.frozen:
        opened = opened.freeze(accept_leak)
        say(f"{study} is frozen now.", err=True)
        if not as_json:
            _print_hash(
                frozen_line(opened), "before anybody reads, for example in a preregistration"
            )
    if opened.accepted_leak:
        say(f"Accepted when it was frozen: {opened.accepted_leak}", err=True)
    elif found.leaks:
        raise CowganError(f"{study} is no longer blinded: {'; '.join(found.leaks)}.")


@app.command()
def started(
    study: Annotated[Path, typer.Argument(help="Folder of the study.")],
    reader: Annotated[str, typer.Argument(help="Who begins to read, such as sub-R01.")],
    code: Annotated[str, typer.Argument(help="The start code that the reader reports.")],
) -> None:
    """Record the start code that a reader reports before the first case.

    What comes back later must have the same code: nobody reads once more unnoticed.
    """
    from cowgan.turing.study.start_codes import note_start
    from cowgan.turing.study.study import Study

    told = note_start(Study.open(study), reader, code)
    say(f"Noted: {told.reader} begins with the start code {told.code}.")


@app.command()
def collect(
    study: Annotated[Path, typer.Argument(help="Folder of the study.")],
    returned: Annotated[
        list[Path],
        typer.Argument(help="What readers gave back: packages, zips of them, or journals."),
    ],
    as_json: JsonOption = False,
) -> None:
    """Collect the journals of returned packages and print the progress of all readers."""
    from dataclasses import asdict

    from cowgan.cli.console import print_json, progress_bar
    from cowgan.turing.study.collection import collect as collect_returned
    from cowgan.turing.study.collection import progress as progress_of
    from cowgan.turing.study.publication import collected_line
    from cowgan.turing.study.study import Study

    opened = Study.open(study)
    try:
        with progress_bar("Collecting") as progress:
            collect_returned(opened, returned, progress)
    except Cancelled:
        say("Stopped; nothing was collected.", err=True)
        raise typer.Exit(130) from None
    readers = progress_of(opened)
    if as_json:
        print_json([asdict(reader) for reader in readers])
        return
    for reader in readers:
        code = f"  finish code {reader.finish_code}" if reader.finish_code else ""
        say(f"{reader.reader}  {reader.state:12}  {reader.done} of {reader.total}{code}")
    if all(reader.state in ("finished", "declined") for reader in readers):
        _print_hash(collected_line(opened, readers), "before the study is unblinded")


@app.command()
def analyse(
    study: Annotated[Path, typer.Argument(help="Folder of the study.")],
    by: ByOption = None,
    early: EarlyOption = False,
    as_json: JsonOption = False,
) -> None:
    """Check everything, unblind the study, and write tables for other programs.

    From then on the truth counts as known, and answers committed later are left out.
    """
    from cowgan.cli.console import print_json
    from cowgan.turing.derivatives import write_derivatives
    from cowgan.turing.study.study import DERIVATIVES

    analysis = _analysis(study, by, early)
    write_derivatives(analysis)
    if as_json:
        print_json(analysis.summary())
        return
    _print_analysis(analysis)
    say(f"Saved tables to {study / DERIVATIVES}")


@app.command()
def report(
    study: Annotated[Path, typer.Argument(help="Folder of the study.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="report.html or report.pdf, or a name without ending for both; "
            "default: both, among the study's derivatives."
        ),
    ] = None,
    by: ByOption = None,
    early: EarlyOption = False,
) -> None:
    """Write the report, after the same checks as analyse."""
    from cowgan.turing.derivatives import write_derivatives
    from cowgan.turing.report import report_paths, require_libraries, write_report
    from cowgan.turing.study.study import DERIVATIVES

    target = study / DERIVATIVES / "report" if out is None else out
    report_paths(target)
    require_libraries()
    analysis = _analysis(study, by, early)
    write_derivatives(analysis)
    written = write_report(analysis, target)
    _print_analysis(analysis)
    for path in written:
        say(f"Saved {path}")


@app.command()
def verify(
    study: Annotated[Path, typer.Argument(help="Folder of the study, with its key.")],
    kept: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RECEIPT]...", help="What readers kept: receipts, or finish codes."
        ),
    ] = None,
    published: Annotated[
        list[str] | None,
        typer.Option(metavar="HASH", help="What the coordinator published; can be given twice."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(help="The report (HTML); default: the one among the study's derivatives."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a study from what readers kept to the report, and name what does not fit.

    Nothing is written. Ends with 0 if all fits, and with 2 if not.
    """
    from dataclasses import asdict

    from cowgan.cli.console import print_json, progress_bar
    from cowgan.turing.verification import verify as verify_study

    with progress_bar("Checking") as progress:
        found = verify_study(study, kept or (), published or (), report, progress)
    if as_json:
        print_json(asdict(found))
    else:
        found_by_mark = {"fits": found.fits, "note": found.remarks, "NOT": found.faults}
        for mark, sentences in found_by_mark.items():
            for sentence in sentences:
                say(f"{mark:4}  {sentence}")
        for name, digest in (("Study", found.study_sha256), ("Answers", found.collection_sha256)):
            if digest:
                say(f"{name:7}  SHA-256 {digest}")
    if found.faults:
        n = len(found.faults)
        raise CowganError(f"{study} does not fit: {n} {'thing' if n == 1 else 'things'} above.")


@app.command()
def power(
    readers: Annotated[str, typer.Option(help="Numbers of readers, 3 or more.")] = "3,5,8,12",
    cases: Annotated[str, typer.Option(help="Even numbers of cases.")] = "60,100,150,200",
    accuracy: Annotated[
        float, typer.Option(help="Accuracy of an unbiased reader that is to be detected.")
    ] = 0.6,
    margin: Annotated[
        float, typer.Option(help="Margin of equivalence around an AUC of 0.5.")
    ] = 0.14,
    replicates: Annotated[int, typer.Option(help="Simulated studies of each size.", min=1)] = 1000,
    seed: Annotated[int, typer.Option(help="Of the simulation.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Simulate how many readers and cases a study needs.

    detects: probability to find a difference of the given accuracy from chance;
    equivalent: probability to show equivalence if there is none.
    """
    from dataclasses import asdict

    from cowgan.cli.console import print_json, progress_bar
    from cowgan.turing.statistics import power_table

    sizes = _parse_numbers("--readers", readers), _parse_numbers("--cases", cases)
    try:
        with progress_bar("Simulating") as progress:
            table = power_table(*sizes, accuracy, margin, replicates, seed, progress=progress)
    except Cancelled:
        say("Stopped.", err=True)
        raise typer.Exit(130) from None
    if as_json:
        print_json(asdict(table))
        return
    say("readers  cases  detects  equivalent")
    for cell in table.cells:
        say(
            f"{cell.readers:7}  {cell.cases:5}  {cell.detects:7.0%}  {cell.shows_equivalence:10.0%}"
        )
    say(
        f"{replicates} simulated studies of each size; detects an accuracy of {accuracy:g}, "
        f"equivalence within an AUC of 0.5 ± {margin:g}"
    )


def _print_hash(line: str, when: str) -> None:
    """Print what is to be published so that nobody overlooks it."""
    rule = "=" * len(line)
    for text in ("", rule, f"PUBLISH THIS LINE {when}:", "", line, rule):
        say(text)


def _print_receipt(package: Path, target: Path | None) -> None:
    """Print what a reader should keep, if the reading is finished."""
    from cowgan.turing.reading.package import JOURNAL_FILE, read_manifest
    from cowgan.turing.reading.receipt import receipt_of, write_receipt
    from cowgan.turing.reading.records import read_journal

    journal = package / JOURNAL_FILE
    records = read_journal(journal) if journal.exists() else []
    receipt = receipt_of(read_manifest(package), records)
    if receipt is None:
        if target is not None:
            say("The reading has not come to its end, so there is no receipt yet.", err=True)
        return
    say(f"Finish code: {receipt.finish_code}")
    if target is None:
        say("Keep it. `--receipt FILE` saves a receipt, which holds more.")
    else:
        write_receipt(receipt, target)
        say(f"Saved your receipt to {target}; keep it.")


def _analysis(study: Path, by: str | None, early: bool) -> "Analysis":
    from cowgan.cli.console import progress_bar
    from cowgan.turing.analysis import analyse as analyse_study
    from cowgan.turing.study.study import Study

    opened = Study.open(study)
    try:
        with progress_bar("Checking") as progress:
            return analyse_study(opened, by, early, progress)
    except Cancelled:
        say("Stopped; nothing was unblinded or written.", err=True)
        raise typer.Exit(130) from None


def _print_analysis(analysis: "Analysis") -> None:
    measure = "AUC" if analysis.study.protocol.rules.design == "rating" else "right"
    for reader in analysis.readers:
        scores = reader.scores
        found = None if scores is None else scores.primary_95
        value = (
            f"  {measure} {found.estimate:.2f} ({found.low:.2f} to {found.high:.2f})"
            if found
            else ""
        )
        state = "complete" if reader.complete else reader.progress.state
        say(f"{reader.reader}  {state:12}{value}")
    for verdict in analysis.panel.verdicts:
        say(" ".join(verdict.sentences))
    if not analysis.panel.verdicts:
        say("No verdict: no reader is complete, or there are too few answers.")


def _parse_numbers(option: str, text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise CowganError(f"{option} is given as numbers like 3,5,8, not as {text!r}.") from error


def _print_audit(found: "Audit") -> None:
    say(f"{found.n_real} real and {found.n_generated} generated volumes")
    say(f"A  files         {'; '.join(found.form) or 'alike'}")
    for tier, of in (("B  grey levels  ", found.grey), ("C  texture      ", found.texture)):
        say(f"{tier} AUC {of.auc:.2f}, p {of.p:.3f}")
        if of.remark:
            say(f"     {of.remark}")
        _print_offenders(of)


def _print_offenders(found: "Separability") -> None:
    for offender in found.offenders:
        say(
            f"     {offender.feature}: {offender.side} (AUC {offender.auc:.2f}, p {offender.p:.3f})"
        )


def _parse_crop(text: str) -> tuple[int, int, int]:
    try:
        z, x, y = (int(part) for part in text.split(","))
    except ValueError as error:
        raise CowganError(f"--crop is given as three numbers z,x,y, not as {text!r}.") from error
    return z, x, y
