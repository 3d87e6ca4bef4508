import csv
import json
from dataclasses import replace

import checkpoint_files as files
import numpy as np
import pytest

from cowgan.checkpoint import load, save
from cowgan.errors import Cancelled, CowganError
from cowgan.files import atomic_path, sha256_of
from cowgan.progress import Silent
from cowgan.synthesis import LatentState, Synthesizer, export_path, export_volumes
from cowgan.volume import read_volume

STATES = [
    LatentState(3, psi=0.5),
    LatentState(2**64 - 1, noise_seed=4),
    LatentState(5, noise=False),
]


class StopsAfter(Silent):
    def __init__(self, count: int) -> None:
        self.count = count
        self.messages: list[str] = []

    def report(self, done, total, message=""):
        self.messages.append(message)
        self.cancelled = done >= self.count


def manifest(folder):
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_state_becomes_a_file_and_a_row(synthesizer, tmp_path):
    folder = tmp_path / "new" / "folder"
    rows = export_volumes(synthesizer, STATES, folder)
    names = ["seed_000003.nii.gz", f"seed_{2**64 - 1}.nii.gz", "seed_000005.nii.gz"]
    assert [row.file for row in rows] == names
    assert manifest(folder) == [
        {
            "file": name,
            "seed": str(state.seed),
            "psi": str(state.psi),
            "noise_seed": noise_seed,
            "sha256": sha256_of(folder / name),
            "checkpoint_sha256": "",
        }
        for name, state, noise_seed in zip(names, STATES, ["3", "4", ""], strict=True)
    ]
    for state, row in zip(STATES, rows, strict=True):
        path = export_path(folder, state)
        volume = read_volume(path)
        np.testing.assert_array_equal(volume.data, synthesizer.render(state).data)
        assert volume.synthetic
        sidecar = json.loads(
            (folder / row.file.replace(".nii.gz", ".json")).read_text(encoding="utf-8")
        )
        assert LatentState.from_dict(sidecar["provenance"]["state"]) == state
        assert sidecar["image_sha256"] == row.sha256


def test_stopping_keeps_the_finished_files_and_a_manifest_of_them(synthesizer, tmp_path):
    progress = StopsAfter(2)
    with pytest.raises(Cancelled):
        export_volumes(synthesizer, STATES, tmp_path, progress=progress)
    assert len(manifest(tmp_path)) == 2
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [
        ".csv", ".gz", ".gz", ".json", ".json"
    ]  # fmt: skip
    assert progress.messages == ["", *(row["file"] for row in manifest(tmp_path))]


def test_stopping_before_the_first_file_writes_nothing(synthesizer, tmp_path):
    with pytest.raises(Cancelled):
        export_volumes(synthesizer, STATES, tmp_path, progress=StopsAfter(0))
    assert not list(tmp_path.iterdir())


def test_stopping_after_the_last_file_changes_nothing(synthesizer, tmp_path):
    assert len(export_volumes(synthesizer, STATES, tmp_path, progress=StopsAfter(3))) == 3


def test_a_full_disk_is_one_sentence_and_the_manifest_lists_what_is_there(
    synthesizer, tmp_path, monkeypatch, single_sentence
):
    from cowgan.synthesis import export

    write = export.write_nifti

    def full(volume, path):
        if "000005" in path.name:
            with atomic_path(path):
                raise OSError(28, "No space left on device")
        write(volume, path)

    monkeypatch.setattr(export, "write_nifti", full)
    with pytest.raises(CowganError) as refusal:
        export_volumes(synthesizer, STATES, tmp_path)
    assert "No space left on device" in single_sentence(refusal)
    assert [row["seed"] for row in manifest(tmp_path)] == ["3", str(2**64 - 1)]
    assert not list(tmp_path.glob(".part*"))


def test_a_folder_that_is_a_file_is_reported_in_one_sentence(
    synthesizer, tmp_path, single_sentence
):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        export_volumes(synthesizer, STATES, tmp_path / "file")
    single_sentence(refusal)


