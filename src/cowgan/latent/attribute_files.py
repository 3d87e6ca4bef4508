"""Files of measured volumes and of the directions that were fitted to them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cowgan.checkpoint import BUNDLED, Checkpoint
from cowgan.documents import checked, read_json
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.latent.attribute_models import AttributeSamples
from cowgan.latent.attributes import AttributeDirection
from cowgan.latent.model_stamp import ModelStamp

BUNDLED_ATTRIBUTES = BUNDLED.with_name("attributes.json")
"""The attributes of the bundled model."""

_SCHEMA = "cowgan.attributes/1"
_SAMPLES_SCHEMA = "cowgan.attribute-samples/1"
_LARGEST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class StoredAttributes:
    """Content of an attributes file.

    Attributes
    ----------
    directions : tuple of AttributeDirection
        In the stored order.
    samples : int
        Volumes that were measured for the fit.
    model : ModelStamp
        The model they belong to.
    """

    directions: tuple[AttributeDirection, ...]
    samples: int
    model: ModelStamp


def save_attributes(
    path: Path, directions: Sequence[AttributeDirection], samples: int, checkpoint: Checkpoint
) -> None:
    """Write the attribute directions of a model to a JSON file, atomically.

    Raises
    ------
    CowganError
        The name does not end in ``.json``, or the file cannot be written.
    """
    if Path(path).suffix != ".json":
        raise CowganError(f"An attributes file's name must end in .json, unlike {path.name}.")
    entries = [asdict(each) | {"direction": each.direction.to_dict()} for each in directions]
    write_json(
        path,
        {
            "schema": _SCHEMA,
            "checkpoint": asdict(ModelStamp.of(checkpoint)),
            "samples": samples,
            "attributes": entries,
        },
    )


def load_attributes(path: Path, checkpoint: Checkpoint) -> StoredAttributes:
    """Read the attribute directions of a model.

    Raises
    ------
    CowganError
        The file is missing, damaged, of another kind, or belongs to another model.
    """
    found = read_json(path, _File, _LARGEST_BYTES)
    if found.schema != _SCHEMA:
        raise CowganError(f"{path.name} is not an attributes file that this version can read.")
    if not found.checkpoint.fits(checkpoint):
        raise CowganError(
            f"The attributes in {path.name} belong to another model than {checkpoint.card.name}; "
            "fit them again with cowgan attributes.",
            f"{found.checkpoint.sha256} instead of {checkpoint.sha256}",
        )
    directions = tuple(
        checked(entry, AttributeDirection, f"An attribute in {path.name}")
        for entry in found.attributes
    )
    if any(
        each.direction.vector.size != checkpoint.config.latent_dim
        or each.direction.last_block >= checkpoint.config.n_blocks
        for each in directions
    ):
        raise CowganError(f"{path.name} is damaged: a direction does not fit its model.")
    return StoredAttributes(directions, found.samples, found.checkpoint)


def save_samples(path: Path, samples: AttributeSamples, recipe: Mapping[str, Any]) -> None:
    """Write measured volumes, atomically, with what they depend on."""
    values = {
        key: [None if math.isnan(value) else value for value in column.tolist()]
        for key, column in samples.values.items()
    }
    write_json(
        path,
        {
            "schema": _SAMPLES_SCHEMA,
            "recipe": dict(recipe),
            "seeds": list(samples.seeds),
            "values": values,
        },
    )


def load_samples(path: Path, recipe: Mapping[str, Any]) -> AttributeSamples | None:
    """Read measured volumes; None if there are none with this in their recipe, or damaged ones."""
    try:
        found = read_json(path, _Samples, _LARGEST_BYTES)
    except CowganError:
        return None
    lengths = {len(column) for column in found.values.values()}
    same = recipe.items() <= found.recipe.items()
    if found.schema != _SAMPLES_SCHEMA or not same or lengths != {len(found.seeds)}:
        return None
    return AttributeSamples(
        found.seeds,
        {
            key: np.array([np.nan if value is None else value for value in column])
            for key, column in found.values.items()
        },
    )


@dataclass(frozen=True)
class _File:
    schema: str
    checkpoint: ModelStamp
    samples: int
    attributes: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class _Samples:
    schema: str
    recipe: dict[str, Any]
    seeds: tuple[int, ...]
    values: dict[str, tuple[float | None, ...]]
