"""Files of published weights: where they are kept, and their download."""

from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from platformdirs import user_data_path

from cowgan.errors import CowganError
from cowgan.files import atomic_path, sha256_of
from cowgan.progress import Progress, Silent, advance

_PART_BYTES = 2**18
_LARGEST_BYTES = 2**28
_TIMEOUT_S = 30


@dataclass(frozen=True)
class WeightsFile:
    """A file of published weights.

    Parameters
    ----------
    url : str
        Where its authors offer it.
    sha256 : str
        Of its content, as 64 hexadecimal digits.
    licence : str
        Of the weights.
    """

    url: str
    sha256: str
    licence: str

    @property
    def name(self) -> str:
        """Name of the file."""
        return urlsplit(self.url).path.rpartition("/")[2]


MEDICALNET = WeightsFile(
    "https://huggingface.co/TencentMedicalNet/MedicalNet-Resnet10/resolve/main/"
    "resnet_10_23dataset.pth",
    "afa8055f3e47f4a18239495d92a7abc587902c69c31c743de2b2784653b72605",
    "MIT",
)
INCEPTION = WeightsFile(
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
    "pt_inception-2015-12-05-6726825d.pth",
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    "Apache-2.0",
)


def default_folder() -> Path:
    """Return the user's folder of weights."""
    return user_data_path("napari-cowgan", appauthor=False) / "weights"


def fetch(weights: WeightsFile, folder: Path, progress: Progress | None = None) -> Path:
    """Download a file of weights, unless it is there already, and return its path.

    Parameters
    ----------
    weights : WeightsFile
        What to download.
    folder : Path
        Where to keep it; made if missing.
    progress : Progress, optional
        Told of kilobytes.

    Raises
    ------
    CowganError
        The server cannot be reached or fails, what it sends has another SHA-256, or the file
        cannot be written. Nothing is left behind.
    Cancelled
        The user cancelled; nothing is left behind.
    """
    progress = progress or Silent()
    path = Path(folder) / weights.name
    if path.is_file() and sha256_of(path) == weights.sha256:
        return path
    with atomic_path(path) as part:
        done = total = 0
        with part.open("wb") as file:
            for content, total in _received(weights):
                done += len(content)
                if done > _LARGEST_BYTES:
                    break
                file.write(content)
                advance(progress, done // 1000, max(done, total) // 1000, "kB")
        if done < total:
            raise CowganError(
                f"The download of {weights.name} broke off after {done / 1e6:.0f} of "
                f"{total / 1e6:.0f} MB; try again.",
                weights.url,
            )
        found = sha256_of(part)
        if found != weights.sha256:
            raise CowganError(
                f"{_host(weights)} sent another file than {weights.name}, by its SHA-256, so it "
                "was not kept.",
                f"{found} instead of {weights.sha256} from {weights.url}",
            )
    return path


def _received(weights: WeightsFile) -> Iterator[tuple[bytes, int]]:
    """Yield the content in parts, with its size if the server states it, or 0."""
    try:
        with urlopen(weights.url, timeout=_TIMEOUT_S) as response:
            total = int(response.headers.get("Content-Length", 0))
            while content := response.read(_PART_BYTES):
                yield content, total
    except (HTTPException, OSError, ValueError) as error:
        raise CowganError(
            f"{weights.name} could not be downloaded from {_host(weights)}: "
            f"{getattr(error, 'reason', None) or error}; try again later, or get {weights.url} on "
            "another computer.",
            repr(error),
        ) from error


def _host(weights: WeightsFile) -> str:
    return urlsplit(weights.url).netloc
