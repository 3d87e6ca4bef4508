"""Undoable changes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from qtpy.QtGui import QUndoCommand, QUndoStack

T = TypeVar("T")


class Change(QUndoCommand, Generic[T]):
    """A replacement of one value by another; changes of one gesture merge into one.

    Parameters
    ----------
    text : str
        Name of the step in the undo history.
    before, after : T
        The old and the new value.
    apply : callable
        Sets the value.
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
        """Return an id that changes with a gesture share; Qt never merges others (-1)."""
        return -1 if self._gesture is None else 1

    def mergeWith(self, other: QUndoCommand | None) -> bool:
        """Merge a later change of the same gesture into this one."""
        if not isinstance(other, Change) or other._gesture != self._gesture:
            return False
        self._after = other._after
        self.setObsolete(self._after == self._before)
        return True

    def redo(self) -> None:
        """Set the new value."""
        self._apply(self._after)

    def undo(self) -> None:
        """Restore the old value."""
        self._apply(self._before)


@contextmanager
def one_step(stack: QUndoStack, text: str) -> Iterator[None]:
    """Group all changes within into one step."""
    stack.beginMacro(text)
    try:
        yield
    finally:
        stack.endMacro()
