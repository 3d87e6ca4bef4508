"""Documentation and bounds of settings, carried by the fields of their dataclass."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from math import inf
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from cowgan.errors import CowganError


@dataclass(frozen=True)
class Setting:
    """Metadata of a dataclass field: ``batch: Annotated[int, Setting("Volumes per pass", 1)]``.

    Parameters
    ----------
    text : str
        Meaning and unit, without a full stop. The help of the command line, the tooltip of the
        panel and the table of the documentation all show it.
    low, high : float
        Smallest and largest value; unbounded by default.
    """

    text: str
    low: float = -inf
    high: float = inf


@dataclass(frozen=True)
class SettingField:
    """A field of a dataclass, with what its `Setting` and its type say.

    Parameters
    ----------
    setting : Setting
        Its metadata.
    kind : type
        Its type, without the metadata.
    choices : tuple of str
        The values of a ``Literal``; empty for any other type.
    """

    setting: Setting
    kind: Any
    choices: tuple[str, ...]

    @property
    def values(self) -> str:
        """The allowed values in words, such as "1 to 4096"; empty for any."""
        if self.choices:
            return ", ".join(self.choices)
        low, high = self.setting.low, self.setting.high
        return "" if low == -inf and high == inf else f"{_plain(low)} to {_plain(high)}"


@cache
def setting_fields(config: type) -> Mapping[str, SettingField]:
    """Return the fields of a dataclass that carry a `Setting`, by name and in order."""
    hints = get_type_hints(config, include_extras=True)
    found: dict[str, SettingField] = {}
    for field in fields(config):
        kind, *metadata = get_args(hints[field.name]) or (hints[field.name],)
        for one in metadata:
            if isinstance(one, Setting):
                choices = get_args(kind) if get_origin(kind) is Literal else ()
                found[field.name] = SettingField(one, kind, choices)
    return found


def require_valid(config: Any, owner: str) -> None:
    """Check every value of a dataclass against the type and bounds of its `Setting`.

    Parameters
    ----------
    config : dataclass instance
        The values.
    owner : str
        Start of the sentence, such as "Training's".

    Raises
    ------
    CowganError
        A value is not one of the choices, not a whole number where one is needed, or out of
        bounds.
    """
    for name, field in setting_fields(cast(Hashable, type(config))).items():
        value = getattr(config, name)
        if field.choices:
            if value not in field.choices:
                raise CowganError(
                    f"{owner} {name} must be one of {', '.join(field.choices)}, not {value!r:.40}."
                )
            continue
        if field.kind is int and not isinstance(value, int):
            raise CowganError(f"{owner} {name} must be a whole number, not {value!r:.40}.")
        low, high = field.setting.low, field.setting.high
        if not low <= value <= high:
            raise CowganError(
                f"{owner} {name} must lie between {low:g} and {high:g}, not {value!r:.40}."
            )


def _plain(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) and number < 1e6 else f"{number:g}"
