"""Errors meant for the person in front of the screen."""

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


class Cancelled(CowganError):
    """The person stopped a running job; nothing is wrong."""

    def __init__(self) -> None:
        super().__init__("Cancelled.")
