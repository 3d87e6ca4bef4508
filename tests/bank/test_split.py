from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowgan.bank.split import SplitRule, read_split_table, split_by_subject
from cowgan.data.subjects import subject_of
from cowgan.errors import CowganError

subject_names = st.text("abcdefgh0123456789", min_size=1, max_size=6)
subjects = st.lists(subject_names, min_size=1, max_size=60, unique=True)
fractions = st.floats(0, 0.9)
seeds = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    ("case", "subject"),
    [
        ("sub-012_ses-1_angio", "sub-012"),
        ("sub-012/ses-2/anat/sub-012_ses-2_angio", "sub-012"),
        ("derivatives/sub-A7/tof", "sub-A7"),
        ("IXI002-Guys-0828-MRA", "IXI002"),
        ("site/IXI661-HH-2788-MRA", "IXI661"),
        ("patient 7", "patient 7"),
        ("mysub-3", "mysub-3"),
        ("phantom-000012", "phantom-000012"),
    ],
)
def test_the_subject_is_read_from_the_name(case, subject):
    assert subject_of(case) == subject


@given(subjects, st.integers(1, 4), fractions, seeds)
def test_all_scans_of_a_subject_are_on_one_side(names, scans, holdout, seed):
    cases = [f"sub-{name}_run-{run}" for name in names for run in range(scans)]
    split = split_by_subject(cases, holdout, seed)
    assert set(split) == set(cases)
    for name in names:
        sides = {split[f"sub-{name}_run-{run}"].split for run in range(scans)}
        assert len(sides) == 1


@given(subjects, fractions, seeds)
def test_the_share_held_out_is_the_one_asked_for(names, holdout, seed):
    split = split_by_subject(names, holdout, seed)
    held_out = sum(assigned.split == "holdout" for assigned in split.values())
    if holdout == 0 or len(names) == 1:
        assert held_out == 0
    else:
        assert 1 <= held_out < len(names)
        assert held_out == 1 or abs(held_out - holdout * len(names)) <= 1


@given(subjects.flatmap(lambda names: st.tuples(st.just(names), st.permutations(names))), seeds)
def test_the_order_of_the_files_does_not_matter(names, seed):
    given_order, other_order = names
    assert split_by_subject(given_order, 0.1, seed) == split_by_subject(other_order, 0.1, seed)


@given(st.lists(subject_names, min_size=3, max_size=60, unique=True), fractions, seeds)
def test_a_new_subject_moves_at_most_one_other(names, holdout, seed):
    *known, _ = names
    before, after = split_by_subject(known, holdout, seed), split_by_subject(names, holdout, seed)
    assert sum(before[name] != after[name] for name in known) <= 1


def test_another_scan_of_a_known_subject_changes_no_assignment():
    cases = [f"sub-{i}_run-1" for i in range(30)]
    before = split_by_subject(cases)
    after = split_by_subject([*cases, "sub-7_run-2"])
    assert {case: after[case] for case in cases} == before


def test_the_split_of_fixed_names_never_changes():
    names = [f"sub-{i:02d}" for i in range(20)]
    held_out = {c for c, a in split_by_subject(names).items() if a.split == "holdout"}
    assert held_out == {"sub-00", "sub-09"}


def test_another_seed_holds_out_others():
    names = [f"sub-{i}" for i in range(100)]
    assert split_by_subject(names, seed=0) != split_by_subject(names, seed=1)


@pytest.mark.parametrize("holdout", [-0.1, 1, 10, float("nan")])
def test_an_impossible_share_is_refused(holdout, single_sentence):
    with pytest.raises(CowganError) as refusal:
        SplitRule(holdout)
    assert "0 to below 1" in single_sentence(refusal)


def write_table(folder: Path, text: str) -> Path:
    path = folder / "split.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_decides_the_split(tmp_path):
    table = write_table(
        tmp_path,
        "\ufeffcase,subject,age,split\n"
        "a1,A,30,holdout\na2,A,31,holdout\nb,B,40,training\nsub-9_x,,50,\nelsewhere,E,1,holdout\n",
    )
    split = SplitRule(0.5, table=table).assign(["a1", "a2", "b", "sub-9_x"])
    assert {case: (a.subject, a.split) for case, a in split.items()} == {
        "a1": ("A", "holdout"),
        "a2": ("A", "holdout"),
        "b": ("B", "training"),
        "sub-9_x": ("sub-9", "holdout"),
    }


def test_a_table_of_subjects_alone_leaves_the_choice_to_the_share(tmp_path):
    lines = [f"case{i},person{i // 2}" for i in range(40)]
    table = write_table(tmp_path, "case,subject\n" + "\n".join(lines))
    split = SplitRule(0.1, table=table).assign([f"case{i}" for i in range(40)])
    held_out = {a.subject for a in split.values() if a.split == "holdout"}
    assert len(held_out) == 2
    assert all(split[f"case{i}"] == split[f"case{i + 1}"] for i in range(0, 40, 2))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("case subject\na A\n", "columns case and subject"),
        ("", "columns case and subject"),
        ("case,subject\na,A\na,B\n", "twice"),
        ("case,subject,split\na,A,training\nb,A,holdout\n", "in one split"),
        ("case,subject,split\na,A,validation\n", "'validation'"),
        ("case,subject\nb,B\n", "does not name the case a"),
    ],
)
def test_a_table_that_decides_nothing_is_refused(tmp_path, text, said, single_sentence):
    with pytest.raises(CowganError) as refusal:
        SplitRule(table=write_table(tmp_path, text)).assign(["a"])
    assert said in single_sentence(refusal)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x01case", None])
def test_an_unreadable_table_is_reported_in_one_sentence(tmp_path, content, single_sentence):
    path = tmp_path / "split.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CowganError) as refusal:
        read_split_table(path)
    assert "split.csv" in single_sentence(refusal)
