"""Features of sets of volumes, kept on disk so that no volume is described twice."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from cowgan.errors import CowganError
from cowgan.features.extractor import Extractor, Recipe
from cowgan.files import atomic_path, open_regular, write_json
from cowgan.pool import map_in_order
from cowgan.progress import Progress, Silent, advance
from cowgan.text import dimensions
from cowgan.volume.volume_set import VolumeSet

_VOLUMES_PER_PART = 32


@dataclass(frozen=True, eq=False)
class FeatureBank:
    """The features of a set of volumes.

    Parameters
    ----------
    recipe : Recipe
        What the features are.
    title : str
        What the set is.
    names, subjects : sequence of str
        Of each volume.
    features : ndarray, shape (n, rows, dimensions)
        `rows` is 1 unless the extractor describes slices.
    """

    recipe: Recipe
    title: str
    names: Sequence[str]
    subjects: Sequence[str]
    features: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.features)

    def of(self, indices: Sequence[int] | NDArray[np.intp]) -> "FeatureBank":
        """Return the features of some of the volumes."""
        names, subjects = ([of[i] for i in indices] for of in (self.names, self.subjects))
        return FeatureBank(self.recipe, self.title, names, subjects, self.features[indices])

    @property
    def rows(self) -> NDArray[np.float32]:
        """All rows of all volumes, shape (n * rows, dimensions)."""
        return self.features.reshape(-1, self.features.shape[-1])


def extract_features(
    volumes: VolumeSet,
    extractor: Extractor,
    cache: Path | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> FeatureBank:
    """Return the features of all volumes, and keep them.

    Parameters
    ----------
    volumes : VolumeSet
        What to describe.
    extractor : Extractor
        How to describe it.
    cache : Path, optional
        Folder of features found earlier, here or for other sets; those of volumes that it lacks
        are added as they are found, so that an interrupted extraction is resumed.
    jobs : int
        Number of processes.
    progress : Progress, optional
        Told of each volume.

    Raises
    ------
    CowganError
        A volume cannot be read or described, or the features cannot be kept.
    Cancelled
        The user cancelled; what was found is kept.
    """
    progress = progress or Silent()
    contents = [volumes.content(index) for index in range(len(volumes.names))]
    store = None if cache is None else FeatureStore(cache, extractor)
    known = {} if store is None else store.read(contents)
    # Copies of a file are described once.
    missing = {content: i for i, content in enumerate(contents) if content not in known}
    fresh: dict[str, NDArray[np.float32]] = {}
    first: tuple[str, NDArray[np.float32]] | None = None
    try:
        found = map_in_order(partial(_describe, volumes, extractor), list(missing.values()), jobs)
        for (content, index), features in zip(missing.items(), found, strict=True):
            first = first or (volumes.names[index], features)
            _require_same_shape((volumes.names[index], features), first)
            known[content] = fresh[content] = features
            if store is not None and len(fresh) == _VOLUMES_PER_PART:
                store.add(fresh)
                fresh = {}
            advance(progress, len(known), len(set(contents)), volumes.names[index])
    finally:
        if store is not None and fresh:
            store.add(fresh)
    return FeatureBank(
        extractor.recipe,
        volumes.title,
        volumes.names,
        volumes.subjects,
        _stacked([known[content] for content in contents], volumes.names),
    )


class FeatureStore:
    """A folder of features by volume, for one extractor.

    Several processes may add to it.

    Parameters
    ----------
    folder : Path
        Shared by all extractors; made when something is added.
    extractor : Extractor
        Whose features to keep.
    """

    def __init__(self, folder: Path, extractor: Extractor) -> None:
        self._recipe = extractor.recipe
        self._dimensions = extractor.dimensions
        self.folder = Path(folder) / self._recipe.sha256[:16]

    def read(self, contents: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the features that are known of these volumes, by content.

        Damaged files count as missing.
        """
        wanted = set(contents)
        return {
            content: features
            for path in sorted(self.folder.glob("[!.]*.npz"))
            for content, features in self._in_part(path)
            if content in wanted
        }

    def add(self, features: dict[str, NDArray[np.float32]]) -> None:
        """Keep features by content.

        Raises
        ------
        CowganError
            They cannot be written.
        """
        name = sha256("".join(sorted(features)).encode()).hexdigest()[:16]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(self.folder / "recipe.json", asdict(self._recipe))
            with atomic_path(self.folder / f"{name}.npz") as part, part.open("wb") as file:
                np.savez_compressed(
                    file,
                    contents=np.array(list(features), "S"),
                    features=np.stack(list(features.values())),
                )
        except OSError as error:
            raise CowganError(
                f"Features could not be kept in {self.folder}: {error.strerror or error}.",
                repr(error),
            ) from error

    def _in_part(self, path: Path) -> Iterator[tuple[str, NDArray[np.float32]]]:
        try:
            with open_regular(path) as file, np.load(file, allow_pickle=False) as part:
                contents, features = part["contents"], part["features"]
            names = [content.decode("ascii") for content in contents]
        except (OSError, EOFError, KeyError, ValueError, AttributeError, BadZipFile, CowganError):
            return
        if features.ndim == 3 and features.shape[::2] == (len(names), self._dimensions):
            yield from zip(names, features, strict=True)


def default_cache() -> Path:
    """Return the user's folder of features."""
    return user_cache_path("napari-cowgan", appauthor=False) / "features"


def _describe(volumes: VolumeSet, extractor: Extractor, index: int) -> NDArray[np.float32]:
    name = volumes.names[index]
    volume = volumes.volume(index)
    try:
        features = np.asarray(extractor(volume), np.float32)
    except CowganError as error:
        raise CowganError(f"Volume {name}: {error.sentence}", error.detail) from error
    if not np.isfinite(features).all():
        raise CowganError(f"The features of {name} by {extractor.recipe.name} are not finite.")
    return features


def _stacked(features: Sequence[NDArray[np.float32]], names: Sequence[str]) -> NDArray[np.float32]:
    named = list(zip(names, features, strict=True))
    for one in named:
        _require_same_shape(one, named[0])
    return np.stack(features)


def _require_same_shape(
    one: tuple[str, NDArray[np.float32]], first: tuple[str, NDArray[np.float32]]
) -> None:
    (name, features), (first_name, expected) = one, first
    if features.shape != expected.shape:
        raise CowganError(
            f"The volumes {name} and {first_name} differ in shape, and so in features "
            f"({dimensions(features.shape)} and {dimensions(expected.shape)}); bring all volumes "
            "to one grid with cowgan preprocess."
        )
