"""The documentation taken apart, for tests that compare it with the program."""

import ast
import re
import shlex
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
DOCS = CHECKOUT / "docs"
PAGES = (CHECKOUT / "README.md", *sorted(DOCS.rglob("*.md")))
_BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NAME = re.compile(r"(?<![\w./-])(?:napari_)?cowgan(?:\.\w+)+")
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of code in one language."""
    found = _BLOCK.findall(page.read_text("utf-8"))
    return [code for _, written_in, code in found if written_in == language]


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return _BLOCK.sub("", page.read_text("utf-8"))


def names(text: str) -> list[str]:
    """Return what stands in bold, in order: words of the window."""
    return [" ".join(bold.split()) for bold in _BOLD.findall(text)]


def python_names(page: Path) -> set[str]:
    """Return the dotted names of this project's modules, classes and functions on a page."""
    return set(_NAME.findall(page.read_text("utf-8")))


def is_defined(name: str) -> bool:
    """Return whether the source defines or re-exports a dotted name; nothing is imported."""
    place = CHECKOUT if name.startswith("napari_") else CHECKOUT / "src"
    parts = name.split(".")
    while parts and (place / parts[0]).is_dir():
        place /= parts.pop(0)
    if parts and (place / f"{parts[0]}.py").is_file():
        source = place / f"{parts.pop(0)}.py"
    else:
        source = place / "__init__.py"
    body = ast.parse(source.read_text("utf-8")).body
    for part in parts:
        found = [node for node in body if part in _defined_by(node)]
        if not found:
            return False
        body = getattr(found[-1], "body", [])
    return True


def _defined_by(node: ast.stmt) -> set[str]:
    match node:
        case ast.ClassDef() | ast.FunctionDef():
            return {node.name}
        case ast.ImportFrom():
            return {alias.asname or alias.name for alias in node.names}
        case ast.Assign():
            return {target.id for target in node.targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


def links(page: Path) -> list[Path]:
    """Return the files that a page links to, without those on the web."""
    targets = [target.partition("#")[0] for target in _LINK.findall(prose(page))]
    return [page.parent / target for target in targets if target and "://" not in target]


def commands(page: Path) -> list[list[str]]:
    """Return the arguments of every command of this program on a page, blocks or not."""
    return [*steps(page), *_commands_in(_INLINE.findall(prose(page)))]


def steps(page: Path) -> list[list[str]]:
    """Return the arguments of the commands of this program in blocks of code, in order."""
    code = [block for language in ("sh", "console", "") for block in blocks(page, language)]
    return _commands_in("\n".join(code).replace("\\\n", " ").splitlines())


def _commands_in(lines: list[str]) -> list[list[str]]:
    split = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [words[1:] for words in split if words[:1] == ["cowgan"] and len(words) > 1]
