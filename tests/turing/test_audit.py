"""The audit finds what gives a volume away, and nothing else."""

import os
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import mannwhitneyu
from turing_studies import SHAPE, SPACING_MM, protocol, write_volumes

from cowgan.documents import checked
from cowgan.errors import Cancelled, CowganError
from cowgan.turing.blinding.audit import Audit, audit
from cowgan.turing.blinding.classifier_test import separate
from cowgan.turing.blinding.image_features import grey_levels, texture
from cowgan.turing.design.sources import FolderSource
from cowgan.turing.reading.package import volume_bytes
from cowgan.turing.study.creation import new_study
from cowgan.turing.study.study import Study
from cowgan.volume import Volume, default_affine, write_nifti

# Chance finds a leak where there is none in one study of twenty.
pytestmark = pytest.mark.usefixtures("fixed_salt")

N = 40
GENERATED = np.arange(N) % 2 == 1


def separated(features, names=None, permutations=200, seed=0):
    names = names or [f"feature {i}" for i in range(features.shape[1])]
    return separate(features, names, GENERATED, np.random.RandomState(seed), permutations)


def noise(seed, n_features=10):
    return np.random.default_rng(seed).normal(size=(N, n_features))


def test_the_false_positive_rate_of_the_audit_is_as_stated():
    found = [separated(noise(seed), seed=seed) for seed in range(200)]
    assert np.mean([one.auc for one in found]) == pytest.approx(0.5, abs=0.03)
    # Binomial with 200 draws: four standard errors around 0.05.
    assert np.mean([one.p < 0.05 for one in found]) < 0.112
    assert np.mean([bool(one.offenders) for one in found]) < 0.112
    assert np.mean([one.p < 0.5 for one in found]) == pytest.approx(0.5, abs=0.15)


def test_the_feature_that_differs_is_named_with_its_direction():
    features = noise(1)
    features[GENERATED, 3] -= 2
    found = separated(features)
    assert found.auc > 0.8
    assert found.p == pytest.approx(1 / 201)
    assert [offender.feature for offender in found.offenders] == ["feature 3"]
    statistic = mannwhitneyu(features[GENERATED, 3], features[~GENERATED, 3]).statistic
    assert found.offenders[0].auc == pytest.approx(statistic / (N / 2) ** 2)
    assert found.offenders[0].auc < 0.5
    assert found.offenders[0].side == "smaller in generated volumes"
    assert not found.remark


