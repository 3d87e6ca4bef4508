"""Session files of the explorer."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cowgan import __version__
from cowgan.documents import checked, read_json
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.latent.drag_plan import DragPlan
from cowgan.latent.movie_files import movie_document, stored_movie
from cowgan.latent.movies import Movie
from cowgan.synthesis import BlockMix, LatentState
from napari_cowgan.explorer.favourites import Favourite

SCHEMA = "cowgan.session/1"
SUFFIX = ".cowgan.json"


@dataclass(frozen=True)
class ExplorerSession:
    """The content of a session file.

    Attributes
    ----------
    checkpoint_path : str or None
        Path of the model; None for the bundled model.
    checkpoint_sha256 : str or None
        SHA-256 of that file.
    checkpoint_name : str
        Name of the model, for messages.
    depth : int
        Number of slices of the model.
    latent : LatentState
        The shown volume.
    mix_seed : int
        Seed of the second parent.
    mix_amount : float
        Share of its style in mixed blocks.
    favourites : tuple of Favourite
        Favourites of the model.
    slots : dict
        The states kept as A and B.
    movie : Movie or None
        The key frames and their movie; None if there are none.
    plan : DragPlan
        Pulls on vessels, and what should stay.
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
    movie: Movie | None = None
    plan: DragPlan = field(default_factory=DragPlan)


def write_session(session: ExplorerSession, path: Path) -> None:
    """Write a session file atomically.

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
            # Left out where there are none, as before sessions had them.
            **({} if session.movie is None else {"movie": movie_document(session.movie)}),
            **({} if session.plan == DragPlan() else {"drag": session.plan.to_dict()}),
        },
    )


def read_session(path: Path) -> ExplorerSession:
    """Read a session file.

    Raises
    ------
    CowganError
        The file is missing, damaged, of another kind or from a newer version.
    """
    content = read_json(path, dict[str, Any])
    if content.get("schema") != SCHEMA:
        raise CowganError(f"{path.name} is not a session that this version can open.")
    stored = checked({"movie": None, "drag": None} | content, _Stored, str(path))
    slots = {name: stored.slots.get(name) for name in ("A", "B")}
    try:
        second = BlockMix(0, stored.mix_seed, stored.mix_amount)
        LatentState(mixing=(second,))  # raises for impossible values
        return ExplorerSession(
            stored.checkpoint.path,
            stored.checkpoint.sha256,
            stored.checkpoint.name,
            stored.checkpoint.depth,
            LatentState.from_dict(stored.latent),
            second.seed,
            second.weight,
            tuple(map(Favourite.from_dict, stored.favourites)),
            {
                name: None if state is None else LatentState.from_dict(state)
                for name, state in slots.items()
            },
            None if stored.movie is None else stored_movie(stored.movie, path),
            DragPlan() if stored.drag is None else DragPlan.from_dict(stored.drag),
        )
    except CowganError as error:
        raise CowganError(f"The session in {path.name} is damaged.", str(error)) from error


@dataclass(frozen=True)
class _Model:
    path: str | None
    sha256: str | None
    name: str
    depth: int


@dataclass(frozen=True)
class _Stored:
    schema: str
    software: str
    checkpoint: _Model
    latent: dict[str, Any]
    mix_seed: int
    mix_amount: float
    favourites: tuple[dict[str, Any], ...]
    slots: dict[str, dict[str, Any] | None]
    movie: dict[str, Any] | None
    drag: dict[str, Any] | None
