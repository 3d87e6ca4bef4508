"""Model files: one safetensors file of weights, with a JSON header."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Generic, TypeVar

from safetensors import SafetensorError
from safetensors.torch import save as serialise
from torch import Tensor

from cowgan.documents import parse_json
from cowgan.errors import CowganError
from cowgan.files import atomic_path, sha256_of
from cowgan.tensor_files import open_tensors, write_serialised

_VERSION = 1
_SUFFIX = ".safetensors"

Header = TypeVar("Header")


@dataclass(frozen=True)
class ModelFiles(Generic[Header]):
    """Reader and writer of the files of one kind of model.

    Parameters
    ----------
    kind : str
        Stated in the files, so that a model of another kind is recognised.
    what : str
        The kind in words, such as "checkpoint".
    header : type
        Dataclass of the part of a model that is not tensors.
    """

    kind: str
    what: str
    header: type[Header]

    def write(self, path: Path, tensors: Mapping[str, Tensor], header: Header) -> None:
        """Write a model, atomically; the same model always gives the same bytes.

        Raises
        ------
        CowganError
            The name does not end in ``.safetensors``, or the file cannot be written.
        """
        path = Path(path)
        if path.suffix != _SUFFIX:
            raise CowganError(f"A {self.what}'s name must end in {_SUFFIX}, unlike {path.name}.")
        text = json.dumps(asdict(header))  # type: ignore[call-overload]
        metadata = {"format": self.kind, "version": str(_VERSION), "header": text}
        content = serialise({name: t.contiguous() for name, t in tensors.items()}, metadata)
        with atomic_path(path) as temporary:
            write_serialised(temporary, content)

    def read(self, path: Path) -> tuple[dict[str, Tensor], Header, str]:
        """Return the tensors, the header and the SHA-256 of a model's file.

        Raises
        ------
        CowganError
            The file is missing, damaged, of another kind or of a newer version.
        """
        path = Path(path)
        # First, because safetensors calls a file without reading permission a missing one.
        sha256 = sha256_of(path)
        try:
            with open_tensors(path, "pt") as file:
                header = self._header(file.metadata() or {}, path)
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, ValueError) as error:
            raise CowganError(
                f"{path.name} is not a readable safetensors file: it is damaged, incomplete or of "
                "another kind.",
                str(error),
            ) from error
        return tensors, header, sha256

    def _header(self, metadata: Mapping[str, str], path: Path) -> Header:
        if metadata.get("format") != self.kind:
            raise CowganError(
                f"{path.name} is a safetensors file, but not a {self.what} of this program."
            )
        if metadata.get("version") != str(_VERSION):
            raise CowganError(
                f"{path.name} was written by a newer version of this program; update to open it.",
                f"format version {metadata.get('version')}",
            )
        text = metadata.get("header", "")
        return parse_json(text, self.header, f"The description inside {path.name}")
