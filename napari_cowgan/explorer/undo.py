"""Steps that a person can undo."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from qtpy.QtGui import QUndoCommand, QUndoStack

T = TypeVar("T")


class Change(QUndoCommand, Generic[T]):
    """Replaces one value by another; changes of one gesture merge into one.

    Parameters
    ----------
    text : str
        What undo calls the step.
    before, after : T
        The values.
    apply : callable
        Puts a value in place.
    gesture : object, optional
        Successive changes with an equal gesture, such as one drag of a slider, become one step.
    """

    def __init__(
        self,
        text: str,
        before: T,
        after: T,
        apply: Callable[[T], None],
        gesture: object = None,
    ) -> None:
        super().__init__(text)
        self._before, self._after = before, after
        self._apply = apply
        self._gesture = gesture

    def id(self) -> int:
        """Return a number that only changes with a gesture share: Qt merges no others."""
        return -1 if self._gesture is None else 1

    def mergeWith(self, other: QUndoCommand | None) -> bool:
        """Take over the value of a later change of the same gesture."""
        if not isinstance(other, Change) or other._gesture != self._gesture:
            return False
        self._after = other._after
        self.setObsolete(self._after == self._before)
        return True

    def redo(self) -> None:
        """Put the new value in place."""
        self._apply(self._after)

    def undo(self) -> None:
        """Put the old value back."""
        self._apply(self._before)


@contextmanager
def one_step(stack: QUndoStack, text: str) -> Iterator[None]:
    """Make one step of all changes within."""
    stack.beginMacro(text)
    try:
        yield
    finally:
        stack.endMacro()
