import numpy as np
import pytest

from cowgan.anatomy.arteries import Artery
from cowgan.evaluation.measurement_agreement import bland_altman, format_report, measure_agreement
from cowgan.measure import measure_labels
from cowgan.simulate import make_anatomy, phantom
from cowgan.volume import DEFAULT_SPACING_MM


def test_bland_altman_by_hand():
    found = bland_altman([1, 2, 3, 4], [2, 2, 4, 4])
    assert (found.n, found.true_mean, found.bias) == (4, 2.5, 0.5)
    spread = 1.96 * np.sqrt(1 / 3)
    assert found.limits == pytest.approx((0.5 - spread, 0.5 + spread))


def test_measurements_agree_with_phantoms():
    report = measure_agreement(range(4))
    for artery, agreements in report.arteries.items():
        if artery not in (Artery.R_ICA, Artery.L_ICA):
            assert abs(agreements["length_mm"].bias) < 2.5
            assert abs(agreements["radius_mm"].bias) < 0.2
    for found in (report.labels, report.tof):
        for quantity in ("volume_mm3", "length_mm", "radius_mm"):
            assert abs(found[quantity].bias) < 0.1 * found[quantity].true_mean
    assert min(report.dice) > 0.88
    text = format_report(report)
    assert text.count("\n|") == 1 + sum(map(len, report.arteries.values())) + 3 + 5
    assert "Dice" in text


@pytest.mark.slow
def test_only_the_floor_of_the_view_makes_carotids_long(monkeypatch):
    monkeypatch.setattr(phantom, "SHAPE", (60, 200, 200))
    differences = []
    for seed in range(12):
        anatomy = make_anatomy(seed)
        measured = measure_labels(anatomy.labels, DEFAULT_SPACING_MM)
        for artery in (Artery.R_ICA, Artery.L_ICA):
            known = anatomy.truth.arteries[artery]
            differences.append(measured[artery].length_mm - known.length_mm)
    assert np.mean(differences) == pytest.approx(0, abs=0.8)
