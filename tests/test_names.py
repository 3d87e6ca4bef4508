"""Tests that no two modules, classes or type aliases share a name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
SOURCES = {"cowgan": CHECKOUT / "src", "napari_cowgan": CHECKOUT}

SAME_ROLE = {"panel", "tasks"}
"""Each package of the plugin has a panel and its background work under these names."""
EXCEPTIONS = {
    "cowgan.turing.report",
    "cowgan.segmentation.metrics",
    "cowgan.segmentation.comparison",
}
"""The report of a study, written with `cowgan.report`, and the metrics of label maps and their
comparison, which scripts know by these names; those of training and evaluation are another matter.
"""


def files() -> Iterator[tuple[str, Path]]:
    """Yield every module and package by its dotted name."""
    for root, folder in SOURCES.items():
        for path in sorted((folder / root).rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            if parts[-1] == "__init__":
                parts = parts[:-1]
            if len(parts) > 1 and parts[-1] != "__main__":
                yield ".".join(parts), path


def names_something_else(module: str) -> bool:
    """Return whether a module may not share its name."""
    parent, name = module.rsplit(".", 1)
    return not (
        name in SAME_ROLE
        or module in EXCEPTIONS
        # The class or function that gives a package its name.
        or parent.endswith(f".{name}")
        # A command, and a part of the plugin, are named for what they use in the engine.
        or parent in ("cowgan.cli", "napari_cowgan")
    )


def test_no_two_modules_share_a_name() -> None:
    modules = defaultdict(list)
    for module, _ in files():
        if names_something_else(module):
            modules[module.rsplit(".", 1)[1]].append(module)
    assert [same for same in modules.values() if len(same) > 1] == []


def defined_names(path: Path) -> Iterator[str]:
    """Yield the public classes and type aliases that a module defines."""
    for node in ast.parse(path.read_text("utf-8")).body:
        match node:
            case ast.ClassDef(name=name):
                pass
            case ast.Assign(value=ast.Call()):  # Such as a type variable.
                continue
            case ast.Assign(targets=[ast.Name(id=name)]) if not name.isupper():
                pass
            case _:
                continue
        if name[0].isupper():
            yield name


def test_no_two_classes_or_type_aliases_share_a_name() -> None:
    defined = defaultdict(list)
    for module, path in files():
        for name in defined_names(path):
            defined[name].append(module)
    assert {name: modules for name, modules in defined.items() if len(modules) > 1} == {}
