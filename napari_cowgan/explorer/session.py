"""Saving where one was, and coming back to it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cowgan import __version__
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.synthesis import BlockMix, LatentState
from napari_cowgan.explorer.favourites import Favourite

SCHEMA = "cowgan.session/1"
SUFFIX = ".cowgan.json"


@dataclass(frozen=True)
class Session:
    """What a session file holds.

    Attributes
    ----------
    checkpoint_path : str or None
        Where the model was; None for the model that comes with the program.
    checkpoint_sha256 : str or None
        SHA-256 of that file.
    checkpoint_name : str
        Name of the model, for messages.
    depth : int
        Its number of slices.
    latent : LatentState
        The shown volume.
    mix_seed, mix_amount
        The second parent.
    favourites : tuple of Favourite
        The strip.
    slots : dict
        The states kept as A and B.
    """

    checkpoint_path: str | None
    checkpoint_sha256: str | None
    checkpoint_name: str
    depth: int
    latent: LatentState
    mix_seed: int
    mix_amount: float
    favourites: tuple[Favourite, ...] = ()
    slots: dict[str, LatentState | None] = field(default_factory=dict)


def write_session(session: Session, path: Path) -> None:
    """Write a session file, atomically.

    Raises
    ------
    CowganError
        The file cannot be written.
    """
    write_json(
        path,
        {
            "schema": SCHEMA,
            "software": f"napari-cowgan {__version__}",
            "checkpoint": {
                "path": session.checkpoint_path,
                "sha256": session.checkpoint_sha256,
                "name": session.checkpoint_name,
                "depth": session.depth,
            },
            "latent": session.latent.to_dict(),
            "mix_seed": session.mix_seed,
            "mix_amount": session.mix_amount,
            "favourites": [favourite.to_dict() for favourite in session.favourites],
            "slots": {
                name: None if state is None else state.to_dict()
                for name, state in session.slots.items()
            },
        },
    )


def read_session(path: Path) -> Session:
    """Read a session file.

    Raises
    ------
    CowganError
        The file is missing, damaged, of another kind or from a newer version.
    """
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CowganError(f"{path} could not be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise CowganError(f"{path.name} is not a session file.", str(error)) from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise CowganError(f"{path.name} is not a session that this version can open.")
    try:
        checkpoint = content["checkpoint"]
        path_of_model = checkpoint["path"]
        second = BlockMix(0, content["mix_seed"], float(content["mix_amount"]))
        LatentState(mixing=(second,))  # refuses impossible values
        return Session(
            checkpoint_path=None if path_of_model is None else str(path_of_model),
            checkpoint_sha256=checkpoint["sha256"],
            checkpoint_name=str(checkpoint["name"]),
            depth=int(checkpoint["depth"]),
            latent=LatentState.from_dict(content["latent"]),
            mix_seed=second.seed,
            mix_amount=second.weight,
            favourites=tuple(Favourite.from_dict(entry) for entry in content["favourites"]),
            slots={
                name: None
                if content["slots"].get(name) is None
                else LatentState.from_dict(content["slots"][name])
                for name in ("A", "B")
            },
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, CowganError) as error:
        raise CowganError(f"The session in {path.name} is damaged.", repr(error)) from error
