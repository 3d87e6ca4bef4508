"""Tests of the command ``cowgan evaluate``."""

import json
from pathlib import Path

import numpy as np
import pytest
from planted_copies import person
from pretrained_files import write_medicalnet
from typer.testing import CliRunner

from cowgan.checkpoint import Checkpoint, save
from cowgan.cli.app import app
from cowgan.errors import CowganError
from cowgan.networks import NetworkConfig
from cowgan.volume import Volume, write_labels, write_nifti


def run(*arguments: object):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments), "--jobs", "1"])


def folder_of(path: Path, seeds: range) -> Path:
    path.mkdir()
    for seed in seeds:
        write_nifti(person(seed), path / f"sub-{seed:03}.nii.gz")
    return path


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp("sets") / "real", range(24))


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp("sets") / "generated", range(100, 112))


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("features")


def test_folders_are_compared_and_the_report_is_not_replaced(
    real, generated, features, tmp_path: Path
) -> None:
    arguments = ("--real", real, "--generated", generated, "--out", tmp_path / "found")
    done = run(*arguments, "--features", features, "--json")
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert record == json.loads((tmp_path / "found" / "report.json").read_text(encoding="utf-8"))
    assert record["comparisons"][0]["n_generated"] == 12
    before = (tmp_path / "found" / "report.html").read_bytes()
    with pytest.raises(CowganError, match="--overwrite"):
        CliRunner().invoke(
            app, ["evaluate", *map(str, arguments)], catch_exceptions=False, standalone_mode=False
        )
    assert (tmp_path / "found" / "report.html").read_bytes() == before


def _one_volume(folder: Path) -> None:
    write_nifti(person(100), folder / "a.nii.gz")


def _other_shape(folder: Path) -> None:
    for seed in range(12):
        volume = person(seed)
        write_nifti(Volume(volume.data[:, :40], volume.affine), folder / f"v{seed}.nii.gz")


def _one_of_another_shape(folder: Path) -> None:
    for seed in range(12):
        volume = person(seed)
        data = volume.data if seed else volume.data[:, :40]
        write_nifti(Volume(data, volume.affine), folder / f"v{seed:02}.nii.gz")


def _not_finite(folder: Path) -> None:
    import nibabel as nib

    for seed in range(12):
        data = person(seed).data.transpose(1, 2, 0).copy()
        data[3, 3, 3] = np.nan
        nib.save(nib.Nifti1Image(data, person(seed).affine), folder / f"v{seed}.nii.gz")


def _nothing(folder: Path) -> None:
    del folder


def _label_maps(folder: Path) -> None:
    for seed in range(12):
        labels = (person(seed).data > 0.5).astype(np.uint8)
        write_labels(labels, person(seed).affine, folder / f"v{seed}_dseg.nii.gz")


def _flat(folder: Path) -> None:
    for seed in range(12):
        volume = person(seed)
        write_nifti(Volume(np.full_like(volume.data, 7), volume.affine), folder / f"v{seed}.nii")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (_one_volume, "at least 12 generated volumes"),
        (_other_shape, "cowgan preprocess"),
        (_one_of_another_shape, "another shape"),
        (_not_finite, "NaN"),
        (_nothing, "no scan"),
        (_label_maps, "hold labels"),
        (_flat, "same value"),
    ],
)
def test_wrong_input_is_one_sentence_and_leaves_no_report(
    make, sentence: str, real, features, tmp_path: Path
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    make(folder)
    done = run(
        "--real", real, "--generated", folder, "--out", tmp_path / "out", "--features", features
    )
    assert isinstance(done.exception, CowganError), done.exception
    said = done.exception.sentence + done.exception.detail
    assert sentence.casefold() in said.casefold()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [("--psi-sweep", None, "needs a model"), ("--n", 5, "no number"), ("--run", ".", "log.csv")],
)
def test_options_that_do_not_fit_are_refused_at_once(
    option: str, value, sentence: str, real, generated, tmp_path: Path
) -> None:
    given = [option] if value is None else [option, tmp_path if value == "." else value]
    done = run("--real", real, "--generated", generated, "--out", tmp_path / "out", *given)
    assert isinstance(done.exception, CowganError)
    assert sentence in done.exception.sentence


def _write_slabs(folder: Path, seeds: range) -> Path:
    """Write volumes of 16 slices of different people."""
    folder.mkdir()
    for seed in seeds:
        volume = person(seed)
        write_nifti(Volume(volume.data[4:20], volume.affine), folder / f"sub-{seed:03}.nii.gz")
    return folder


def test_each_extractor_is_named_and_the_first_decides(features, tmp_path: Path) -> None:
    real = _write_slabs(tmp_path / "real", range(12))
    generated = _write_slabs(tmp_path / "generated", range(100, 112))
    write_medicalnet(tmp_path)
    network = NetworkConfig(64, 16, 1, 16, latent_dim=32, style_depth=2)
    save(Checkpoint.random(network), tmp_path / "model.safetensors")
    done = run(
        *("--real", real, "--generated", generated, "--out", tmp_path / "out", "--json"),
        *("--features", features, "--weights", tmp_path, "--extractor", "medicalnet"),
        *("--extractor", f"discriminator={tmp_path / 'model.safetensors'}"),
        *("--extractor", "coarse-vessels"),
    )
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert [(one["extractor"]["name"], one["features"]) for one in record["comparisons"]] == [
        ("MedicalNet ResNet-10", 512),
        ("Discriminator of model.safetensors", 16 * 2**3),
        ("coarse vessel maps and MIPs", 8 * 16 * 16 + 64 * 64),
    ]
    verdict = " ".join(record["verdict"]["sentences"])
    assert "MedicalNet" in verdict
    assert "vessel maps" not in verdict


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        (("inception",), "no extractor of volumes 'inception'"),
        (("efficientnet=weights.pth",), "takes no weights"),
        (("medicalnet=missing.pth",), "missing.pth is missing"),
        (("dinov2",), "folder of weights"),
        (("discriminator=run",), "name another extractor first"),
        (("efficientnet", "discriminator"), "discriminator=RUN"),
        (("efficientnet", "discriminator=missing"), "no file missing"),
    ],
)
def test_extractors_that_cannot_be_used_are_refused_before_any_work(
    choices: tuple[str, ...], sentence: str, real, generated, tmp_path: Path
) -> None:
    given = [part for choice in choices for part in ("--extractor", choice)]
    done = run("--real", real, "--generated", generated, "--out", tmp_path / "out", *given)
    assert isinstance(done.exception, CowganError)
    assert sentence in done.exception.sentence
    assert not (tmp_path / "out").exists()
