"""Draw the layers of the code, docs/images/architecture.svg, from its imports.

Usage: python docs/draw_architecture.py

Rows are the layers that `lint-imports` enforces, read from pyproject.toml. Arrows are the imports
between packages, without those that other arrows imply. A test fails while the picture is out of
date.
"""

from collections.abc import Iterable
from pathlib import Path

import grimp
from importlinter.api import read_configuration

CHECKOUT = Path(__file__).parents[1]
PICTURE = CHECKOUT / "docs" / "images" / "architecture.svg"

_ENGINE, _PLUGIN = "cowgan", "napari_cowgan"
_COLUMN_PX = {_PLUGIN: (20, 370), _ENGINE: (440, 460)}
"""Left edge and width of each column."""
_TOP_PX, _ROW_PX, _MODULES_PX, _BOX_PX, _LETTER_PX, _MARGIN_PX = 62, 62, 40, 30, 8.0, 20
_WIDEST_GAP_PX = 100
_MOST_IN_LINE = 4
_ALONE = (0.5, 0.3, 0.7)
"""Places in turn, as parts of the width, of boxes that are alone in a row."""
_COLOURS = {_PLUGIN: "#b5404f", _ENGINE: "#3a6186"}
_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
  font-family="sans-serif" font-size="14" text-anchor="middle">
<title>Layers of napari_cowgan and cowgan, and the imports between them</title>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"
  orient="auto"><path d="M0 0L8 4L0 8z" fill="context-stroke"/></marker></defs>
<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>
"""


def imports() -> dict[str, set[str]]:
    """Return the packages and modules directly below the roots, each with those it imports."""
    graph = grimp.build_graph(_ENGINE, _PLUGIN, cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in graph.modules:
        importer = _room(module)
        imported = {_room(name) for name in graph.find_modules_directly_imported_by(module)}
        found.setdefault(importer, set()).update(imported - {importer})
    return found


def layers(root: str) -> list[list[str]]:
    """Return the layers of a root package from top to bottom, as pyproject.toml lists them."""
    settings = read_configuration(str(CHECKOUT / "pyproject.toml"))
    for contract in settings["contracts_options"]:
        if contract.get("containers") == [root]:
            return [
                [f"{root}.{name.strip()}" for name in layer.split("|")]
                for layer in contract["layers"]
            ]
    raise LookupError(root)


def picture() -> str:
    """Return the picture as SVG."""
    rooms = {room for room in imports() if _is_package(room)}
    arrows = _without_implied(imports())
    drawn = {
        (importer, imported)
        for importer, all_imported in arrows.items()
        for imported in all_imported
        if {importer, imported} <= rooms
    }
    places = _places(drawn)
    height = max(y for _, y in places.values()) + _BOX_PX / 2 + _MARGIN_PX
    width = sum(_COLUMN_PX[_ENGINE]) + _MARGIN_PX
    lines = [_HEAD.format(width=width, height=round(height))]
    for root, (left, wide) in _COLUMN_PX.items():
        x = left + wide / 2
        lines.append(f'<text x="{x:.0f}" y="32" font-size="17" font-weight="bold">{root}</text>\n')
    lines += [_arrow(places, source, target) for source, target in sorted(drawn)]
    lines += [_box(room, places[room]) for room in sorted(places)]
    return "".join([*lines, "</svg>\n"])


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _is_package(room: str) -> bool:
    folder = CHECKOUT if room.startswith(_PLUGIN) else CHECKOUT / "src"
    return "." in room and (folder / room.replace(".", "/")).is_dir()


def _without_implied(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Return the transitive reduction of an acyclic graph."""
    reached: dict[str, set[str]] = {}

    def reach(node: str) -> set[str]:
        if node not in reached:
            below = graph.get(node, set())
            reached[node] = below.union(*(reach(name) for name in below))
        return reached[node]

    return {
        node: {name for name in below if not any(name in reach(other) for other in below)}
        for node, below in graph.items()
    }


def _places(arrows: set[tuple[str, str]]) -> dict[str, tuple[float, float]]:
    """Return the centre of each box, in rows ordered so that few arrows cross."""
    places: dict[str, tuple[float, float]] = {}
    for root, (left, wide) in _COLUMN_PX.items():
        y = _TOP_PX + _BOX_PX / 2 - _ROW_PX
        for row, names in enumerate(layers(root)):
            y += _ROW_PX if any(map(_is_package, names)) or not row else _MODULES_PX
            if len(names) == 1:
                places[names[0]] = (left + wide * _ALONE[row % len(_ALONE)], y)
                continue
            ordered = sorted(names, key=lambda name: (_mean_x(name, arrows, places), name))
            for first in range(0, len(ordered), _MOST_IN_LINE):
                y += _MODULES_PX if first else 0
                line = ordered[first : first + _MOST_IN_LINE]
                places |= {name: (x, y) for name, x in _spread(line, left, wide).items()}
    return places


def _spread(names: list[str], left: float, wide: float) -> dict[str, float]:
    """Return the horizontal centres of several boxes in one line."""
    free = wide - sum(map(_width, names))
    gap = min(free / max(len(names) - 1, 1), _WIDEST_GAP_PX)
    x = left + (free - gap * (len(names) - 1)) / 2
    centres: dict[str, float] = {}
    for name in names:
        centres[name] = x + _width(name) / 2
        x += _width(name) + gap
    return centres


def _mean_x(
    name: str, arrows: Iterable[tuple[str, str]], places: dict[str, tuple[float, float]]
) -> float:
    above = [places[source][0] for source, target in arrows if target == name and source in places]
    return sum(above) / len(above) if above else float("inf")


def _width(name: str) -> float:
    return len(_label(name)) * _LETTER_PX + 18


def _label(name: str) -> str:
    return name.rpartition(".")[2]


def _box(name: str, place: tuple[float, float]) -> str:
    x, y = place
    colour = _COLOURS[name.partition(".")[0]]
    fill, ink = (colour, "#ffffff") if _is_package(name) else ("#ffffff", "#333333")
    return (
        f'<rect x="{x - _width(name) / 2:.1f}" y="{y - _BOX_PX / 2:.1f}" width="{_width(name):.1f}"'
        f' height="{_BOX_PX}" rx="4" fill="{fill}" stroke="{colour}"/>\n'
        f'<text x="{x:.1f}" y="{y + 4.5:.1f}" fill="{ink}">{_label(name)}</text>\n'
    )


def _arrow(places: dict[str, tuple[float, float]], source: str, target: str) -> str:
    (x, y), (to_x, to_y) = places[source], places[target]
    if source.partition(".")[0] == target.partition(".")[0]:
        y, to_y = y + _BOX_PX / 2, to_y - _BOX_PX / 2 - 1
        bend = (to_y - y) / 2
        curve = f"M{x:.1f} {y:.1f}C{x:.1f} {y + bend:.1f} {to_x:.1f} {to_y - bend:.1f}"
        dash = ""
    else:
        x, to_x = x + _width(source) / 2, to_x - _width(target) / 2 - 1
        bend = (to_x - x) / 2
        curve = f"M{x:.1f} {y:.1f}C{x + bend:.1f} {y:.1f} {to_x - bend:.1f} {to_y:.1f}"
        dash = ' stroke-dasharray="4 3"'
    return (
        f'<path d="{curve} {to_x:.1f} {to_y:.1f}" fill="none"'
        f' stroke="{_COLOURS[source.partition(".")[0]]}" stroke-width="1.3"{dash}'
        ' marker-end="url(#tip)"/>\n'
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