def test_existing_files_are_kept_unless_overwriting_is_allowed(
    synthesizer, tmp_path, single_sentence
):
    name = "seed_000003.nii.gz"
    (tmp_path / name).write_text("precious", encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        export_volumes(synthesizer, STATES, tmp_path)
    assert name in single_sentence(refusal)
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["precious"]
    export_volumes(synthesizer, STATES, tmp_path, overwrite=True)
    assert len(manifest(tmp_path)) == 3


def test_asked_again_only_what_is_missing_or_changed_is_made(tmp_path, single_sentence):
    save(files.lively(), tmp_path / "model.safetensors")
    synthesizer = Synthesizer(load(tmp_path / "model.safetensors"), "cpu", "exact")
    out = tmp_path / "out"
    first = export_volumes(synthesizer, STATES, out)
    made = {path: path.stat().st_mtime_ns for path in out.glob("*.nii.gz")}
    (out / "manifest.csv").unlink()
    export_path(out, STATES[1]).unlink()
    assert export_volumes(synthesizer, STATES, out) == first
    assert [row["sha256"] for row in manifest(out)] == [row.sha256 for row in first]
    rewritten = [path for path, time in made.items() if path.stat().st_mtime_ns != time]
    assert rewritten == [export_path(out, STATES[1])]
    changed = export_path(out, STATES[0])
    changed.write_bytes(changed.read_bytes() + b"0")
    for states in (STATES, [replace(STATES[2], psi=0.25)]):
        with pytest.raises(CowganError) as refusal:
            export_volumes(synthesizer, states, out)
        assert "exists already" in single_sentence(refusal)


def test_a_manifest_whose_last_row_a_full_disk_cut_is_continued(synthesizer, tmp_path):
    export_volumes(synthesizer, [LatentState(1), LatentState(2)], tmp_path)
    table = tmp_path / "manifest.csv"
    table.write_bytes(table.read_bytes()[:-20])
    export_volumes(synthesizer, [LatentState(3)], tmp_path)
    assert [row["seed"] for row in manifest(tmp_path)] == ["1", "3"]


def test_a_seed_given_twice_is_refused(synthesizer, tmp_path, single_sentence):
    with pytest.raises(CowganError) as refusal:
        export_volumes(synthesizer, [LatentState(1), LatentState(1, psi=0.5)], tmp_path)
    single_sentence(refusal)
    assert not list(tmp_path.iterdir())


def test_nothing_to_export_is_no_file(synthesizer, tmp_path):
    assert export_volumes(synthesizer, [], tmp_path / "folder") == []


def test_a_state_of_another_model_is_reported_in_one_sentence(
    synthesizer, tmp_path, single_sentence
):
    with pytest.raises(CowganError) as refusal:
        export_volumes(synthesizer, [STATES[0], LatentState(w=((0.0,),))], tmp_path)
    single_sentence(refusal)


def test_a_second_export_continues_the_manifest(synthesizer, tmp_path):
    export_volumes(synthesizer, [LatentState(1), LatentState(2)], tmp_path)
    export_volumes(synthesizer, [LatentState(3)], tmp_path)
    assert [row["seed"] for row in manifest(tmp_path)] == ["1", "2", "3"]
    export_volumes(synthesizer, [LatentState(1, psi=0.5)], tmp_path, overwrite=True)
    assert [(row["seed"], row["psi"]) for row in manifest(tmp_path)] == [
        ("2", "1.0"),
        ("3", "1.0"),
        ("1", "0.5"),
    ]


@pytest.mark.parametrize("content", [b"name,age\nx,1\n", b"\xff\xfe\x00", b"file,seed\n"])
def test_a_manifest_of_another_program_is_left_alone(
    synthesizer, tmp_path, single_sentence, content
):
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(CowganError) as refusal:
        export_volumes(synthesizer, [LatentState(1)], tmp_path, overwrite=True)
    assert "manifest" in single_sentence(refusal)
    assert (tmp_path / "manifest.csv").read_bytes() == content
    assert len(list(tmp_path.iterdir())) == 1
