"""Quality control pages with pictures of all preprocessed cases."""

from base64 import b64encode
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from string import Template as Text

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cowgan.data.case_records import FAILED_CSV, CaseRecord
from cowgan.data.scans import SetAside
from cowgan.errors import CowganError
from cowgan.files import atomic_path, read_bytes
from cowgan.pictures import LARGEST_PICTURE, read_picture
from cowgan.text import markup
from cowgan.volume import Plane, Volume, mip
from cowgan.volume.intensity import to_grey

PAGE = "quality.html"
PICTURES = "quality"
"""Folder with one picture per case."""

_ENLARGED = 1.6
_GAP = 6
_COLUMNS = 4
_CASES_PER_SHEET = 60
_MOST_LISTED = 200
_CAPTION = 46
_MARGIN = 24
_BACKGROUND, _CARD = (17, 19, 23), (28, 31, 37)
_INK, _FAINT = (236, 238, 241), (160, 166, 176)
_STATUS_INK = {"done": (116, 198, 140), "rejected": (240, 178, 82), "failed": (238, 108, 100)}
_LEFT_LETTER: dict[Plane, str] = {"axial": "R", "coronal": "R", "sagittal": "A"}


def picture_path(folder: Path, name: str) -> Path:
    """Return the path of the picture of a case."""
    return Path(folder) / PICTURES / f"{name}.png"


def sheet_path(folder: Path, number: int = 1) -> Path:
    """Return the path of a contact sheet; above 60 cases there are several."""
    return Path(folder) / ("quality.png" if number == 1 else f"quality-{number}.png")


