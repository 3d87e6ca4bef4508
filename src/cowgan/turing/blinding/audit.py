"""The blinding audit: checks that only a volume's appearance can give its class away."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from cowgan.files import open_regular, read_bytes
from cowgan.progress import Progress, Silent, advance
from cowgan.randomness import stream
from cowgan.turing.blinding.classifier_test import Offender, Separability, separate
from cowgan.turing.blinding.image_features import grey_levels, texture
from cowgan.turing.design.truth_key import Key
from cowgan.turing.reading.package import HEADER_BYTES, LARGEST_MANIFEST, MANIFEST_FILE, Package

AUDIT_FILE = "audit/blinding.json"
"""Below the coordinator's folder."""

AUC_LIMIT, P_LIMIT = 0.65, 0.05
"""Grey levels must not reach this AUC, nor fall below this p."""

_FALSE_ALARMS = 1e-4
"""Share of well-made studies that are refused because random names or places fall in order."""
_WORDS = ("real", "generated", "synthetic", "fake", "truth", "seed")
_NAMES_SHOWN = 3


@dataclass(frozen=True)
class Audit:
    """Results of the audit.

    Parameters
    ----------
    form : tuple of str
        Tier A: ways in which files differ that must not, or a trace of the truth; a study
        is frozen only if there are none.
    grey : Separability
        Tier B: by the histograms of volumes; a study is frozen only near chance.
    texture : Separability
        Tier C: by noise, sharpness and borders; reported beside the readers' results, as
        it may be a property of the generator.
    n_real, n_generated : int
        Volumes compared.
    """

    form: tuple[str, ...]
    grey: Separability
    texture: Separability
    n_real: int
    n_generated: int

    @property
    def leaks(self) -> list[str]:
        """Leaks that keep a study from being frozen, as parts of a sentence."""
        found = list(self.form)
        if self.grey.p < P_LIMIT or self.grey.auc >= AUC_LIMIT:
            found.append(
                f"grey levels tell the classes apart (AUC {self.grey.auc:.2f}, "
                f"p {self.grey.p:.3f}{_named(self.grey.offenders)})"
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return everything, as JSON."""
        return asdict(self)


def audit(packages: Sequence[Package], key: Key, progress: Progress | None = None) -> Audit:
    """Examine packages as readers get them.

    Parameters
    ----------
    packages : sequence of Package
        All of a study.
    key : Key
        The truth.
    progress : Progress, optional
        Called after every volume.

    Raises
    ------
    CowganError
        A file is missing or was changed.
    Cancelled
        The user cancelled.
    """
    progress = progress or Silent()
    form = [finding for package in packages for finding in _form(package, key, len(packages))]
    first = packages[0]
    generated, greys, textures = [], [], []
    n_levels = key.protocol.grey_levels
    # In an order that random names do not change, so that the result is always the same.
    volumes = first.manifest.volumes
    for done, name in enumerate(sorted(volumes, key=lambda name: volumes[name].sha256), 1):
        voxels = first.volume(name)
        generated.append(key.case(first.manifest.reader, name).truth == "generated")
        greys.append(grey_levels(voxels, n_levels))
        textures.append(texture(voxels, n_levels))
        advance(progress, done, len(volumes))
    truth = np.array(generated)
    return Audit(
        tuple(form),
        _separated(greys, truth),
        _separated(textures, truth),
        int((~truth).sum()),
        int(truth.sum()),
    )


def _separated(
    described: Sequence[Mapping[str, float]], generated: NDArray[np.bool_]
) -> Separability:
    features = np.array([[*values.values()] for values in described])
    return separate(features, [*described[0]], generated, stream("turing/audit", 0))


def _form(package: Package, key: Key, n_packages: int) -> list[str]:
    reader, manifest = package.manifest.reader, package.manifest
    paths = {name: package.folder / entry.file for name, entry in manifest.volumes.items()}
    stats = {name: path.stat() for name, path in paths.items()}
    alike: dict[str, Callable[[str], object]] = {
        "size": lambda name: stats[name].st_size,
        "modification time": lambda name: stats[name].st_mtime_ns,
        "permissions": lambda name: stats[name].st_mode,
        "header": lambda name: _header(paths[name]),
        "form of the name": lambda name: re.sub("[0-9a-f]", "0", name),
    }
    found = [
        f"the {what} of volume files differs in {reader}"
        for what, of in alike.items()
        if len({of(name) for name in paths}) > 1
    ]
    first_shown: dict[str, int] = {}
    for trial in manifest.trials:
        for case in trial.cases:
            first_shown.setdefault(case, trial.number)
    orders: dict[str, Callable[[str], Any]] = {
        "names": lambda name: name,
        "places on the disk": lambda name: stats[name].st_ino,
        "trials": lambda name: (first_shown[name], name),
    }
    limit = _FALSE_ALARMS / (len(orders) * n_packages)
    found += [
        f"the order of {what} tells the classes apart in {reader}"
        for what, of in orders.items()
        if _order_p(sorted(paths, key=of), key, reader) < limit
    ]
    return found + [f"{trace} in {reader}" for trace in _traces(package, key)]


def _header(path: Path) -> bytes:
    with open_regular(path) as file:
        return file.read(HEADER_BYTES)


def _order_p(names: Sequence[str], key: Key, reader: str) -> float:
    generated = np.array([key.case(reader, name).truth == "generated" for name in names])
    places = np.arange(len(names))
    return float(mannwhitneyu(places[generated], places[~generated]).pvalue)


def _traces(package: Package, key: Key) -> list[str]:
    """Look for words in what a reader can read, and in the names of all files."""
    readable = (MANIFEST_FILE, *package.manifest.start_files)
    text = "\n".join(
        read_bytes(package.folder / name, LARGEST_MANIFEST).decode() for name in readable
    )
    names = (path.relative_to(package.folder).as_posix() for path in package.folder.rglob("*"))
    searched = "\n".join([text, *names]).lower()
    origins = {
        value for case in key.cases for value in case.origin.values() if isinstance(value, str)
    }
    words = [word for word in _WORDS if re.search(rf"\b{word}", searched)]
    words += sorted(origin for origin in origins if origin.lower() in searched)
    return [f"the word “{word}” occurs" for word in words]


def _named(offenders: Sequence[Offender]) -> str:
    if not offenders:
        return ""
    names = [offender.feature for offender in offenders[:_NAMES_SHOWN]]
    return f"; most of all the {', '.join(names)}"
