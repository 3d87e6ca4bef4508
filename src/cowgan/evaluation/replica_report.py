"""The report of a search for replicas."""

from collections.abc import Iterator, Sequence

from cowgan.evaluation.replicas import Match, Membership, Replicas
from cowgan.pictures import png_bytes
from cowgan.report.blocks import Block, Box, Cell, Heading, Paragraph, Picture, Report, Table
from cowgan.report.numbers import count, listed, number, p_value, percent
from cowgan.volume import Volume, thumbnail
from cowgan.volume.volume_set import VolumeSet

SHOWN = 24
"""Pairs that are shown at most, beside all that are flagged up to four times as many."""

_PIXELS = 192


def replica_report(
    found: Replicas,
    generated: VolumeSet,
    training: VolumeSet,
    membership: Membership | None = None,
) -> Report:
    """Return the report.

    Raises
    ------
    CowganError
        A volume that is to be shown cannot be read any more.
    """
    blocks = (
        _verdict(found, generated),
        Heading("Most similar pairs"),
        pairs_table(found, generated, training),
        Heading("Membership"),
        Paragraph(membership_sentence(membership)),
        Heading("Method"),
        *_method(found),
    )
    return Report(
        "Search for replicas", f"{generated.title}, compared with {training.title}", blocks
    )


def _verdict(found: Replicas, generated: VolumeSet) -> Box:
    total = len(found.matches)
    flagged = found.flagged
    expected = found.false_alarms * total
    if not flagged:
        title = "No generated volume repeats a training volume"
        sentence = f"None of {total} volumes is more like a training volume than people are alike."
    else:
        title = f"{count(len(flagged), 'volume')} of {total} may repeat a training volume"
        names = [generated.names[match.index] for match in flagged[:5]]
        more = [f"{len(flagged) - 5} more"] if len(flagged) > 5 else []
        sentence = f"Look at {listed([*names, *more])} in the table."
    caution = (
        f"At this threshold {percent(found.false_alarms)} of real volumes of other people are "
        f"flagged too; of {total} volumes that would be {number(expected, 1)}."
    )
    return Box(title, (sentence,), (caution,))


def pairs_table(
    found: Replicas, generated: VolumeSet, training: VolumeSet, fewest: int = SHOWN
) -> Table:
    """Return the most similar pairs with pictures: `fewest`, or more if more are flagged."""
    shown = found.matches[: min(max(fewest, len(found.flagged)), 4 * SHOWN)]
    return Table(
        f"The {len(shown)} most similar pairs of {len(found.matches)}. Axial projections, right "
        "side of the patient on the left; a training volume whose mirror image matches is shown "
        "mirrored. Dice is that of the vessels in the part where both are most alike; MIP is the "
        "largest correlation of the axial projection of vessels with that of a training volume.",
        ("Generated", "Training", "Volumes", "Part", "Dice", "Score", "p", "MIP", "p", "Flagged"),
        tuple(_row(match, found, generated, training) for match in shown),
        (1.05, 1.05, 2.4, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7, 0.8),
        text_columns=4,
    )


def _row(
    match: Match, found: Replicas, generated: VolumeSet, training: VolumeSet
) -> tuple[Cell, ...]:
    name, nearest = generated.names[match.index], training.names[match.nearest]
    return (
        picture_of(generated.volume(match.index), name),
        picture_of(training.volume(match.nearest), nearest, match.mirrored),
        f"{name}\n{nearest}" + (", mirrored" if match.mirrored else ""),
        match.part,
        number(match.dice),
        number(match.score, 1),
        p_value(match.p),
        number(match.projection.correlation),
        p_value(match.projection.p),
        "yes" if match in found.flagged else "",
    )


def picture_of(volume: Volume, name: str, mirrored: bool = False) -> Picture:
    """Return the axial projection of a volume."""
    pixels = thumbnail(volume, size=_PIXELS)
    return Picture(
        png_bytes(pixels[:, ::-1] if mirrored else pixels), f"Axial projection of {name}"
    )


def membership_sentence(membership: Membership | None) -> str:
    """Return in words whether generated volumes betray who was trained on."""
    if membership is None:
        return (
            "Without held-out volumes it is not known whether the generated ones betray who was "
            "trained on."
        )
    sides = f"{membership.n_training} training and {membership.n_holdout} held-out subjects"
    betrays = membership.p < 0.05 and membership.auc > 0.5
    verdict = (
        "so the volumes betray who was trained on" if betrays else "which is compatible with chance"
    )
    return (
        f"The nearest generated volume separates {sides} with an AUC of "
        f"{number(membership.auc)} (p {p_value(membership.p)}), {verdict}."
    )


def _method(found: Replicas) -> Iterator[Block]:
    yield Paragraph(
        "Vessels are segmented in every volume and compared as masks, whatever the intensities: "
        "with each training volume and its mirror image, moved by up to 4 mm, whole and by its "
        "left, right, front and back half. The score is by how many standard deviations the Dice "
        "coefficient exceeds that of different people, in the part where it does so most."
    )
    yield Paragraph(
        f"Different people are {found.references} training subjects, each compared with the "
        f"volumes of all others in the same way. Volumes with a score above "
        f"{number(found.threshold)} are flagged. p is the share of them that reach a score; it "
        f"cannot be smaller than {p_value(1 / (1 + found.references))}."
    )
    yield Paragraph(
        "As a second opinion, axial projections of the masks are correlated with those of all "
        "training volumes, both sides up. They are not moved, and decide nothing."
    )
    yield Paragraph(
        "A repeated background or texture without its vessels is not found, nor is a vessel that "
        "is bent or moved by more than 4 mm."
    )


def rows_of(
    found: Replicas, generated: VolumeSet, training: VolumeSet
) -> Sequence[dict[str, object]]:
    """Return one row per generated volume, for tables."""
    return [
        {
            "generated": generated.names[match.index],
            "training": training.names[match.nearest],
            "mirrored": match.mirrored,
            "part": match.part,
            "dice": round(match.dice, 4),
            "score": round(match.score, 3),
            "p": round(match.p, 5),
            "training_by_projection": training.names[match.projection.nearest],
            "projection_mirrored": match.projection.mirrored,
            "correlation": round(match.projection.correlation, 4),
            "correlation_p": round(match.projection.p, 5),
            "flagged": match.score > found.threshold,
        }
        for match in found.matches
    ]
