"""Lines that a coordinator publishes, so that what was decided and collected cannot change."""

from collections.abc import Sequence

from cowgan.turing.study.collection import ReaderProgress
from cowgan.turing.study.study import Study
from cowgan.turing.study.unblinding import collection_sha256


def frozen_line(study: Study) -> str:
    """Return what to publish once a study is frozen, before anybody reads."""
    day = study.description["frozen"]["utc"][:10]
    return f"Visual Turing test {study.key.study}, frozen on {day}, SHA-256 {study.sha256}"


def collected_line(study: Study, readers: Sequence[ReaderProgress]) -> str:
    """Return what to publish once all answers are there, before the study is unblinded.

    Parameters
    ----------
    study : Study
        Frozen.
    readers : sequence of ReaderProgress
        All of them.
    """
    finished = sum(reader.state == "finished" for reader in readers)
    return (
        f"Visual Turing test {study.key.study}, {finished} of {len(readers)} readers finished, "
        f"SHA-256 {collection_sha256(study)}"
    )
