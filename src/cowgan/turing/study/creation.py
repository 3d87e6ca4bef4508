"""Making a study: volumes from both sources, processed alike, into packages and a key."""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cowgan._version import __version__
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.folders import folder_in_the_making, refuse_existing
from cowgan.progress import Progress, Silent, advance
from cowgan.text import dimensions
from cowgan.turing.design.processing import SPACING_TOLERANCE, dithered, rounded, scale
from cowgan.turing.design.protocol import Protocol
from cowgan.turing.design.randomisation import Randomisation
from cowgan.turing.design.sources import Sourced, StudySource
from cowgan.turing.design.trials import Trial, reader_name
from cowgan.turing.design.truth_key import (
    Key,
    KeyCase,
    Role,
    commitment,
    new_salt,
    write_key,
)
from cowgan.turing.reading.manifest import Display, Manifest, VolumeEntry
from cowgan.turing.reading.package import FOLDERS, PACKAGES, volume_bytes, write_package
from cowgan.turing.reading.start_files import start_files
from cowgan.turing.study.study import PARTICIPANTS_FILE, SCHEMA, STUDY_FILE, Study

_SPACING_DECIMALS = 6
_PARTICIPANT_COLUMNS = ("participant_id", "specialty", "years", "board", "exposure", "consent")


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A volume as readers will see it, and hashes of what it was before the dither."""

    case: KeyCase
    name: str
    voxels: NDArray[np.uint16]
    bytes: int
    sha256: str
    plain_sha256: str
    mirrored_sha256: str


def new_study(
    target: Path,
    real: StudySource,
    generated: StudySource,
    protocol: Protocol,
    progress: Progress | None = None,
    accept_leak: str | None = None,
) -> Study:
    """Make a study, audit it, and freeze it if it is blinded.

    Parameters
    ----------
    target : Path
        The coordinator's folder; it appears when everything is finished.
    real, generated : StudySource
        Supply the volumes, all of one size and voxel size.
    protocol : Protocol
        Every choice.
    progress : Progress, optional
        Called after every volume and package.
    accept_leak : str, optional
        Why it is to be frozen even if the audit finds leaks.

    Returns
    -------
    Study
        Whole, but not yet frozen if there are leaks and no reason to accept them.

    Raises
    ------
    CowganError
        The target exists or cannot be written, a source has too few volumes, a volume is
        unreadable, comes twice or does not fit the others, or there is no order of trials
        as asked for. Nothing is left behind.
    Cancelled
        The user cancelled; no files are left behind.
    """
    target, progress = Path(target), progress or Silent()
    refuse_existing(target)
    salt = new_salt()
    randomisation = Randomisation(salt, protocol)
    readers = [reader_name(number) for number in range(1, protocol.readers + 1)]
    roles = randomisation.roles()
    trials = {reader: randomisation.trials(reader) for reader in readers}
    # Every volume is prepared once and audited once.
    total = 2 * len(roles) + len(readers)
    advance(progress, 0, total)
    prepared: list[_Prepared] = []
    first: Sourced | None = None
    for role, sourced in _supply(roles, real, generated, randomisation):
        first = first or sourced
        _refuse_misfit(sourced, first)
        prepared.append(_prepare(role, sourced, protocol, randomisation.dither(role)))
        _refuse_twice(prepared)
        advance(progress, len(prepared), total, sourced.name)
    assert first is not None
    voxels = {one.case.name: one.voxels for one in prepared}
    names = {reader: _random_names([role.name for role in roles]) for reader in readers}
    study_name = secrets.token_hex(4)
    key = Key(study_name, protocol, tuple(one.case for one in prepared), names)
    committed = commitment(salt, key.to_bytes())
    now = datetime.now(UTC)
    packages: dict[str, str] = {}
    needed_bytes = len(readers) * sum(one.nbytes + 1024 for one in voxels.values())
    with folder_in_the_making(target, needed_bytes) as folder:
        write_key(folder, key.to_bytes(), salt)
        (folder / PACKAGES).mkdir()
        for done, reader in enumerate(readers, 1):
            manifest = _manifest(
                reader,
                key,
                committed,
                now.date().isoformat(),
                trials[reader],
                prepared,
                first.volume.spacing_mm,
            )
            write_package(folder / PACKAGES / reader, manifest, _lookup(voxels, names[reader]))
            packages[reader] = manifest.contents_sha256
            advance(progress, len(roles) + done, total, reader)
        _write_participants(folder / PARTICIPANTS_FILE, readers)
        write_json(
            folder / STUDY_FILE,
            {
                "schema": SCHEMA,
                "study": study_name,
                "created": now.isoformat(timespec="seconds"),
                "software": {"napari-cowgan": __version__, "numpy": np.__version__},
                "protocol": protocol.to_dict(),
                "sources": {"real": real.describe(), "generated": generated.describe()},
                "key_commitment": committed,
                "packages": packages,
                "frozen": None,
            },
        )
        study = Study.open(folder)
        if not study.check(_Part(progress, total - len(roles), total)).leaks or accept_leak:
            study.freeze(accept_leak)
    return Study.open(target)


class _Part:
    """The last part of a longer job."""

    def __init__(self, progress: Progress, before: int, total: int) -> None:
        self._progress, self._before, self._total = progress, before, total

    @property
    def cancelled(self) -> bool:
        return self._progress.cancelled

    def report(self, done: int, total: int, message: str = "") -> None:
        self._progress.report(self._before + done, self._total, message)


def _supply(
    roles: Sequence[Role], real: StudySource, generated: StudySource, randomisation: Randomisation
) -> Iterator[tuple[Role, Sourced]]:
    """Yield the volume of each role; a source that has too few is refused before any is read."""
    half = len(roles) // 2
    reals = real.volumes(half, randomisation.real())
    generateds = generated.volumes(half, randomisation.generated())
    yield from zip(roles, chain(reals, generateds), strict=True)


def _prepare(
    role: Role, sourced: Sourced, protocol: Protocol, random: np.random.RandomState
) -> _Prepared:
    n_levels = protocol.grey_levels
    try:
        grey = scale(sourced.volume.data, protocol.crop, protocol.percentiles, n_levels)
    except CowganError as error:
        raise CowganError(f"{sourced.name}: {error.sentence}", error.detail) from error
    plain, voxels = rounded(grey), dithered(grey, n_levels, random)
    case = KeyCase(**vars(role), origin=sourced.origin, voxels_sha256=_sha256(voxels))
    content = volume_bytes(voxels)
    return _Prepared(
        case,
        sourced.name,
        voxels,
        len(content),
        sha256(content).hexdigest(),
        _sha256(plain),
        _sha256(plain[:, ::-1]),
    )


def _refuse_misfit(sourced: Sourced, first: Sourced) -> None:
    volume, other = sourced.volume, first.volume
    if volume.shape != other.shape:
        raise CowganError(
            f"All volumes of a study need the same size, but {sourced.name} has "
            f"{dimensions(volume.shape)} voxels (z, x, y) and {first.name} has "
            f"{dimensions(other.shape)}; `cowgan preprocess` brings scans to one size."
        )
    if not np.allclose(volume.spacing_mm, other.spacing_mm, rtol=SPACING_TOLERANCE, atol=0):
        own_mm, other_mm = (dimensions(one.spacing_mm, ".6g") for one in (volume, other))
        raise CowganError(
            f"All volumes of a study need the same voxel size, but that of {sourced.name} is "
            f"{own_mm} mm (z, x, y) and that of {first.name} {other_mm} mm; `cowgan preprocess` "
            "brings scans to one."
        )


def _refuse_twice(prepared: Sequence[_Prepared]) -> None:
    """Compare the newest volume with all before it, mirrored too."""
    *others, newest = prepared
    seen = {newest.plain_sha256, newest.mirrored_sha256}
    for other in others:
        if other.plain_sha256 in seen:
            raise CowganError(
                f"{newest.name} and {other.name} are the same volume, perhaps mirrored."
            )


def _lookup(
    voxels: Mapping[str, NDArray[np.uint16]], names: Mapping[str, str]
) -> Callable[[str], NDArray[np.uint16]]:
    return lambda shown: voxels[names[shown]]


def _random_names(cases: Sequence[str]) -> dict[str, str]:
    """Return the case behind each of as many random names, sorted by these."""
    names: set[str] = set()
    while len(names) < len(cases):
        names.add(secrets.token_hex(4))
    return dict(zip(sorted(names), secrets.SystemRandom().sample(cases, len(cases)), strict=True))


def _manifest(
    reader: str,
    key: Key,
    committed: str,
    day: str,
    trials: Sequence[Trial],
    prepared: Sequence[_Prepared],
    spacing_mm: tuple[float, float, float],
) -> Manifest:
    cases = key.readers[reader]
    shown = {case: name for name, case in cases.items()}
    by_case = {one.case.name: one for one in prepared}
    nz, nx, ny = prepared[0].voxels.shape
    # NIfTI rounds it to single precision.
    sz, sx, sy = (round(mm, _SPACING_DECIMALS) for mm in spacing_mm)
    volumes = {}
    for name, case in cases.items():
        one = by_case[case]
        file = f"{FOLDERS[one.case.phase]}/{name}.npy"
        volumes[name] = VolumeEntry(file, one.bytes, one.sha256)
    return Manifest(
        key.study,
        reader,
        f"napari-cowgan {__version__}",
        day,
        "",
        committed,
        key.protocol.rules,
        Display((nz, nx, ny), (sz, sx, sy), (0, key.protocol.grey_levels - 1), nz // 2),
        tuple(replace(trial, cases=tuple(shown[case] for case in trial.cases)) for trial in trials),
        volumes,
        {name: sha256(content).hexdigest() for name, content in start_files(reader).items()},
    )


def _write_participants(path: Path, readers: Sequence[str]) -> None:
    """Write the table that the coordinator fills in, with BIDS's mark for what is missing."""
    missing = ["n/a"] * (len(_PARTICIPANT_COLUMNS) - 1)
    rows = [_PARTICIPANT_COLUMNS, *([reader, *missing] for reader in readers)]
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def _sha256(voxels: NDArray[np.uint16]) -> str:
    return sha256(voxels.tobytes()).hexdigest()
