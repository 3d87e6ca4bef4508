"""Settings of a run as plain data and as TOML files."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from cowgan.documents import checked, read_toml, toml_text
from cowgan.errors import CowganError
from cowgan.files import atomic_path

CONFIG_FILE = "config.toml"
"""In the folder of a run: every setting."""


@dataclass(frozen=True)
class RunConfig:
    """Base of the settings of a run, which include a table ``network``."""

    def to_dict(self) -> dict[str, Any]:
        """Return every value as JSON-ready data."""
        return asdict(self)

    @classmethod
    def from_dict(
        cls, content: Mapping[str, Any], what: str = "The description of the training"
    ) -> Self:
        """Return settings from what `to_dict` gave; missing values take their default.

        Raises
        ------
        CowganError
            A setting is unknown or makes no sense; `what` begins the sentence.
        """
        return checked({**cls().to_dict(), **content}, cls, what)

    def with_changes(self, **changes: Any) -> Self:
        """Return the settings with those changes that are not None."""
        wanted = {name: value for name, value in changes.items() if value is not None}
        return self.from_dict({**self.to_dict(), **wanted})


Config = TypeVar("Config", bound=RunConfig)


def read_config(path: Path, base: Config) -> Config:
    """Read settings from TOML; those it does not name come from `base`.

    Raises
    ------
    CowganError
        The file is unreadable or names unknown settings or senseless values.
    """
    content = read_toml(path)
    usual = base.to_dict()
    network = content.pop("network", {})
    if not isinstance(network, dict):
        raise CowganError(f"{path}: network must be a table.")
    if strange := sorted({*content} - {*usual} | {*network} - {*usual["network"]}):
        raise CowganError(
            f"{path} sets {', '.join(strange):.200}, which this version does not have; take it out "
            "to train without."
        )
    return base.from_dict({**usual, **content, "network": usual["network"] | network}, str(path))


def write_config(config: RunConfig, path: Path) -> None:
    """Write every setting, defaults included, as TOML."""
    with atomic_path(path) as temporary:
        temporary.write_text(toml_text(config.to_dict()), encoding="utf-8")
