"""Every kind of file that the program reads: sound specimens, ways to damage them, a reader.

Readers do what a person does next with what was accepted: a checkpoint is rendered, a
journal analysed, a history written again.
"""

import json
import random
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
from checkpoint_files import TINY, lively, published_state, write_published
from fuzz.mutations import (
    Mutation,
    damage,
    gzipped,
    mutated_json,
    nifti_fields,
    npy_header,
    safetensors_header,
    structural_json,
    structural_table,
    structural_toml,
    zip_members,
)

from cowgan.errors import CowganError

if TYPE_CHECKING:
    from cowgan.turing.study.study import Study

Read = Callable[[Path], object]


@dataclass(frozen=True)
class Target:
    """A sound file, and what may happen to it."""

    path: Path
    mutations: Sequence[Mutation]
    read: Read


class Specimens:
    """Sound files in a folder, of which one at a time is damaged.

    Parameters
    ----------
    targets : sequence of Target
        All that may be damaged.
    clear : callable, optional
        Removes what reading left behind.
    """

    def __init__(self, *targets: Target, clear: Callable[[], object] = lambda: None) -> None:
        self._targets = targets
        self._content = {target.path: target.path.read_bytes() for target in targets}
        self._clear = clear
        self._damaged = targets[0]

    def check(self) -> None:
        """Read everything while it is sound, or its refusal would prove nothing."""
        for target in self._targets:
            target.read(target.path)
            self.restore()

    def write(self, chosen: random.Random) -> Path:
        """Damage a file, and return it."""
        self._damaged = chosen.choice(self._targets)
        mutation = chosen.choice(self._damaged.mutations)
        path = self._damaged.path
        path.write_bytes(mutation(self._content[path], chosen))
        return path

    def read(self, path: Path) -> None:
        """Read what was damaged."""
        self._damaged.read(path)

    def restore(self) -> None:
        """Make everything sound again."""
        for path, content in self._content.items():
            path.write_bytes(content)
        self._clear()

    def restore_damaged(self) -> None:
        """Make what was damaged last sound again."""
        self._damaged.path.write_bytes(self._content[self._damaged.path])
        self._clear()


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    name : str
        For the table.
    weight : int
        Share of all inputs.
    prepare : callable
        Makes the specimens in an empty folder.
    """

    name: str
    weight: int
    prepare: Callable[[Path], Specimens]


def _nifti(folder: Path) -> Specimens:
    from cowgan.volume import read_labels, read_volume

    voxels = np.random.default_rng(0).integers(0, 200, (6, 5, 4)).astype(np.int16)
    affine = np.diag([-0.6, 0.6, 0.62, 1])
    nib.save(nib.Nifti1Image(voxels, affine), folder / "one.nii")
    nib.save(nib.Nifti2Image(voxels.astype(np.float64), affine), folder / "two.nii")
    nib.save(nib.Nifti1Image(voxels.astype(np.uint8), affine), folder / "packed.nii.gz")

    def read(path: Path) -> None:
        with suppress(CowganError):
            read_labels(path)
        read_volume(path)

    plain, packed = (damage, nifti_fields, nifti_fields), (damage, gzipped(nifti_fields))
    return Specimens(
        Target(folder / "one.nii", plain, read),
        Target(folder / "two.nii", plain, read),
        Target(folder / "packed.nii.gz", (*packed, gzipped(damage)), read),
    )


def _sidecar(folder: Path) -> Specimens:
    from cowgan.volume import Volume, default_affine, read_volume, write_nifti

    shape = (4, 5, 6)
    data = np.random.default_rng(0).random(shape, np.float32)
    history = {
        "synthetic": True,
        "sources": [{"file": "a.nii", "data_type": "int16", "orientation": "LAS"}],
        "state": {"seed": 3, "psi": 0.5},
        "labels": {"1": "BA"},
    }
    image = folder / "image.nii"
    write_nifti(Volume(data, default_affine(shape), history), image)

    def read(_: Path) -> None:
        write_nifti(read_volume(image), folder / "again.nii")

    return Specimens(
        Target(folder / "image.json", (damage, structural_json, structural_json), read)
    )


def _checkpoint(folder: Path) -> Specimens:
    import torch

    from cowgan.checkpoint import load, save
    from cowgan.synthesis import LatentState, Synthesizer

    torch.set_num_threads(1)
    path = folder / "model.safetensors"
    save(lively(), path)

    def read(path: Path) -> None:
        Synthesizer(load(path), "cpu").render(LatentState(1))

    return Specimens(Target(path, (damage, safetensors_header, safetensors_header), read))


def _published(folder: Path) -> Specimens:
    import torch

    from cowgan.checkpoint import load

    torch.set_num_threads(1)
    content = {"GAN": published_state(lively())}
    zipped = write_published(folder, content)
    legacy = write_published(folder, content, name="legacy_2.pt", legacy=True)
    read = partial(load, depth=TINY.depth)
    members = zip_members({"data.pkl": damage})
    return Specimens(
        Target(zipped, (damage, members), read),
        Target(legacy, (damage,), read),
        Target(folder / ".config.json", (damage, structural_json), lambda _: read(zipped)),
    )


def _projection_models(folder: Path) -> Specimens:
    from cowgan.checkpoint import load, save
    from cowgan.latent.anatomy_codes import (
        anatomies_path,
        encode_anatomies,
        save_anatomies,
        stored_anatomies,
    )
    from cowgan.latent.encoder_files import encoder_path, load_encoder, save_encoder
    from cowgan.latent.encoder_fitting import fit_encoder
    from cowgan.latent.tuning import Tuning, load_tuning, save_tuning
    from cowgan.synthesis import LatentState, Synthesizer

    save(lively(), folder / "model.safetensors")
    model = load(folder / "model.safetensors")
    synthesizer = Synthesizer(model, "cpu")
    encoder = encoder_path(folder / "model.safetensors")
    save_encoder(fit_encoder(synthesizer, samples=10), encoder)
    person = synthesizer.render(LatentState(1))
    anatomies = anatomies_path(folder / "model.safetensors")
    save_anatomies(encode_anatomies(model, [("a person", person)]), anatomies)
    tuning = folder / "tuning.safetensors"
    save_tuning(Tuning.between(model, model.synthesis), tuning)
    damages = (damage, safetensors_header)
    return Specimens(
        Target(encoder, damages, lambda path: load_encoder(path, model)),
        Target(anatomies, damages, lambda _: stored_anatomies(model)),
        Target(tuning, damages, load_tuning),
    )


def _directions(folder: Path) -> Specimens:
    from cowgan.latent import load_directions, save_directions
    from cowgan.latent.direction_effects import AttributeEffect, DirectionEffects
    from cowgan.latent.effect_files import load_effects, save_effects
    from cowgan.synthesis import Direction

    checkpoint = replace(lively(), sha256="0" * 64)
    vectors = np.random.default_rng(0).standard_normal((3, TINY.latent_dim), np.float32)
    directions = [
        Direction(f"Direction {i}", "PCA", "w", vector, 0, 1) for i, vector in enumerate(vectors)
    ]
    paths = [folder / name for name in ("some.json", "some.safetensors")]
    for path in paths:
        save_directions(path, directions, checkpoint)
    measured = (AttributeEffect("pieces", 0.5, 0.1, 0.2),)
    effects = [DirectionEffects(each.digest, "w", 0, 1, measured) for each in directions]
    save_effects(folder / "effects.json", effects, checkpoint)
    return Specimens(
        Target(paths[0], (damage, structural_json, structural_json), load_directions),
        Target(paths[1], (damage, safetensors_header), load_directions),
        Target(
            folder / "effects.json",
            (damage, structural_json),
            lambda path: load_effects(path, checkpoint),
        ),
    )


def _bank(folder: Path) -> Specimens:
    from training_banks import LabelledTubes, make_bank

    from cowgan.bank.bank import Bank

    make_bank(folder / "bank", 3, kind=LabelledTubes)

    def read(path: Path) -> None:
        bank = Bank.open(path.parent)
        bank.read(range(len(bank)))
        if bank.label_scheme is not None:
            bank.read_labels(range(len(bank)))
        bank.volume(0)
        bank.verify()

    return Specimens(
        Target(folder / "bank" / "bank.json", (damage, structural_json, structural_json), read),
        Target(folder / "bank" / "volumes.npy", (damage, npy_header), read),
        Target(folder / "bank" / "labels.npy", (damage, npy_header), read),
    )


def _run(folder: Path) -> Specimens:
    import torch
    from training_banks import make_bank

    from cowgan.networks import NetworkConfig
    from cowgan.training.bank_subset import BankSubset
    from cowgan.training.config import preset
    from cowgan.training.config_files import read_config
    from cowgan.training.log import LogFollower, LogWriter
    from cowgan.training.remote_control import read_status
    from cowgan.training.run import export_run, read_run, start_run
    from cowgan.training.run_state import load_state
    from cowgan.training.trainer import Trainer

    torch.set_num_threads(1)
    bank = make_bank(folder / "bank", 4)
    network = NetworkConfig(16, 16, 1, 8, latent_dim=8, style_depth=1)
    config = preset("modern", network).with_changes(batch=1, accumulate=1, steps=2)
    run = folder / "run"
    start_run(run, bank, config, "cpu")
    trainer = Trainer(config, BankSubset(bank, network.volume_shape, bank.training), "cpu")

    def state(path: Path) -> None:
        load_state(trainer, run, bank.sha256)
        export_run(run, folder / "exported.safetensors")

    def log(path: Path) -> None:
        LogFollower(path).read()
        LogWriter(path, 1).close()

    return Specimens(
        Target(run / "run.json", (damage, structural_json), lambda _: read_run(run)),
        Target(
            run / "config.toml", (damage, structural_toml), lambda path: read_config(path, config)
        ),
        Target(run / "state.safetensors", (damage, safetensors_header), state),
        Target(run / "status.json", (damage, structural_json), lambda _: read_status(run)),
        Target(run / "log.csv", (damage, structural_table), log),
    )


def _segmenter(folder: Path) -> Specimens:
    import torch
    from segmentation_cases import tiny_config, tube_cases
    from training_banks import LabelledTubes, make_bank

    from cowgan.segmentation.case_source import CaseSource, read_source
    from cowgan.segmentation.segmentation_config import SegmentationConfig
    from cowgan.segmentation.segmentation_run import resume_segmenter, train_segmenter
    from cowgan.segmentation.segmenter import Segmenter
    from cowgan.segmentation.segmenter_files import load_segmenter
    from cowgan.training.config_files import read_config
    from cowgan.volume import Volume, default_affine

    torch.set_num_threads(1)
    cases, run = tube_cases(2), folder / "run"
    source = CaseSource.of(bank=make_bank(folder / "bank", 4, kind=LabelledTubes).path)
    train_segmenter(run, cases, tiny_config(steps=1), "cpu", source=source)
    image = Volume(cases.cases[0].image.astype(np.float32), default_affine((8, 32, 32)))

    def model(path: Path) -> None:
        Segmenter([load_segmenter(path)], "cpu")(image)

    def state(_: Path) -> None:
        resume_segmenter(run, cases, "cpu")

    def settings(path: Path) -> None:
        read_config(path, SegmentationConfig())

    return Specimens(
        Target(run / "model.safetensors", (damage, safetensors_header, safetensors_header), model),
        Target(run / "state.safetensors", (damage, safetensors_header), state),
        Target(run / "config.toml", (damage, structural_toml), settings),
        Target(run / "cases.json", (damage, structural_json), lambda _: read_source(run).read()),
    )


def _chained(content: bytes, chosen: random.Random) -> bytes:
    """Change what records say, and make the chain fit, as a careful cheat would."""
    from cowgan.canonical_json import canonical, sha256_of_content

    lines = [json.loads(line) for line in content.splitlines()]
    for _ in range(chosen.choice((1, 1, 2, 5))):
        place = chosen.randrange(len(lines))
        match chosen.randrange(5):
            case 0:
                del lines[place]
            case 1:
                lines.insert(place, json.loads(json.dumps(chosen.choice(lines))))
            case _:
                changed = mutated_json(lines[place], chosen)
                lines[place] = changed if isinstance(changed, dict) else lines[place]
    head, written = "0" * 64, []
    for number, line in enumerate(lines):
        record = {**line, "prev": head}
        if chosen.random() < 0.95:
            record["seq"] = number
        record.pop("sha256", None)
        try:
            record["sha256"] = head = sha256_of_content(record)
            written.append(canonical(record))
        except ValueError:
            # A number that JSON does not have.
            written.append(json.dumps(record).encode())
    return b"\n".join(written) + b"\n"


def _hashed_manifest(content: bytes, chosen: random.Random) -> bytes:
    """Change a manifest and update its hash, as the maker of a hostile package would."""
    from cowgan.canonical_json import sha256_of_content

    changed = mutated_json(json.loads(content), chosen)
    if isinstance(changed, dict):
        changed.pop("package_sha256", None)
        with suppress(ValueError):
            changed["package_sha256"] = sha256_of_content(changed)
    return json.dumps(changed).encode()


@cache
def _made() -> "tempfile.TemporaryDirectory[str]":
    from turing_readers import observer, play
    from turing_studies import freeze

    folder = tempfile.TemporaryDirectory(prefix="cowgan-fuzz-study-")
    study = freeze(Path(folder.name))
    given = shutil.copytree(study.package_folder("sub-R01"), Path(folder.name, "given", "sub-R01"))
    play(given, observer(study, "sub-R01", d_prime=1))
    return folder


def _study_read(folder: Path) -> "tuple[Study, Path]":
    """Return a study, and the package that its first reader has read."""
    from cowgan.turing.study.study import Study

    for name in ("study", "given"):
        shutil.copytree(Path(_made().name, name), folder / name)
    return Study.open(folder / "study"), folder / "given" / "sub-R01"


def _collector(study: "Study") -> tuple[Read, Callable[[], object]]:
    from cowgan.turing.analysis.presented_trials import presented_trials
    from cowgan.turing.study.collection import collect, collected_records
    from cowgan.turing.study.unblinding import Unblinding

    unblinding = Unblinding("2030-01-01T00:00:00.000+00:00", "nobody", {}, "0" * 64)

    def read(path: Path) -> None:
        (of,) = collect(study, [path])
        records = collected_records(study, of.reader)
        presented_trials(study.manifest(of.reader), study.key, records[1:], unblinding)

    return read, lambda: shutil.rmtree(study.folder / "returned", ignore_errors=True)


def _journal(folder: Path) -> Specimens:
    from cowgan.turing.reading.records import read_journal

    study, given = _study_read(folder)
    read, clear = _collector(study)
    path = folder / "journal.jsonl"
    shutil.copy(given / "journal.jsonl", path)

    def read_both(path: Path) -> None:
        with suppress(CowganError):
            read_journal(path)
        read(path)

    return Specimens(Target(path, (damage, _chained, _chained), read_both), clear=clear)


def _package(folder: Path) -> Specimens:
    from cowgan.turing.reading.package import Package

    _, given = _study_read(folder)
    volume = min((given / "vol").iterdir())

    def read(_: Path) -> None:
        package = Package.open(given)
        for case in package.manifest.volumes:
            package.volume(case)

    return Specimens(
        Target(given / "manifest.json", (damage, structural_json, _hashed_manifest), read),
        Target(volume, (damage, npy_header), read),
    )


def _returned_zip(folder: Path) -> Specimens:
    study, given = _study_read(folder)
    read, clear = _collector(study)
    path = folder / "returned.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(given.rglob("*")):
            if file.is_file():
                archive.write(file, f"sub-R01/{file.relative_to(given).as_posix()}")
    inner = {"journal.jsonl": _chained, "manifest.json": structural_json, ".npy": npy_header}
    return Specimens(Target(path, (damage, zip_members(inner)), read), clear=clear)


def _study(folder: Path) -> Specimens:
    from cowgan.turing.blinding.audit import AUDIT_FILE
    from cowgan.turing.design.truth_key import Key, key_folder
    from cowgan.turing.report.facts import participants
    from cowgan.turing.study.collection import collect, progress
    from cowgan.turing.study.study import PARTICIPANTS_FILE, Study
    from cowgan.turing.study.unblinding import UNBLINDED_FILE, read_unblinding, unblind

    study, given = _study_read(folder)
    collect(study, [given])
    unblind(study, "somebody", early=True)

    def read(_: Path) -> None:
        opened = Study.open(study.folder)
        _ = opened.audit, opened.notes, opened.accepted_leak, opened.protocol
        read_unblinding(opened)
        participants(opened)
        progress(opened)

    documents = (damage, structural_json, structural_json)
    key = key_folder(study.folder) / "key.json"
    return Specimens(
        Target(study.folder / "study.json", documents, read),
        Target(study.folder / AUDIT_FILE, documents, read),
        Target(study.folder / UNBLINDED_FILE, documents, read),
        Target(study.folder / PARTICIPANTS_FILE, (damage, structural_table), read),
        Target(key, documents, lambda path: Key.from_bytes(path.read_bytes())),
    )


def _receipt(folder: Path) -> Specimens:
    from cowgan.turing.reading.receipt import read_receipt, receipt_of, write_receipt
    from cowgan.turing.reading.records import read_journal

    study, given = _study_read(folder)
    receipt = receipt_of(study.manifest("sub-R01"), read_journal(given / "journal.jsonl"))
    assert receipt is not None
    write_receipt(receipt, folder / "receipt.json")
    return Specimens(Target(folder / "receipt.json", (damage, structural_json), read_receipt))


def _session(folder: Path) -> Specimens:
    from latent_movies import short_movie

    from cowgan.checkpoint import load, save
    from cowgan.latent.drag_plan import DragPlan, VoxelRuns
    from cowgan.latent.dragging import Pull
    from cowgan.synthesis import BlockMix, LatentState
    from napari_cowgan.explorer import favourites, kept_files
    from napari_cowgan.explorer.saved_session import ExplorerSession, read_session, write_session

    save(lively(), folder / "model.safetensors")
    checkpoint = load(folder / "model.safetensors")
    state = LatentState(3, psi=0.5, mixing=(BlockMix(1, 4, 0.5),), noise_strength=(1.0, 0.5))
    kept = [favourites.Favourite("one", state), favourites.Favourite("two", LatentState(7))]
    session = ExplorerSession(
        "a.safetensors", "0" * 64, "a", 8, state, 4, 0.5, tuple(kept), {"A": state},
        short_movie(), DragPlan((Pull((1, 2, 3), (4, 5, 6)),), VoxelRuns((2, 2, 2), (3, 4, 1))),
    )  # fmt: skip
    write_session(session, folder / "a.cowgan.json")
    kept_files.data_folder = lambda: folder
    favourites.write_favourites(checkpoint, kept)
    path = favourites.favourites_path(checkpoint)
    assert path is not None
    documents = (damage, structural_json, structural_json)
    return Specimens(
        Target(folder / "a.cowgan.json", documents, read_session),
        Target(path, documents, lambda _: favourites.read_favourites(checkpoint)),
    )


def _movie(folder: Path) -> Specimens:
    from latent_movies import short_movie

    from cowgan.latent.movie_files import read_movie, write_movie
    from cowgan.latent.movie_frames import pictures
    from cowgan.synthesis import Synthesizer

    synthesizer = Synthesizer(lively(), "cpu")

    def read(path: Path) -> None:
        next(pictures(read_movie(path), synthesizer))

    write_movie(short_movie(), folder / "walk.movie.json")
    return Specimens(
        Target(folder / "walk.movie.json", (damage, structural_json, structural_json), read)
    )


def _tables(folder: Path) -> Specimens:
    from cowgan.bank.split import read_split_table
    from cowgan.data.case_records import CaseRecord, read_manifest, write_manifest
    from cowgan.synthesis import LatentState, Synthesizer, export_volumes

    split = folder / "split.csv"
    split.write_text("case,subject,split\na,1,training\nb,2,holdout\nc,3,\n", encoding="utf-8")
    synthesizer = Synthesizer(lively(), "cpu")
    out = folder / "out"
    export_volumes(synthesizer, [LatentState(1), LatentState(2)], out)
    records = [CaseRecord("a", "done", input="a.nii", score=0.9, centre_mm=[0.0, 1.0, 2.0])]
    write_manifest(folder / "preprocessed", [*records, CaseRecord("b", "failed", "No voxels.")])
    documents = (damage, structural_json)
    return Specimens(
        Target(split, (damage, structural_table), read_split_table),
        Target(
            out / "manifest.csv",
            (damage, structural_table),
            lambda _: export_volumes(synthesizer, [], out),
        ),
        Target(
            folder / "preprocessed" / "manifest.json",
            documents,
            lambda path: write_manifest(folder / "again", read_manifest(path.parent).values()),
        ),
    )


def _anatomies(folder: Path) -> Specimens:
    from cowgan.bank.anatomies import read_archive

    occupancy = np.zeros((2, 128, 128, 32), np.uint8)
    occupancy[:, 60:64, 60:64] = 255
    np.savez_compressed(
        folder / "a.npz", names=np.array(["a", "b"]), occupancy=occupancy, label=occupancy // 64
    )
    members = zip_members({".npy": npy_header})
    return Specimens(
        Target(folder / "a.npz", (damage, members), lambda path: list(read_archive(path)))
    )


def _scans(folder: Path) -> Specimens:
    import SimpleITK as sitk

    from cowgan.volume import read_volume

    voxels = np.random.default_rng(0).integers(0, 200, (6, 5, 4)).astype(np.int16)
    targets = []
    for name in ("a.mha", "b.mhd", "c.nrrd", "d.nhdr"):
        sitk.WriteImage(sitk.GetImageFromArray(voxels), str(folder / name))
        targets.append(Target(folder / name, (damage, _header_lines, _header_lines), read_volume))
    return Specimens(*targets)


def _header_lines(content: bytes, chosen: random.Random) -> bytes:
    lines = content.split(b"\n")
    reach = min(len(lines), 14)
    place = chosen.randrange(reach)
    name, sign, _ = lines[place].partition(chosen.choice((b"=", b":")))
    values = b"0 0 0,99999 99999 99999,-1 2 3,4 4,nan nan nan,/dev/zero,../x,LIST,slice%d.raw,1e999"
    value = chosen.choice((*values.split(b","), b"True", b"MET_DOUBLE", b"gzip", b""))
    lines[place] = name + sign + b" " + value
    if chosen.random() < 0.3:
        lines.insert(chosen.randrange(reach), chosen.choice(lines[:reach]))
    return b"\n".join(lines)


def _pictures(folder: Path) -> Specimens:
    from PIL import Image

    from cowgan.pictures import read_picture

    pixels = np.random.default_rng(0).integers(0, 255, (40, 30), np.uint8)
    Image.fromarray(pixels).save(folder / "p.png")
    return Specimens(Target(folder / "p.png", (damage,), read_picture))


KINDS = {
    kind.name: kind
    for kind in (
        Kind("NIfTI", 12, _nifti),
        Kind("sidecar", 6, _sidecar),
        Kind("checkpoint", 8, _checkpoint),
        Kind("published checkpoint", 6, _published),
        Kind("directions", 6, _directions),
        Kind("encoder, anatomies and tuning", 6, _projection_models),
        Kind("bank", 6, _bank),
        Kind("run", 8, _run),
        Kind("segmenter and its run", 4, _segmenter),
        Kind("journal", 10, _journal),
        Kind("package", 8, _package),
        Kind("returned zip", 5, _returned_zip),
        Kind("study and key", 8, _study),
        Kind("receipt", 3, _receipt),
        Kind("session, favourites", 6, _session),
        Kind("key frames of a movie", 4, _movie),
        Kind("tables, manifests", 5, _tables),
        Kind("anatomies (npz)", 2, _anatomies),
        Kind("MetaImage, NRRD", 4, _scans),
        Kind("picture", 2, _pictures),
    )
}