def draw_case(volume: Volume) -> Image.Image:
    """Return the three maximum intensity projections of a volume side by side.

    Axial on the left, coronal above sagittal on the right, at one scale and in radiological
    orientation. A letter marks the left side: the patient's right, or anterior.
    """
    axial, coronal, sagittal = (_projection(volume, plane) for plane in _LEFT_LETTER)
    width = axial.width + _GAP + max(coronal.width, sagittal.width)
    height = max(axial.height, coronal.height + _GAP + sagittal.height)
    picture = Image.new("L", (width, height), 0)
    picture.paste(axial, (0, (height - axial.height) // 2))
    right = axial.width + _GAP
    top = (height - coronal.height - _GAP - sagittal.height) // 2
    picture.paste(coronal, (right, top))
    picture.paste(sagittal, (right, top + coronal.height + _GAP))
    return picture


def write_picture(volume: Volume, path: Path) -> None:
    """Write the picture of `draw_case` as a PNG file."""
    with atomic_path(path) as temporary:
        draw_case(volume).save(temporary, format="PNG")


def write_quality_pages(
    folder: Path,
    records: Sequence[CaseRecord],
    about: str = "",
    set_aside: Sequence[SetAside] = (),
) -> Path:
    """Write the self-contained ``quality.html``, and ``quality.png``.

    Failed and rejected cases come first, then the others by ascending registration score.

    Parameters
    ----------
    folder : Path
        Folder with the pictures of the cases.
    records : sequence of CaseRecord
        The cases.
    about : str
        One line on the processing.
    set_aside : sequence of SetAside
        Files not taken as scans.

    Returns
    -------
    Path
        The HTML page.

    Raises
    ------
    CowganError
        The folder cannot be written.
    """
    folder = Path(folder)
    ordered = sorted(records, key=_worst_first)
    page = folder / PAGE
    with atomic_path(page) as temporary:
        temporary.write_text(_html(folder, ordered, about, set_aside), encoding="utf-8")
    sheets = max(1, ceil(len(ordered) / _CASES_PER_SHEET))
    for number in range(1, sheets + 1):
        shown = ordered[(number - 1) * _CASES_PER_SHEET : number * _CASES_PER_SHEET]
        with atomic_path(sheet_path(folder, number)) as temporary:
            _sheet(folder, shown).save(temporary, format="PNG")
    number = sheets + 1
    while sheet_path(folder, number).exists():  # left by an earlier run with more cases
        sheet_path(folder, number).unlink()
        number += 1
    return page


def _worst_first(record: CaseRecord) -> tuple[int, float, str]:
    order = ("failed", "rejected", "done").index(record.status)
    return order, -1.0 if record.score is None else record.score, record.name


def _projection(volume: Volume, plane: Plane) -> Image.Image:
    picture = mip(volume, plane, isotropic=True)
    image = Image.fromarray(to_grey(picture, np.percentile(picture, 1), picture.max()))
    size = (round(image.width * _ENLARGED), round(image.height * _ENLARGED))
    image = image.resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    draw.text((5, 3), _LEFT_LETTER[plane], 220, _font(12), stroke_width=2, stroke_fill=0)
    return image


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _picture(folder: Path, record: CaseRecord) -> Image.Image | None:
    path = picture_path(folder, record.name)
    if record.status == "failed" or not path.exists():
        return None
    try:
        return read_picture(path)
    except CowganError:
        return None


def _figures(record: CaseRecord) -> str:
    shown = [] if record.score is None else [f"score {record.score:.2f}"]
    if record.coverage is not None and record.coverage < 0.9995:
        shown.append(f"{record.coverage:.0%} covered")
    return ", ".join(shown)


def _sheet(folder: Path, records: Sequence[CaseRecord]) -> Image.Image:
    pictures = [_picture(folder, record) for record in records]
    sizes = [picture.size for picture in pictures if picture is not None]
    width = max([size[0] for size in sizes], default=416)
    height = max([size[1] for size in sizes], default=205)
    columns = max(1, min(_COLUMNS, len(records)))
    rows = max(1, ceil(len(records) / columns))
    step_x, step_y = width + _MARGIN, height + _CAPTION + _MARGIN
    sheet = Image.new("RGB", (columns * step_x + _MARGIN, rows * step_y + _MARGIN), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for index, (record, picture) in enumerate(zip(records, pictures, strict=True)):
        left = _MARGIN + index % columns * step_x
        top = _MARGIN + index // columns * step_y
        draw.rectangle((left, top, left + width - 1, top + height + _CAPTION - 1), fill=_CARD)
        if picture is not None:
            sheet.paste(picture.convert("RGB"), (left, top))
        else:
            _write_lines(draw, record.reason, left + 12, top + 12, width - 24, height - 24)
        status = record.status if record.status != "done" else ""
        figures = ", ".join(part for part in (status, _figures(record)) if part)
        name = _shortened(draw, record.name, width - 20, 15)
        draw.text((left + 10, top + height + 5), name, fill=_INK, font=_font(15))
        ink = _STATUS_INK[record.status] if status else _FAINT
        draw.text((left + 10, top + height + 25), figures, fill=ink, font=_font(13))
    return sheet


def _shortened(draw: ImageDraw.ImageDraw, text: str, width: int, size: int) -> str:
    """Return the text, shortened in the middle if it is too wide."""
    font, shown, kept = _font(size), text, len(text)
    while draw.textlength(shown, font=font) > width and kept > 2:
        kept -= 1
        shown = f"{text[: ceil(kept / 2)]}…{text[len(text) - kept // 2 :]}"
    return shown


def _write_lines(
    draw: ImageDraw.ImageDraw, text: str, left: int, top: int, width: int, height: int
) -> None:
    font, lines, line = _font(14), [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and draw.textlength(longer, font=font) > width:
            lines.append(line)
            longer = word
        line = _shortened(draw, longer, width, 14)
    for number, content in enumerate([*lines, line][: height // 20]):
        draw.text((left, top + 20 * number), content, fill=_FAINT, font=font)


def _html(
    folder: Path, records: Sequence[CaseRecord], about: str, set_aside: Sequence[SetAside]
) -> str:
    counts = {status: sum(r.status == status for r in records) for status in _STATUS_INK}
    summary = f"{counts['done']} done"
    for status in ("rejected", "failed"):
        if counts[status]:
            summary += f", {counts[status]} {status}"
    aside = [record for record in records if record.status != "done"]
    return _PAGE.substitute(
        summary=summary,
        about=markup(about),
        aside=_html_table(aside, set_aside) if aside or set_aside else "",
        cases="\n".join(_html_case(folder, record) for record in records),
    )


def _html_table(records: Sequence[CaseRecord], set_aside: Sequence[SetAside]) -> str:
    lines = [
        f'<tr><td>{markup(r.name)}</td><td class="{r.status}">{r.status}</td>'
        f"<td>{markup(r.reason)}</td></tr>"
        for r in records
    ]
    lines += [
        f"<tr><td>{markup(one.place)}</td><td>not taken</td><td>{markup(one.reason)}</td></tr>"
        for one in set_aside[:_MOST_LISTED]
    ]
    if len(set_aside) > _MOST_LISTED:
        more = f"{len(set_aside) - _MOST_LISTED} more are listed in {FAILED_CSV}."
        lines.append(f'<tr><td colspan="3">{more}</td></tr>')
    rows = "\n".join(lines)
    return f"<h2>Set aside</h2>\n<table>{rows}</table>\n<h2>Cases</h2>"


def _html_case(folder: Path, record: CaseRecord) -> str:
    picture = _picture(folder, record)
    if picture is None:
        shown = f'<p class="why">{markup(record.reason)}</p>'
    else:
        content = read_bytes(picture_path(folder, record.name), LARGEST_PICTURE)
        data = b64encode(content).decode("ascii")
        shown = (
            f'<img src="data:image/png;base64,{data}" width="{picture.width}" '
            f'height="{picture.height}" alt="Axial, coronal and sagittal projections of '
            f'{markup(record.name)}">'
        )
    status = (
        "" if record.status == "done" else f'<span class="{record.status}">{record.status}</span> '
    )
    remarks = "".join(f'<span class="remark">{markup(text)}</span>' for text in record.remarks)
    return (
        f"<figure>{shown}<figcaption><b>{markup(record.name)}</b><br>{status}"
        f"{markup(_figures(record))}&nbsp;{remarks}</figcaption></figure>"
    )


_PAGE = Text("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Preprocessing: $summary</title>
<style>
body { margin: 2rem; background: #111317; color: #eceef1; font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; }
h2 { font-size: 1.1rem; margin: 1.6rem 0 .6rem; }
p { margin: .2rem 0; color: #a0a6b0; max-width: 60rem; }
table { border-collapse: collapse; }
td { padding: .25rem 1.2rem .25rem 0; vertical-align: top; border-top: 1px solid #2b2f37; }
.cases { display: flex; flex-wrap: wrap; gap: 1.2rem; margin-top: 1.2rem; }
figure { margin: 0; background: #1c1f25; border-radius: 6px; overflow: hidden; max-width: 100%; }
figure img, .why { display: block; max-width: 100%; }
.why { width: 392px; min-height: 181px; margin: 0; padding: 12px; }
figcaption { padding: .4rem .7rem .6rem; overflow-wrap: anywhere; max-width: 400px; }
figcaption b { font-weight: 600; }
.rejected { color: #f0b252; } .failed { color: #ee6c64; }
.remark { display: block; color: #a0a6b0; margin-top: .2rem; }
</style>
<h1>$summary</h1>
<p>$about</p>
<p>Each case shows its axial, coronal (above) and sagittal (below) maximum intensity projections.
R: the patient's right; A: anterior. The cases to look at first come first.</p>
$aside
<div class="cases">
$cases
</div>
</html>
""")
