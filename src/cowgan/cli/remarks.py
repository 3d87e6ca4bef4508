"""Output of remarks on ambiguous images."""

from collections.abc import Iterable

from cowgan.cli.output import say

_EXAMPLES = 3


def print_remarks(remarks: Iterable[tuple[str, str]]) -> None:
    """Print remarks on standard error, each once with the images that it applies to.

    Parameters
    ----------
    remarks : iterable of (str, str)
        Name of an image, and a sentence; see `cowgan.volume.Volume.remarks`.
    """
    named: dict[str, list[str]] = {}
    for name, remark in remarks:
        named.setdefault(remark, []).append(name)
    for remark, names in named.items():
        more = f" and {len(names) - _EXAMPLES} more" if len(names) > _EXAMPLES else ""
        say(f"{', '.join(names[:_EXAMPLES])}{more}: {remark}", err=True)
