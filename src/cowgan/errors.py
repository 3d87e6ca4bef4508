"""Errors with messages for the user."""

from collections.abc import Iterable, Sequence
from typing import Any

from cowgan.text import escaped, one_line

_LONGEST = 1000


class CowganError(Exception):
    """A failure with a one-sentence message for the user.

    Parameters
    ----------
    sentence : str
        What is wrong and, where possible, what to do, without reference to the code.
    detail : str, optional
        Technical detail for a log or a bug report (an exception text, a list of
        tensor names).
    """

    def __init__(self, sentence: str, detail: str = "") -> None:
        # Both may contain text from files.
        self.sentence = one_line(sentence, _LONGEST)
        self.detail = escaped(detail, keep="\n")
        super().__init__(self.sentence)

    def __reduce__(self) -> tuple[Any, ...]:
        # By default, what comes back from another process is made of the sentence alone.
        return _restored, (type(self), self.args, vars(self))

    @property
    def sentences(self) -> tuple[str, ...]:
        """The messages, one per line."""
        return (self.sentence,)


def _restored(
    kind: type[CowganError], arguments: tuple[Any, ...], content: dict[str, Any]
) -> CowganError:
    error = kind.__new__(kind, *arguments)
    vars(error).update(content)
    return error


def require_choice(what: str, value: object, choices: Iterable[str]) -> None:
    """Raise `CowganError` unless a value is one of some choices.

    Parameters
    ----------
    what : str
        Such as ``"plane"``.
    value : object
        The given value.
    choices : iterable of str
        The valid values.
    """
    valid = tuple(choices)
    if value not in valid:
        raise CowganError(f"There is no {what} {value!r}; choose one of {', '.join(valid)}.")


def from_system(error: OSError) -> CowganError | None:
    """Return what the operating system refused, if it names a file, such as an over-long path."""
    if error.filename is None or error.strerror is None:
        return None
    return CowganError(f"{error.filename}: {error.strerror}.", repr(error))


class SeveralErrors(CowganError):
    """Several independent failures.

    Parameters
    ----------
    errors : sequence of CowganError
        At least one.
    besides : str, optional
        A sentence on what succeeded.
    """

    def __init__(self, errors: Sequence[CowganError], besides: str = "") -> None:
        self._sentences = tuple(filter(None, (besides, *(error.sentence for error in errors))))
        super().__init__(
            " ".join(self._sentences), "\n".join(f"{error}\n{error.detail}" for error in errors)
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentence on what succeeded, and the messages."""
        return self._sentences


class Cancelled(CowganError):
    """The user cancelled a running job."""

    def __init__(self) -> None:
        super().__init__("Cancelled.")