def test_an_auc_near_zero_is_explained():
    """Each volume has a twin of the other kind, which what was learned from it is wrong about."""
    twins = np.repeat(noise(1)[: N // 2], 2, axis=0)
    found = separated(twins + 1e-3 * noise(2))
    assert found.auc < 0.1 and found.p > 0.9
    assert "tells nothing apart" in found.remark


def test_a_difference_in_combined_features_is_found():
    features = noise(2, 4)
    features[:, 1] = features[:, 0] + 0.3 * features[:, 1]
    features[GENERATED, 1] += 0.5
    found = separated(features)
    assert found.auc > 0.75
    assert found.p < 0.05


def test_constant_features_have_no_effect():
    found = separated(np.ones((N, 3)))
    assert (found.auc, found.p, found.offenders) == (0.5, 1.0, ())


def test_cross_validation_is_that_of_ridge_regression():
    from cowgan.turing.blinding.classifier_test import _FOLDS, _scoring
    from cowgan.turing.statistics.roc import rank_auc

    features, random = noise(3), np.random.RandomState(5)
    features[GENERATED, 0] += 1
    scores = _scoring(features, random) @ np.where(GENERATED, 1.0, -1.0)
    fold = np.random.RandomState(5).permutation(np.arange(N) % _FOLDS)
    expected = np.empty(N)
    for held_out in range(_FOLDS):
        train = fold != held_out
        middle, spread = features[train].mean(axis=0), features[train].std(axis=0)
        x = (features - middle) / spread
        y = np.where(GENERATED, 1.0, -1.0)[train]
        # Ridge regression as least squares with one more row for each penalised weight.
        rows = np.vstack([x[train], np.sqrt(10) * np.eye(10)])
        weights = np.linalg.lstsq(rows, np.append(y - y.mean(), np.zeros(10)), rcond=None)[0]
        expected[~train] = x[~train] @ weights
    np.testing.assert_allclose(scores, expected, atol=1e-10)
    area = mannwhitneyu(scores[GENERATED], scores[~GENERATED]).statistic / (N / 2) ** 2
    assert rank_auc(scores[:, np.newaxis], GENERATED[:, np.newaxis])[0] == pytest.approx(area)


def a_volume(seed=0):
    values = np.random.default_rng(seed).gamma(2, 400, size=SHAPE)
    return np.clip(values, 0, 4095).astype("<u2")


def test_grey_level_features_equal_numpy_and_scipy():
    from scipy.stats import entropy, kurtosis, skew

    voxels = a_volume()
    values, scaled = grey_levels(voxels, 4096), voxels / 4095
    assert values["mean"] == pytest.approx(scaled.mean())
    assert values["standard deviation"] == pytest.approx(scaled.std())
    assert values["skewness"] == pytest.approx(skew(scaled, axis=None))
    assert values["kurtosis"] == pytest.approx(kurtosis(scaled, axis=None, fisher=False))
    assert values["entropy"] == pytest.approx(entropy(np.bincount(voxels.ravel()), base=2))
    assert values["percentile 25"] == pytest.approx(
        np.percentile(scaled, 25, method="inverted_cdf")
    )
    assert values["share of black voxels"] == np.mean(voxels == 0)
    shuffled = np.random.default_rng(1).permutation(voxels.ravel()).reshape(SHAPE)
    assert grey_levels(shuffled, 4096) == values


def test_texture_features_respond_to_smoothing_and_borders():
    voxels = a_volume()
    smooth = gaussian_filter(voxels, 1)
    rough, soft = texture(voxels, 4096), texture(smooth, 4096)
    for name in ("noise along x", "gradient along z", "spectrum, band 4 of 4", "compressed size"):
        assert soft[name] < rough[name], name
    padded = voxels.copy()
    padded[0] = 0
    changed = {name for name, value in texture(padded, 4096).items() if value < 0.5 * rough[name]}
    assert "contrast of the first slice along z" in changed
    flat = np.full(SHAPE, 7, np.uint16)
    assert all(np.isfinite(v) for v in (texture(flat, 4096) | grey_levels(flat, 4096)).values())


def spread_out(data):
    """Return the ranks of all voxels: every volume then has the same histogram."""
    ranks = np.argsort(np.argsort(data, axis=None)).reshape(data.shape)
    return (ranks / ranks.size).astype(np.float32)


def write_all(folder, make, seed):
    random = np.random.default_rng(seed)
    for number in range(13):
        data = make(random.normal(size=SHAPE)).astype(np.float32)
        write_nifti(
            Volume(data, default_affine(SHAPE, SPACING_MM)), folder / f"v{number:03d}.nii.gz"
        )
    return FolderSource(folder)


def study_of(folder, make_real, make_generated, **options):
    return new_study(
        folder / "study",
        write_all(folder / "a", make_real, 1),
        write_all(folder / "b", make_generated, 2),
        protocol(),
        **options,
    )


def test_a_blinded_study_is_frozen_at_once(tmp_path):
    study = study_of(tmp_path, spread_out, spread_out)
    assert study.frozen
    assert study.accepted_leak is None
    assert study.audit.leaks == []
    assert study.audit.grey.auc == pytest.approx(0.5, abs=0.1)
    assert (study.audit.n_real, study.audit.n_generated) == (13, 13)
    assert study.check() == study.audit
    with pytest.raises(CowganError, match="frozen already"):
        study.freeze()


def test_different_grey_levels_prevent_freezing(tmp_path, single_sentence):
    study = study_of(tmp_path, spread_out, lambda data: spread_out(data) ** 2)
    assert not study.frozen
    assert study.audit.grey.auc > 0.95
    assert "mean" in {offender.feature for offender in study.audit.grey.offenders}
    with pytest.raises(CowganError) as refusal:
        study.freeze("  ")
    assert "not blinded" in single_sentence(refusal)
    assert "grey levels" in refusal.value.sentence
    assert not Study.open(study.folder).frozen
    study.freeze("The generator is known to be darker.")
    reopened = Study.open(study.folder)
    assert reopened.frozen
    assert reopened.accepted_leak == "The generator is known to be darker."
    assert reopened.audit.leaks


def test_a_reason_given_beforehand_freezes_and_is_kept_only_if_there_is_a_leak(tmp_path):
    dark = study_of(
        tmp_path / "1", spread_out, lambda d: spread_out(d) ** 2, accept_leak="Because."
    )
    assert (dark.frozen, dark.accepted_leak) == (True, "Because.")
    fair = study_of(tmp_path / "2", spread_out, spread_out, accept_leak="Because.")
    assert (fair.frozen, fair.accepted_leak) == (True, None)


def test_different_texture_is_reported_but_does_not_prevent_freezing(tmp_path):
    study = study_of(
        tmp_path, spread_out, lambda data: spread_out(gaussian_filter(data, 0.6, mode="wrap"))
    )
    assert study.frozen
    assert study.audit.texture.auc > 0.95
    assert any(o.feature.startswith("noise") for o in study.audit.texture.offenders)


def test_an_audit_survives_json(tmp_path):
    found = study_of(tmp_path, spread_out, lambda data: spread_out(data) ** 2).audit
    assert checked(found.to_dict(), Audit, "It") == found
    with pytest.raises(CowganError):
        checked({"form": []}, Audit, "It")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    write_volumes(folder / "a", 13, seed=1)
    write_volumes(folder / "b", 13, "other", seed=2)
    return new_study(
        folder / "study", FolderSource(folder / "a"), FolderSource(folder / "b"), protocol()
    )


@pytest.fixture
def packages(made, tmp_path):
    import shutil

    copied = Study.open(shutil.copytree(made.folder, tmp_path / "study"))
    return [copied.package(reader) for reader in copied.readers]


def files_of(package):
    return [package.folder / entry.file for entry in package.manifest.volumes.values()]


def touch(package):
    os.utime(files_of(package)[3], (1, 1))


def forbid(package):
    files_of(package)[3].chmod(0o600)


def answers(package):
    (package.folder / "generated.txt").write_text("", encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (touch, "modification time"),
        pytest.param(
            forbid,
            "permissions",
            marks=pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions"),
        ),
        (answers, "the word “generated”"),
    ],
)
def test_files_that_differ_in_form_are_found(made, packages, spoil, words):
    assert audit(packages, made.key).form == ()
    spoil(packages[1])
    (finding,) = audit(packages, made.key).form
    assert words in finding
    assert finding.endswith("in sub-R02")


def test_a_different_header_is_found(made, packages):
    package = packages[0]
    name = next(iter(package.manifest.volumes))
    entry = package.manifest.volumes[name]
    content = volume_bytes(np.asfortranarray(package.volume(name)))
    stamp = (package.folder / entry.file).stat()
    (package.folder / entry.file).write_bytes(content)
    os.utime(package.folder / entry.file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    from hashlib import sha256

    changed = replace(entry, sha256=sha256(content).hexdigest())
    manifest = replace(package.manifest, volumes={**package.manifest.volumes, name: changed})
    found = audit([replace(package, manifest=manifest), packages[1]], made.key)
    assert found.form == ("the header of volume files differs in sub-R01",)


def test_names_ordered_by_class_are_found(made, packages):
    names = sorted(made.key.readers["sub-R01"])
    cases = sorted(made.key.cases, key=lambda case: case.truth)
    renamed = dict(zip(names, (case.name for case in cases), strict=True))
    key = replace(made.key, readers={**made.key.readers, "sub-R01": renamed})
    assert "the order of names tells the classes apart in sub-R01" in audit(packages, key).form


def test_a_name_of_a_source_file_is_found(made, packages):
    case = made.key.cases[0]
    other = replace(case, origin={**case.origin, "file": packages[0].manifest.study})
    key = replace(made.key, cases=(other, *made.key.cases[1:]))
    assert any(packages[0].manifest.study in finding for finding in audit(packages, key).form)


def test_a_cancelled_audit_keeps_the_earlier_one(made):
    class Impatient:
        cancelled = True

        def report(self, done: int, total: int, message: str = "") -> None:
            pass

    before = (made.folder / "audit" / "blinding.json").read_bytes()
    with pytest.raises(Cancelled):
        made.check(Impatient())
    assert (made.folder / "audit" / "blinding.json").read_bytes() == before
