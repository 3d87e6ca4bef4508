"""Figure data agree with the packages and the results of the audit."""

import numpy as np
import pytest
from turing_studies import freeze, write_volumes

from cowgan.errors import Cancelled, CowganError
from cowgan.turing.blinding.figure_data import FigureData, figure_data
from cowgan.turing.study.study import Study


def exhibits_of(study: Study, **options) -> FigureData:
    return figure_data(study.package("sub-R01"), study.key, study.audit, **options)


@pytest.fixture(scope="module")
def leaking(tmp_path_factory) -> Study:
    """Return a study whose generated volumes have other grey levels."""
    folder = tmp_path_factory.mktemp("leaking")
    write_volumes(folder / "gan_volumes", 13, "fake", seed=1, power=2)
    return freeze(folder)


@pytest.fixture(scope="module")
def blinded(tmp_path_factory) -> Study:
    return freeze(tmp_path_factory.mktemp("blinded"))


def test_as_many_real_as_generated_volumes_are_shown_as_readers_see_them(leaking):
    shown = exhibits_of(leaking, examples_per_class=3).examples
    assert [example.truth for example in shown] == ["real"] * 3 + ["generated"] * 3
    names = {case.name: case for case in leaking.key.cases}
    package = leaking.package("sub-R01")
    files = {case: name for name, case in leaking.key.readers["sub-R01"].items()}
    for example in shown:
        assert names[example.case].truth == example.truth
        voxels = package.volume(files[example.case]) / (leaking.protocol.grey_levels - 1)
        # Patient's right on the left of the picture, front up.
        expected = voxels.max(axis=0).T[::-1]
        assert np.abs(example.mip / 255 - expected).max() < 0.003
        assert np.abs(example.slice / 255 - voxels[voxels.shape[0] // 2].T[::-1]).max() < 0.003


def test_histograms_of_all_volumes_are_grouped_by_class(leaking):
    histograms = exhibits_of(leaking).histograms
    assert histograms.real.shape == histograms.generated.shape == (13, 64)
    for shares in (histograms.real, histograms.generated):
        assert shares.sum(axis=1) == pytest.approx(np.ones(13))
    # Squared noise has more dark voxels.
    dark = histograms.levels < 0.2
    assert histograms.generated[:, dark].sum() > 1.3 * histograms.real[:, dark].sum()


def test_features_are_sorted_by_difference_with_the_audit_s_numbers(leaking):
    found, shown = leaking.audit, exhibits_of(leaking).features
    assert [feature.tier for feature in shown] == ["grey"] * 4 + ["texture"] * 4
    strongest = found.grey.offenders[0]
    by_feature = {feature.feature: (feature.auc, feature.p) for feature in shown}
    assert by_feature[strongest.feature] == (pytest.approx(strongest.auc), strongest.p)
    distances = [abs(feature.auc - 0.5) for feature in shown[:4]]
    assert distances == sorted(distances, reverse=True)


def test_a_blinded_study_shows_features_without_p(blinded):
    assert not blinded.audit.grey.offenders
    shown = [feature for feature in exhibits_of(blinded).features if feature.tier == "grey"]
    assert len(shown) == 4
    assert all(feature.p is None and 0.2 < feature.auc < 0.8 for feature in shown)


def test_a_changed_volume_is_reported_and_reading_can_be_cancelled(blinded, tmp_path):
    class Stopped:
        cancelled = True

        def report(self, done: int, total: int, message: str = "") -> None: ...

    with pytest.raises(Cancelled):
        exhibits_of(blinded, progress=Stopped())
    package = blinded.package("sub-R01")
    volume = next((package.folder / "vol").iterdir())
    volume.write_bytes(volume.read_bytes()[:-1] + b"\x00\x01")
    with pytest.raises(CowganError, match="was changed"):
        figure_data(package, blinded.key, blinded.audit)
