"""Errors meant for the person in front of the screen."""

from collections.abc import Sequence

from cowgan.text import escaped, one_line

_LONGEST = 1000


class CowganError(Exception):
    """A failure told in one plain sentence.

    Parameters
    ----------
    sentence : str
        What went wrong and, where possible, what to do; one sentence that needs no
        knowledge of the code.
    detail : str, optional
        Technical detail for a log or a bug report (an exception text, a list of
        tensor names).
    """

    def __init__(self, sentence: str, detail: str = "") -> None:
        # Names and texts from files stand in both.
        self.sentence = one_line(sentence, _LONGEST)
        self.detail = escaped(detail, keep="\n")
        super().__init__(self.sentence)

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that there is to tell, each on a line of its own."""
        return (self.sentence,)


class SeveralErrors(CowganError):
    """Things that went wrong beside each other.

    Parameters
    ----------
    errors : sequence of CowganError
        At least one.
    besides : str, optional
        A sentence on what went well.
    """

    def __init__(self, errors: Sequence[CowganError], besides: str = "") -> None:
        self._sentences = tuple(filter(None, (besides, *(error.sentence for error in errors))))
        super().__init__(
            " ".join(self._sentences), "\n".join(f"{error}\n{error.detail}" for error in errors)
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """What went well, and what did not."""
        return self._sentences


class Cancelled(CowganError):
    """The user cancelled a running job."""

    def __init__(self) -> None:
        super().__init__("Cancelled.")
