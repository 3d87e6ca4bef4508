"""Feature extractors as commands name them."""

from collections.abc import Sequence
from pathlib import Path

from cowgan.errors import CowganError, require_choice
from cowgan.features.extractor import Extractor
from cowgan.features.extractors import EXTRACTORS, KnownExtractor, open_extractor

DISCRIMINATOR = KnownExtractor(
    "the volume, as a model's own discriminator does; for diagnosis",
    "in a training run of the preset modern or paper, or in a published model",
)
_OF_VOLUMES = ("efficientnet", "coarse-vessels", "medicalnet", "dinov2", "discriminator")


def open_chosen(choices: Sequence[str], folder: Path | None) -> list[Extractor]:
    """Return the extractors of some ``NAME`` or ``NAME=PATH``, of which the first decides.

    Parameters
    ----------
    choices : sequence of str
        The path is that of the weights, or of the discriminator's training run.
    folder : Path, optional
        See `open_fetched`.

    Raises
    ------
    CowganError
        No extractor of volumes has such a name, one cannot be opened, or a discriminator would
        decide.
    """
    chosen = [_parts_of(choice) for choice in choices]
    if chosen and chosen[0][0] == "discriminator":
        raise CowganError(
            "A discriminator must not decide how good volumes are, since they were made to please "
            "it; name another extractor first, such as efficientnet."
        )
    return [_open(name, path, folder) for name, path in chosen]


def _parts_of(choice: str) -> tuple[str, Path | None]:
    name, _, path = choice.partition("=")
    require_choice("extractor of volumes", name, _OF_VOLUMES)
    return name, Path(path) if path else None


def _open(name: str, path: Path | None, folder: Path | None) -> Extractor:
    if name != "discriminator":
        return open_fetched(name, folder) if path is None else open_extractor(name, path)
    if path is None:
        raise CowganError("Name the run of the discriminator: discriminator=RUN.")
    from cowgan.training.discriminator_features import DiscriminatorFeatures

    return DiscriminatorFeatures(path)


def open_fetched(name: str, folder: Path | None) -> Extractor:
    """Return an extractor with the weights of a folder, by default that of the user.

    Raises
    ------
    CowganError
        See `cowgan.features.extractors.open_extractor`.
    """
    weights = EXTRACTORS[name].weights
    if folder is None or isinstance(weights, str):
        return open_extractor(name)
    return open_extractor(name, folder / weights.name)
