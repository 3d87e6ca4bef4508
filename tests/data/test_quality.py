"""Tests of quality pages: content, order and orientation."""

import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cowgan.data.case_records import CaseRecord
from cowgan.data.quality import (
    draw_case,
    picture_path,
    sheet_path,
    write_picture,
    write_quality_pages,
)
from cowgan.data.scans import SetAside
from cowgan.volume import Volume, default_affine

SHAPE = (32, 128, 128)


def marked(z: int, x: int, y: int) -> Volume:
    data = np.random.default_rng(0).random(SHAPE, dtype=np.float32) * 0.1
    data[z : z + 3, x : x + 3, y : y + 3] = 1
    return Volume(data, default_affine(SHAPE))


def test_the_patients_left_is_on_the_right_and_proportions_are_true():
    picture = np.asarray(draw_case(marked(27, 110, 110)))
    size = round(128 * 1.6)
    axial = picture[:size, :size]
    row, column = np.unravel_index(axial[:, 40:].argmax(), axial[:, 40:].shape)
    assert column + 40 > 0.8 * size, "left of the patient"
    assert row < 0.2 * size, "anterior"
    right = picture[:, size + 6 :]
    rows = np.flatnonzero(right.any(axis=1))
    tall = rows[-1] - rows[0] + 1
    assert right.shape[1] == pytest.approx(size, abs=1)
    assert tall == pytest.approx(2 * 32 * 0.62 / 0.61875 * 1.6 + 6, abs=3)


def records(folder, count):
    made = []
    for number in range(count):
        name = f"case-{number}"
        write_picture(marked(5 + number % 20, 20, 30), picture_path(folder, name))
        made.append(CaseRecord(name, "done", score=0.9 - number / 1000, coverage=1.0))
    return made


def test_the_page_is_self_contained_and_shows_the_worst_first(tmp_path):
    cases = records(tmp_path, 3)
    cases += [
        CaseRecord("odd & <name>", "failed", "It is damaged & cut."),
        CaseRecord("case-low", "rejected", "The registration scores 0.10.", score=0.1),
    ]
    cases[0] = replace(cases[0], remarks=["Its left & right are assumed."])
    aside = [SetAside("derivatives/<mask>.nii.gz", "It is a mask.", "/in/mask.nii.gz")]
    page = write_quality_pages(tmp_path, cases, "Registered to head.nii.gz.", aside)
    html = page.read_text(encoding="utf-8")
    assert "Its left &amp; right are assumed." in html
    assert "derivatives/&lt;mask&gt;.nii.gz" in html
    assert "It is a mask." in html
    assert "3 done, 1 rejected, 1 failed" in html
    assert "Registered to head.nii.gz." in html
    assert "odd &amp; &lt;name&gt;" in html
    assert "It is damaged &amp; cut." in html
    assert html.count("data:image/png;base64") == 3
    assert not re.search(r'(src|href)="(?!data:)', html), "needs no other file"
    order = re.findall(r"<figcaption><b>([^<]+)</b>", html)
    assert order == ["odd &amp; &lt;name&gt;", "case-low", "case-2", "case-1", "case-0"]


def test_many_cases_fill_several_sheets_and_old_sheets_are_removed(tmp_path):
    cases = records(tmp_path, 2)
    many = [CaseRecord(f"{n}", "failed", "No.") for n in range(70)]
    write_quality_pages(tmp_path, cases + many)
    assert sheet_path(tmp_path, 2).exists()
    with Image.open(sheet_path(tmp_path)) as first, Image.open(sheet_path(tmp_path, 2)) as second:
        assert first.height > second.height
    write_quality_pages(tmp_path, cases)
    assert not sheet_path(tmp_path, 2).exists()


def test_long_names_and_sentences_stay_on_their_card(tmp_path):
    long = CaseRecord("n" * 200, "failed", "word " * 80 + "x" * 300)
    write_quality_pages(tmp_path, [long, *records(tmp_path, 1)])
    sheet = np.asarray(Image.open(sheet_path(tmp_path)).convert("RGB")).astype(int)
    background = sheet[0, 0]
    margin = 24
    gap = sheet[:, margin + 416 : margin + 416 + margin]
    assert (gap[:, 2:-2] == background).all()
