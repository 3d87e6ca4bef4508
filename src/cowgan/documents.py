"""Bounded reading of JSON and TOML, validated against dataclasses.

The type hints of a dataclass define the content of a file; further checks belong in its
``__post_init__``.
"""

import tomllib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from cowgan.errors import CowganError
from cowgan.files import read_text
from cowgan.text import decoded

if TYPE_CHECKING:
    from pydantic import RootModel
    from pydantic_core import ErrorDetails

T = TypeVar("T")

LARGEST_BYTES = 256 * 2**20
"""Far above the largest document, the description of a bank of 100 000 volumes."""

_SHOWN_PROBLEMS = 20
_SHOWN_CHARACTERS = 80
_WORDING = {
    "missing": "is missing",
    "missing_argument": "is missing",
    "unexpected_keyword_argument": "is not known",
    "extra_forbidden": "is not known",
}


def read_json(
    path: Path, kind: type[T], limit: int = LARGEST_BYTES, *, other_versions: bool = False
) -> T:
    """Read a JSON file and validate it.

    Parameters
    ----------
    path : Path
        Text as `cowgan.files.read_text` reads it.
    kind : type
        A dataclass, or another type such as ``dict[str, Any]``. Types are strict: text is not
        converted to numbers, but a whole number is accepted as a float and an array as a
        tuple.
    limit : int
        Largest size in bytes.
    other_versions : bool
        Accept missing fields, which have their defaults, and ignore unknown fields. By default
        both are errors.

    Raises
    ------
    CowganError
        The file cannot be read, is not JSON or is invalid; the detail lists the problems.
    """
    content = read_text(path, limit)
    return parse_json(content, kind, str(path), other_versions=other_versions)


def parse_json(
    content: bytes | str, kind: type[T], what: str, *, other_versions: bool = False
) -> T:
    """Parse JSON text and validate it.

    Parameters
    ----------
    content : bytes or str
        JSON text.
    kind, other_versions
        As for `read_json`.
    what : str
        Subject of the error message, such as a path.

    Raises
    ------
    CowganError
        It is not JSON, or is invalid.
    """
    from pydantic_core import from_json

    try:
        text = decoded(content) if isinstance(content, bytes) else content
        plain = from_json(text.encode("utf-8", "surrogatepass"))
    except ValueError as error:
        raise _damaged(what, _of(error), []) from error
    return checked(plain, kind, what, other_versions=other_versions)


def read_toml(path: Path, limit: int = LARGEST_BYTES) -> dict[str, Any]:
    """Read a TOML file without validation; see `checked`.

    Raises
    ------
    CowganError
        The file cannot be read or is not TOML.
    """
    content = read_text(path, limit)
    try:
        return tomllib.loads(content)
    except (ValueError, RecursionError) as error:
        raise CowganError(f"{path} is not a valid TOML file: {_of(error)}.") from error


def toml_text(content: Mapping[str, Any]) -> str:
    """Return plain values as TOML: numbers, text, lists of numbers, and tables of these."""
    return "\n".join(_toml_lines(content, "")).lstrip("\n") + "\n"


def checked(plain: Any, kind: type[T], what: str, *, other_versions: bool = False) -> T:
    """Validate plain data, such as parsed JSON.

    Parameters
    ----------
    plain : Any
        Composed of dict, list, str, int, float, bool and None.
    kind, what, other_versions
        As for `parse_json`.

    Raises
    ------
    CowganError
        It is invalid.
    """
    from pydantic import ValidationError
    from pydantic_core import to_json

    model = _strict(cast(Hashable, kind))
    try:
        # Through JSON, since strict types accept an array as a tuple only there.
        content = to_json(plain, inf_nan_mode="constants")
        extra: Literal["ignore", "forbid"] = "ignore" if other_versions else "forbid"
        found = cast(T, model.model_validate_json(content, extra=extra).root)
    except ValidationError as error:
        problems = [_described(problem) for problem in error.errors(include_url=False)]
        raise _damaged(what, problems[0], problems) from error
    except CowganError as error:
        raise _damaged(what, error.sentence.rstrip("."), [error.detail]) from error
    except ValueError as error:
        raise _damaged(what, _of(error), []) from error
    missing = None if other_versions else _missing(found, plain)
    if missing is not None:
        raise _damaged(what, f"{missing} is missing", [])
    return found


def _toml_lines(content: Mapping[str, Any], table: str) -> list[str]:
    tables = {name: value for name, value in content.items() if isinstance(value, Mapping)}
    lines = ["", f"[{table}]"] if table else []
    lines += [f"{name} = {_toml(value)}" for name, value in content.items() if name not in tables]
    for name, inner in tables.items():
        lines += _toml_lines(inner, f"{table}.{name}".lstrip("."))
    return lines


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    return repr(list(value) if isinstance(value, tuple) else value)


def _missing(found: Any, plain: Any) -> str | None:
    """Return the first field that is missing and has its default."""
    inside: Iterable[tuple[str | int, Any]] = ()
    if is_dataclass(found):
        inside = [(one.name, getattr(found, one.name)) for one in fields(found) if one.init]
    elif isinstance(found, tuple):
        inside = enumerate(found)
    elif isinstance(found, dict):
        inside = ((key, value) for key, value in found.items() if is_dataclass(value))
    for key, value in inside:
        if isinstance(plain, dict) and key not in plain:
            return str(key)
        if (deeper := _missing(value, plain[key])) is not None:
            return f"{key}.{deeper}"
    return None


@cache
def _strict(kind: Any) -> "type[RootModel[Any]]":
    # Imported late: pydantic takes a tenth of a second, which most commands do not need.
    from pydantic import ConfigDict, RootModel, create_model

    class Strict(RootModel[Any]):
        model_config = ConfigDict(strict=True, allow_inf_nan=False)

    return create_model("Document", __base__=Strict, root=(kind, ...))


def _described(problem: "ErrorDetails") -> str:
    """Return the place and kind of a problem, as the end of a sentence."""
    place = ".".join(f"{part!s:.{_SHOWN_CHARACTERS}}" for part in problem["loc"]) or "it"
    wording = _WORDING.get(problem["type"])
    if wording is None:
        wording = problem["msg"].removeprefix("Input ").rstrip(".")
    return f"{place} {wording}"


def _of(error: Exception) -> str:
    return f"{error!s:.{_SHOWN_CHARACTERS}}"


def _damaged(what: str, problem: str, problems: Sequence[str]) -> CowganError:
    detail = "\n".join(problems[:_SHOWN_PROBLEMS])
    return CowganError(f"{what} is damaged or was changed by hand: {problem}.", detail)
