"""What the explorer shows: a model, a latent state, and the way back."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from secrets import randbelow
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QUndoStack

from cowgan.checkpoint import Checkpoint
from cowgan.randomness import MAX_SEED
from cowgan.synthesis import BlockMix, Direction, Edit, LatentState, Synthesizer
from napari_cowgan.explorer.undo import Change, one_step

_RANDOM_SEEDS = 2**32
"""Dice stay below this, so that a seed can be read out and typed."""


@dataclass(frozen=True)
class ExplorerState:
    """What undo restores.

    Attributes
    ----------
    latent : LatentState
        The volume.
    mix_seed : int
        The second parent, remembered while no block is mixed.
    mix_amount : float
        Share of the second parent's style in mixed blocks.
    """

    latent: LatentState = field(default_factory=LatentState)
    mix_seed: int = 1
    mix_amount: float = 1.0


class ExplorerModel(QObject):
    """State of one explorer, without widgets.

    Signals
    -------
    model_changed
        Another checkpoint, device or precision is in use.
    state_changed
        The state differs from before, through a control, undo or a session.
    directions_changed
        The list of directions differs from before.
    directions_edited
        A person changed that list, or undid that.
    lock_changed
        The seed was locked or unlocked.
    """

    model_changed = Signal()
    state_changed = Signal()
    directions_changed = Signal()
    directions_edited = Signal()
    lock_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(1000)
        self.seed_locked = False
        self.directions: list[Direction] = []
        self._synthesizer: Synthesizer | None = None
        self._state = ExplorerState()

    @property
    def synthesizer(self) -> Synthesizer | None:
        """The renderer of the open model; None before one is open."""
        return self._synthesizer

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The open model."""
        return None if self._synthesizer is None else self._synthesizer.checkpoint

    @property
    def n_blocks(self) -> int:
        """Number of blocks of the open model, 0 before one is open."""
        return 0 if self.checkpoint is None else self.checkpoint.config.n_blocks

    @property
    def state(self) -> ExplorerState:
        """The whole state."""
        return self._state

    @property
    def latent(self) -> LatentState:
        """The latent state that is shown."""
        return self._state.latent

    def use(self, synthesizer: Synthesizer) -> None:
        """Switch to a model; what belongs to the latent space of another one is dropped."""
        before = self.checkpoint
        self._synthesizer = synthesizer
        if synthesizer.checkpoint is not before:
            old = self.latent
            kept = LatentState(old.seed, psi=old.psi, noise=old.noise, noise_seed=old.noise_seed)
            self.undo_stack.clear()
            self.directions = []
            self._state = replace(self._state, latent=kept)
            self.model_changed.emit()
            self.directions_changed.emit()
            self.state_changed.emit()
        else:
            self.model_changed.emit()

    def edit(self, text: str, gesture: object = None, **changes: Any) -> None:
        """Change fields of the latent state as one undoable step.

        Parameters
        ----------
        text : str
            What undo calls the step.
        gesture : object, optional
            Successive changes with an equal gesture, such as one drag of a slider, become
            one step.
        **changes
            Fields of `LatentState` with their new values.
        """
        self.change(replace(self._state, latent=replace(self.latent, **changes)), text, gesture)

    def change(self, state: ExplorerState, text: str, gesture: object = None) -> None:
        """Change the whole state as one undoable step."""
        if state != self._state:
            self.undo_stack.push(Change(text, self._state, state, self._apply, gesture))

    def step(self, text: str) -> AbstractContextManager[None]:
        """Make one undoable step of all changes within."""
        return one_step(self.undo_stack, text)

    def take(self, latent: LatentState, text: str) -> None:
        """Show a stored latent state, as an undoable step."""
        first = latent.mixing[0] if latent.mixing else None
        mix_seed = self._state.mix_seed if first is None else first.seed
        amount = self._state.mix_amount if first is None else first.weight
        self.change(ExplorerState(latent, mix_seed, amount), text)

    def _apply(self, state: ExplorerState) -> None:
        self._state = state
        known = {_essence(direction) for direction in self.directions}
        used = [edit.direction for edit in state.latent.edits]
        missing = [direction for direction in used if _essence(direction) not in known]
        if missing:
            self.set_directions([*missing, *self.directions])
        self.state_changed.emit()

    # Seeds

    def lock_seed(self, locked: bool) -> None:
        """Keep the seed as it is, or let it change again."""
        self.seed_locked = locked
        self.lock_changed.emit()

    def set_seed(self, seed: int, text: str = "seed") -> None:
        """Show another seed, unless the seed is locked."""
        if not self.seed_locked:
            self.edit(text, seed=seed % (MAX_SEED + 1), w=None)

    def step_seed(self, step: int) -> None:
        """Show the seed `step` further on."""
        self.set_seed(self.latent.seed + step)

    def roll_seed(self) -> None:
        """Show a random seed."""
        self.set_seed(random_seed(), "random seed")

    def reset(self) -> None:
        """Show the plain volume of the present seed."""
        self.change(replace(self._state, latent=LatentState(self.latent.seed)), "reset")

    # Directions

    def set_directions(self, directions: list[Direction]) -> None:
        """Replace the list of directions; those in use stay in it, and none is there twice."""
        used = [edit.direction for edit in self.latent.edits]
        unique: dict[object, Direction] = {}
        for direction in [*directions, *used]:
            unique.setdefault(_essence(direction), direction)
        self.directions = list(unique.values())
        self.directions_changed.emit()

    def edit_directions(self, directions: list[Direction], text: str) -> None:
        """Replace the list of directions as one undoable step."""
        before = self.directions
        known = {_essence(direction) for direction in [*before, *directions]}

        def apply(wanted: list[Direction]) -> None:
            # What a search has found meanwhile is no part of this step, so it stays.
            found = [d for d in self.directions if _essence(d) not in known]
            self.set_directions([*wanted, *found])
            self.directions_edited.emit()

        self.undo_stack.push(Change(text, before, directions, apply))

    def rename_direction(self, direction: Direction, name: str) -> None:
        """Give a direction another name, as an undoable step."""
        named = replace(direction, name=name)
        if named == direction:
            return
        edits = tuple(
            replace(edit, direction=named) if _alike(edit.direction, direction) else edit
            for edit in self.latent.edits
        )
        text = f"rename “{direction.name}”"
        with self.step(text):
            self.edit(text, edits=edits)
            renamed = [named if _alike(d, direction) else d for d in self.directions]
            self.edit_directions(renamed, text)

    def remove_direction(self, direction: Direction) -> None:
        """Take a direction out of the state and out of the list, as an undoable step."""
        edits = tuple(e for e in self.latent.edits if not _alike(e.direction, direction))
        text = f"remove “{direction.name}”"
        with self.step(text):
            self.edit(text, edits=edits)
            kept = [d for d in self.directions if not _alike(d, direction)]
            self.edit_directions(kept, text)

    def find_edit(self, direction: Direction) -> Edit | None:
        """Return how far the state has moved along a direction, None if not at all."""
        return next((e for e in self.latent.edits if _alike(e.direction, direction)), None)

    def set_edit(
        self, direction: Direction, sigmas: float, blocks: tuple[int, int], gesture: object = None
    ) -> None:
        """Move along a direction in a range of blocks (0-based, inclusive)."""
        edits = _with_edit(self.latent.edits, Edit(direction, sigmas, *blocks))
        self.edit(f"“{direction.name}”", gesture, edits=edits)

    def moved(self, latent: LatentState, direction: Direction, sigmas: float) -> LatentState:
        """Return a latent state moved along a direction, in the blocks it acts on now."""
        edit = self.find_edit(direction)
        blocks = (
            (direction.first_block, direction.last_block)
            if edit is None
            else (edit.first_block, edit.last_block)
        )
        return replace(latent, edits=_with_edit(latent.edits, Edit(direction, sigmas, *blocks)))

    # Mixing

    def mixed_blocks(self) -> set[int]:
        """Return the blocks that take their style from the second parent."""
        return {mix.block for mix in self.latent.mixing}

    def set_mixing(
        self, blocks: set[int], seed: int, amount: float, text: str, gesture: object = None
    ) -> None:
        """Mix the style of a second seed into some blocks."""
        mixing = tuple(BlockMix(block, seed, amount) for block in sorted(blocks))
        latent = replace(self.latent, mixing=mixing)
        self.change(ExplorerState(latent, seed, amount), text, gesture)

    def swap_parents(self) -> None:
        """Exchange the two parents, keeping which blocks are mixed, unless the seed is locked."""
        if self.seed_locked:
            return
        state = self._state
        mixing = tuple(replace(mix, seed=state.latent.seed) for mix in state.latent.mixing)
        latent = replace(state.latent, seed=state.mix_seed, w=None, mixing=mixing)
        self.change(ExplorerState(latent, state.latent.seed, state.mix_amount), "swap parents")


def _essence(direction: Direction) -> object:
    """Return what decides a direction's effect: a renamed direction is still the same one."""
    return direction.digest, direction.space, direction.first_block, direction.last_block


def _alike(one: Direction, other: Direction) -> bool:
    return _essence(one) == _essence(other)


def _with_edit(edits: tuple[Edit, ...], new: Edit) -> tuple[Edit, ...]:
    """Return edits with a new one in the place of that of the same direction; none of 0 sigma."""
    changed = [new if _alike(edit.direction, new.direction) else edit for edit in edits]
    if new not in changed:
        changed.append(new)
    return tuple(edit for edit in changed if edit.sigmas)


def random_seed() -> int:
    """Return a seed nobody has chosen."""
    return randbelow(_RANDOM_SEEDS)
