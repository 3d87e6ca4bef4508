"""Print the tables of docs/attributes.md from the attributes of the bundled model.

Usage: python docs/quote_attributes.py
"""

from collections.abc import Iterator

from cowgan.checkpoint import load_bundled
from cowgan.latent.attribute_files import BUNDLED_ATTRIBUTES, load_attributes
from cowgan.latent.attributes import AttributeDirection
from cowgan.report.numbers import decimal
from cowgan.segmentation.artery_attributes import ATTRIBUTES


def tables() -> Iterator[str]:
    """Yield what each direction does, then what else it changes, as Markdown."""
    found = load_attributes(BUNDLED_ATTRIBUTES, load_bundled()).directions
    head = "| | fit, held out | volumes | blocks | change per σ | monotonicity |"
    yield "\n".join([head, "|---|---|---|---|---|---|", *map(_row, found)])
    titles = " | ".join(ATTRIBUTES[one.attribute].title for one in found)
    rows = (
        f"| {ATTRIBUTES[key].title} | "
        + " | ".join(decimal(one.leakage(key), 2) for one in found)
        + " |"
        for key in ATTRIBUTES
        if key in found[0].effects
    )
    yield "\n".join([f"| | {titles} |", "|---" * (1 + len(found)) + "|", *rows])


def _row(one: AttributeDirection) -> str:
    attribute, direction = ATTRIBUTES[one.attribute], one.direction
    score = f"{'AUC' if attribute.presence else 'R²'} {decimal(one.score, 2)}"
    change = f"{one.per_sigma:+.3g} {attribute.unit}".rstrip()
    return (
        f"| {attribute.title} | {score} | {one.n_train} + {one.n_test} "
        f"| {direction.first_block}–{direction.last_block} | {change} "
        f"| {decimal(one.monotonicity, 2)} |"
    )


if __name__ == "__main__":
    print("\n\n".join(tables()))
