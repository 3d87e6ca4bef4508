"""``cowgan scans``."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cowgan.cli.options import JsonOption
from cowgan.cli.output import say

if TYPE_CHECKING:
    from cowgan.data.scans import FoundScans, SetAside

TakeOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        help="Also take files whose names, or paths below the folder, match, such as '*_T1w*' or "
        "'derivatives/*'; may be repeated.",
    ),
]
_EXAMPLES = 3


def scans(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="IN...", help="Scans, or folders of scans.")
    ],
    take: TakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the scans in folders with their case names, and why other files are excluded.

    Nothing is changed. Other commands use the same files.
    """
    from dataclasses import asdict

    from cowgan.cli.console import print_json
    from cowgan.data.scans import find_scans

    found = find_scans(inputs, take=take or ())
    if as_json:
        cases = [{"name": case.name, "path": str(case.path)} for case in found.cases]
        print_json({"cases": cases, "set_aside": [asdict(one) for one in found.set_aside]})
    else:
        _print_summary(found)
    found.require_cases(inputs)


def _print_summary(found: "FoundScans") -> None:
    width = max((len(case.name) for case in found.cases), default=0)
    for case in found.cases:
        say(f"{case.name:{width}}  {case.path}")
    for one in found.set_aside:
        say(f"Set aside: {one.place}: {one.reason}")
    scans = f"{len(found.cases)} scan{'s' * (len(found.cases) != 1)}"
    say(f"{scans}, {len(found.set_aside)} set aside; nothing was changed.")


def print_set_aside(set_aside: "Sequence[SetAside]") -> None:
    """Print excluded files on standard error, one line per reason."""
    ordered = sorted(set_aside, key=lambda one: one.reason)
    for reason, group in groupby(ordered, key=lambda one: one.reason):
        places = [one.place for one in group]
        shown = ", ".join(places[:_EXAMPLES])
        more = f" and {len(places) - _EXAMPLES} more" if len(places) > _EXAMPLES else ""
        say(f"Set aside: {shown}{more}: {reason}", err=True)
