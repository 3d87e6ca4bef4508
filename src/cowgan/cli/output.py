"""Text output on the terminal."""

import typer

from cowgan.text import one_line


def say(text: str = "", *, err: bool = False) -> None:
    """Print one line of possibly untrusted text safely.

    Parameters
    ----------
    text : str
        The line.
    err : bool
        Print it on standard error.
    """
    typer.echo(one_line(text), err=err)
