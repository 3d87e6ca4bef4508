"""State of the explorer: model, latent state, directions and undo history."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from secrets import randbelow
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtGui import QUndoStack

from cowgan.checkpoint import Checkpoint
from cowgan.latent.direction_effects import DirectionEffects, has_technical_name
from cowgan.latent.tuning import Tuning
from cowgan.randomness import MAX_SEED
from cowgan.synthesis import BlockMix, Direction, Edit, LatentState, Synthesizer
from napari_cowgan.explorer.undo import Change, one_step

_RANDOM_SEEDS = 2**32
"""Random seeds stay below this, so that they are easy to read out and type."""


@dataclass(frozen=True)
class ExplorerState:
    """The state that undo restores.

    Attributes
    ----------
    latent : LatentState
        The shown volume.
    mix_seed : int
        Seed of the second parent, remembered while no block is mixed.
    mix_amount : float
        Share of the second parent's style in mixed blocks.
    tuning : Tuning or None
        Changes of the model's weights for a scan, which stay when another latent is shown.
    """

    latent: LatentState = field(default_factory=LatentState)
    mix_seed: int = 1
    mix_amount: float = 1.0
    tuning: Tuning | None = None


class ExplorerModel(QObject):
    """The state of an explorer, without widgets.

    Signals
    -------
    model_changed
        Another checkpoint, device or precision is in use.
    state_changed
        The state changed, through a control, undo or a session.
    directions_changed
        The list of directions changed.
    directions_edited
        The user changed that list, or undid such a change.
    effects_changed
        What directions change was measured, or read.
    lock_changed
        The seed was locked or unlocked.

    Attributes
    ----------
    directions : list of Direction
        Those in the list of directions.
    attributes : list of Direction
        Those of measured attributes, which have sliders of their own.
    effects : tuple of DirectionEffects
        What directions change, by which they are named.
    """

    model_changed = Signal()
    state_changed = Signal()
    directions_changed = Signal()
    directions_edited = Signal()
    effects_changed = Signal()
    lock_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(1000)
        self.seed_locked = False
        self.directions: list[Direction] = []
        self.attributes: list[Direction] = []
        self.effects: tuple[DirectionEffects, ...] = ()
        self._synthesizer: Synthesizer | None = None
        self._tuned: Synthesizer | None = None
        self._state = ExplorerState()

    @property
    def synthesizer(self) -> Synthesizer | None:
        """The synthesizer of the open model, tuned as the state says; None before one is open."""
        return self._synthesizer if self._tuned is None else self._tuned

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The open model, never tuned; None before one is open."""
        return None if self._synthesizer is None else self._synthesizer.checkpoint

    @property
    def n_blocks(self) -> int:
        """Number of blocks of the open model; 0 before one is open."""
        return 0 if self.checkpoint is None else self.checkpoint.config.n_blocks

    @property
    def state(self) -> ExplorerState:
        """The complete state."""
        return self._state

    @property
    def latent(self) -> LatentState:
        """The shown latent state."""
        return self._state.latent

    def use(self, synthesizer: Synthesizer) -> None:
        """Switch to a model; drop what belongs to the latent space of another one."""
        before = self.checkpoint
        self._synthesizer = synthesizer
        if synthesizer.checkpoint is not before:
            old = self.latent
            kept = LatentState(
                old.seed,
                psi=old.psi,
                centre=old.centre,
                noise=old.noise,
                noise_seed=old.noise_seed,
            )
            self.undo_stack.clear()
            self.directions, self.attributes, self.effects = [], [], ()
            self._state = replace(self._state, latent=kept, tuning=None)
            self._tune()
            # Before the model's own directions arrive, so that they are shown only once.
            self.directions_changed.emit()
            self.model_changed.emit()
            self.state_changed.emit()
        else:
            self._tune()
            self.model_changed.emit()

    def _tune(self) -> None:
        """Make the synthesizer that the tuning of the state asks for."""
        plain, tuning = self._synthesizer, self._state.tuning
        self._tuned = None
        if plain is not None and tuning is not None:
            tuned = tuning.tuned(plain.checkpoint)
            self._tuned = Synthesizer(tuned, str(plain.device), plain.precision)

    def edit(self, text: str, gesture: object = None, **changes: Any) -> None:
        """Change fields of the latent state as one undoable step.

        Parameters
        ----------
        text : str
            Name of the step in the undo history.
        gesture : object, optional
            Successive changes with an equal gesture, such as one drag of a slider, become
            one step.
        **changes
            Fields of `LatentState` with their new values.
        """
        self.change(replace(self._state, latent=replace(self.latent, **changes)), text, gesture)

    def change(self, state: ExplorerState, text: str, gesture: object = None) -> None:
        """Change the complete state as one undoable step."""
        if state != self._state:
            self.undo_stack.push(Change(text, self._state, state, self.restore, gesture))

    def step(self, text: str) -> AbstractContextManager[None]:
        """Group all changes within into one undoable step."""
        return one_step(self.undo_stack, text)

    def take(self, latent: LatentState, text: str) -> None:
        """Show a stored latent state, as an undoable step."""
        first = latent.mixing[0] if latent.mixing else None
        mix_seed = self._state.mix_seed if first is None else first.seed
        amount = self._state.mix_amount if first is None else first.weight
        self.change(replace(self._state, latent=latent, mix_seed=mix_seed, mix_amount=amount), text)

    def take_tuned(self, latent: LatentState, tuning: Tuning | None, text: str) -> None:
        """Show a latent state with a tuning, or with the model as it is, as an undoable step."""
        with self.step(text):
            self.take(latent, text)
            self.set_tuning(tuning, text)

    def set_tuning(self, tuning: Tuning | None, text: str) -> None:
        """Use changed weights, or those of the model, as an undoable step.

        Raises
        ------
        CowganError
            The tuning belongs to another model.
        """
        if tuning is not None and self.checkpoint is not None:
            tuning.tuned(self.checkpoint)
        self.change(replace(self._state, tuning=tuning), text)

    def restore(self, state: ExplorerState) -> None:
        """Set the complete state; the caller keeps it undoable."""
        before, self._state = self._state, state
        if state.tuning is not before.tuning:
            self._tune()
            self.model_changed.emit()
        known = {_identity(direction) for direction in [*self.directions, *self.attributes]}
        used = [edit.direction for edit in state.latent.edits]
        missing = [direction for direction in used if _identity(direction) not in known]
        if missing:
            self.set_directions([*missing, *self.directions])
        self.state_changed.emit()

    # Seeds

    def lock_seed(self, locked: bool) -> None:
        """Lock or unlock the seed."""
        self.seed_locked = locked
        self.lock_changed.emit()

    def set_seed(self, seed: int, text: str = "seed") -> None:
        """Show another seed, unless the seed is locked."""
        if not self.seed_locked:
            latent = self.latent.with_seed(seed % (MAX_SEED + 1))
            self.change(replace(self._state, latent=latent), text)

    def show_unedited(self, latent: LatentState, text: str, gesture: object = None) -> None:
        """Show an unedited volume in place of this one, unless the seed is locked."""
        if not self.seed_locked:
            self.change(replace(self._state, latent=latent), text, gesture)

    def step_seed(self, step: int) -> None:
        """Show the seed `step` ahead of the current one."""
        self.set_seed(self.latent.seed + step)

    def roll_seed(self) -> None:
        """Show a random seed."""
        self.set_seed(random_seed(), "random seed")

    def reset(self) -> None:
        """Show the unedited volume of the current seed."""
        self.change(replace(self._state, latent=LatentState(self.latent.seed)), "reset")

    # Directions

    def set_directions(self, directions: list[Direction]) -> None:
        """Replace the list of directions, without duplicates; those in use are kept."""
        attributes = {_identity(direction) for direction in self.attributes}
        used = [e.direction for e in self.latent.edits if _identity(e.direction) not in attributes]
        unique: dict[object, Direction] = {}
        for direction in [*directions, *used]:
            unique.setdefault(_identity(direction), direction)
        self.directions = list(unique.values())
        self.directions_changed.emit()

    def edit_directions(self, directions: list[Direction], text: str) -> None:
        """Replace the list of directions as one undoable step."""
        before = self.directions
        known = {_identity(direction) for direction in [*before, *directions]}

        def apply(wanted: list[Direction]) -> None:
            # Directions that a search has found meanwhile are not part of this step.
            found = [d for d in self.directions if _identity(d) not in known]
            self.set_directions([*wanted, *found])
            self.directions_edited.emit()

        self.undo_stack.push(Change(text, before, directions, apply))

    def rename_direction(self, direction: Direction, name: str) -> None:
        """Rename a direction, as an undoable step."""
        named = replace(direction, name=name)
        if named == direction:
            return
        edits = tuple(
            replace(edit, direction=named) if same_direction(edit.direction, direction) else edit
            for edit in self.latent.edits
        )
        text = f"rename “{self.title(direction, self.blocks(direction))}”"
        with self.step(text):
            self.edit(text, edits=edits)
            renamed = [named if same_direction(d, direction) else d for d in self.directions]
            self.edit_directions(renamed, text)

    def remove_direction(self, direction: Direction) -> None:
        """Remove a direction from the state and the list, as an undoable step."""
        edits = tuple(e for e in self.latent.edits if not same_direction(e.direction, direction))
        text = f"remove “{self.title(direction, self.blocks(direction))}”"
        with self.step(text):
            self.edit(text, edits=edits)
            kept = [d for d in self.directions if not same_direction(d, direction)]
            self.edit_directions(kept, text)

    def set_effects(self, effects: tuple[DirectionEffects, ...]) -> None:
        """Use what was measured of directions."""
        self.effects = effects
        self.effects_changed.emit()

    def effects_of(self, direction: Direction, blocks: tuple[int, int]) -> DirectionEffects | None:
        """Return what a direction changes in these blocks; None if that was not measured."""
        return next((e for e in self.effects if e.belong_to(direction, blocks)), None)

    def title(self, direction: Direction, blocks: tuple[int, int]) -> str:
        """Return what to call a direction: the user's name, else what it changes most."""
        effects = self.effects_of(direction, blocks)
        if effects is None or not effects.found or not has_technical_name(direction):
            return direction.name
        return effects.found[0].text()

    def blocks(self, direction: Direction) -> tuple[int, int]:
        """Return the blocks that a direction currently acts on."""
        acting = self.find_edit(direction) or direction
        return acting.first_block, acting.last_block

    def find_edit(self, direction: Direction) -> Edit | None:
        """Return the edit along a direction; None if there is none."""
        return next((e for e in self.latent.edits if same_direction(e.direction, direction)), None)

    def set_edit(
        self, direction: Direction, sigmas: float, blocks: tuple[int, int], gesture: object = None
    ) -> None:
        """Move along a direction in a range of blocks (0-based, inclusive)."""
        edits = with_edit(self.latent.edits, Edit(direction, sigmas, *blocks))
        self.edit(f"“{self.title(direction, blocks)}”", gesture, edits=edits)

    def moved(self, latent: LatentState, direction: Direction, sigmas: float) -> LatentState:
        """Return a latent state moved along a direction, in the blocks it currently acts on."""
        moved = Edit(direction, sigmas, *self.blocks(direction))
        return replace(latent, edits=with_edit(latent.edits, moved))

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
        state = replace(self._state, latent=latent, mix_seed=seed, mix_amount=amount)
        self.change(state, text, gesture)

    def swap_parents(self) -> None:
        """Swap the two parents but not which blocks are mixed, unless the seed is locked."""
        if self.seed_locked:
            return
        state = self._state
        mixing = tuple(replace(mix, seed=state.latent.seed) for mix in state.latent.mixing)
        latent = replace(state.latent.with_seed(state.mix_seed), mixing=mixing)
        swapped = replace(state, latent=latent, mix_seed=state.latent.seed)
        self.change(swapped, "swap parents")


def _identity(direction: Direction) -> object:
    """Return what identifies a direction: a renamed direction is still the same one."""
    return direction.digest, direction.space, direction.first_block, direction.last_block


def same_direction(one: Direction, other: Direction) -> bool:
    """Return whether two directions are the same one, whatever their names."""
    return _identity(one) == _identity(other)


def with_edit(edits: tuple[Edit, ...], new: Edit) -> tuple[Edit, ...]:
    """Return edits in which a new one replaces that of its direction, without those of 0 sigma."""
    changed = [new if same_direction(edit.direction, new.direction) else edit for edit in edits]
    if new not in changed:
        changed.append(new)
    return tuple(edit for edit in changed if edit.sigmas)


def random_seed() -> int:
    """Return a random seed."""
    return randbelow(_RANDOM_SEEDS)
