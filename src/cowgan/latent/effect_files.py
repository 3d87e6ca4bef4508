"""Files of what directions change."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cowgan.checkpoint import BUNDLED, Checkpoint
from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.latent.direction_effects import DirectionEffects
from cowgan.latent.model_stamp import ModelStamp
from cowgan.measure.vessel_attributes import VESSEL_ATTRIBUTES

BUNDLED_EFFECTS = BUNDLED.with_name("direction_effects.json")
"""What the bundled directions change."""

_SCHEMA = "cowgan.direction-effects/1"
_LARGEST_BYTES = 16 * 2**20
_KEYS = {each.key for each in VESSEL_ATTRIBUTES}


def save_effects(path: Path, effects: Sequence[DirectionEffects], checkpoint: Checkpoint) -> None:
    """Write what directions of a model change to a JSON file, atomically.

    Raises
    ------
    CowganError
        The file cannot be written.
    """
    write_json(
        path,
        {
            "schema": _SCHEMA,
            "checkpoint": asdict(ModelStamp.of(checkpoint)),
            "directions": [asdict(each) for each in effects],
        },
    )


def load_effects(path: Path, checkpoint: Checkpoint) -> tuple[DirectionEffects, ...]:
    """Read what directions of a model change.

    Raises
    ------
    CowganError
        The file is missing, damaged, of another kind, or belongs to another model.
    """
    found = read_json(path, _File, _LARGEST_BYTES)
    if found.schema != _SCHEMA:
        raise CowganError(f"{path.name} is not an effects file that this version can read.")
    if not found.checkpoint.fits(checkpoint):
        raise CowganError(
            f"The effects in {path.name} belong to another model than {checkpoint.card.name}.",
            f"{found.checkpoint.sha256} instead of {checkpoint.sha256}",
        )
    if any(e.attribute not in _KEYS for each in found.directions for e in each.effects):
        raise CowganError(f"{path.name} is damaged: it names an attribute that does not exist.")
    return found.directions


@dataclass(frozen=True)
class _File:
    schema: str
    checkpoint: ModelStamp
    directions: tuple[DirectionEffects, ...]
