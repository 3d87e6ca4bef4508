"""Tests of whole evaluations, from volumes to the report."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from planted_copies import Volumes, person
from pretrained_files import write_medicalnet
from scipy.ndimage import gaussian_filter

from cowgan.errors import Cancelled, CowganError
from cowgan.evaluation.evaluate import Sets, evaluate
from cowgan.evaluation.evaluation_files import write_evaluation
from cowgan.evaluation.evaluation_report import Additions, verdict
from cowgan.evaluation.measures import KERNEL_DISTANCE, MEASURES
from cowgan.evaluation.models import compare_two_models
from cowgan.evaluation.training_curves import TrainingCurves
from cowgan.features.efficientnet import EfficientNetFeatures
from cowgan.features.medicalnet import MedicalNetFeatures
from cowgan.progress import Progress, Silent
from cowgan.report.numbers import decimal, decimals_of
from cowgan.volume import Volume


def people(title: str, seeds: range) -> Volumes:
    return Volumes(title, {f"{title}{seed}": person(seed) for seed in seeds})


def changed(volumes: Volumes, change) -> Volumes:
    made = [volumes.volume(i) for i in range(len(volumes.names))]
    return Volumes(
        "changed",
        {
            f"c{i}": Volume(np.asarray(change(one.data), np.float32), one.affine)
            for i, one in enumerate(made)
        },
    )


class Stages:
    """Shows the progress of nothing, and remembers what was begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []

    @contextmanager
    def __call__(self, title: str) -> Iterator[Progress]:
        self.begun.append(title)
        yield Silent()


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("features")


@pytest.fixture(scope="module")
def extractor():
    return EfficientNetFeatures()


@pytest.fixture(scope="module")
def sets():
    return Sets(people("g", range(100, 116)), people("t", range(24)), people("h", range(200, 212)))


@pytest.fixture(scope="module")
def found(sets, extractor, cache):
    return evaluate(sets, [extractor], Stages(), cache, jobs=1)


@pytest.fixture(scope="module")
def blurred(sets, extractor, cache):
    smooth = changed(sets.generated, lambda data: gaussian_filter(data, 1.5))
    return evaluate(Sets(smooth, sets.training, sets.holdout), [extractor], Stages(), cache, 1)


def test_generated_volumes_are_compared_with_both_real_sides(found):
    assert [one.reference for one in found.comparisons] == ["t", "h"]
    assert found.main.reference == "h"
    assert found.realism.shape == found.nearest.shape == (16,)


def test_people_like_those_learned_from_are_not_told_apart(found):
    assert found.main[KERNEL_DISTANCE].like_real
    assert "as far from real volumes" in verdict(found).sentences[0]


def test_blurred_volumes_are_told_apart_and_the_blur_is_named(blurred):
    assert not blurred.main[KERNEL_DISTANCE].like_real
    box = verdict(blurred)
    assert "can be told" in box.title
    assert any("smoother" in sentence for sentence in box.cautions)


def test_few_volumes_are_warned_of(found):
    assert any("12 volumes on each side" in warning for warning in found.warnings)
    assert any("Fréchet" in warning for warning in found.warnings)
    assert any("search for replicas" in warning for warning in found.warnings)


def test_a_file_in_both_sets_is_named(sets, extractor, cache):
    leaking = Volumes("g", {f"g{i}": person(i) for i in range(95, 107)} | {"g-copy": person(3)})
    found = evaluate(Sets(leaking, sets.training), [extractor], Stages(), cache, 1)
    (warning,) = [of for of in found.warnings if "both sets" in of]
    assert "t3" in warning


def test_everything_is_kept_for_the_next_evaluation(sets, extractor, cache, found, monkeypatch):
    def refuse(self, index):
        raise AssertionError(f"volume {index} was read again")

    monkeypatch.setattr(Volumes, "volume", refuse)
    monkeypatch.setattr(Sets, "on_one_grid", lambda self: self)
    again = evaluate(sets, [extractor], Stages(), cache, jobs=1)
    assert again.comparisons == found.comparisons


@pytest.mark.parametrize(
    ("value", "text"), [(0.1234, "0.12"), (9.996, "10.00"), (12.34, "12.3"), (-4567.8, "−4568")]
)
def test_large_numbers_have_fewer_decimals(value: float, text: str) -> None:
    assert decimal(value, decimals_of(value, 2)) == text


def test_the_report_has_every_section_and_the_same_numbers(found, tmp_path):
    page = write_evaluation(found, tmp_path / "new" / "folder").read_text(encoding="utf-8")
    for title in ("Measures", "Anatomy", "Replicas", "Single volumes", "Method"):
        assert re.search(rf"<h2[^>]*>{title}</h2>", page), title
    record = json.loads((tmp_path / "new" / "folder" / "report.json").read_text(encoding="utf-8"))
    measures = record["comparisons"][1]["measures"]
    assert list(measures) == [measure.key for measure in MEASURES]
    for result in found.main.results:
        assert measures[result.measure.key]["estimate"] == result.estimate.estimate
        assert result.measure.title in page
    assert (tmp_path / "new" / "folder" / "report.pdf").read_bytes().startswith(b"%PDF")


def test_measures_of_the_paper_are_added(sets, extractor, cache, tmp_path):
    medicalnet = MedicalNetFeatures(write_medicalnet(tmp_path))
    two = Sets(sets.generated, sets.training)
    with_paper = evaluate(two, [extractor], Stages(), cache, 1, published=[medicalnet])
    assert [one.generated.name for one in with_paper.published] == [
        "MedicalNet distance",
        "AUC-PRD",
    ]
    for one in with_paper.published:
        assert (one.generated.real_volumes, one.halves.real_volumes) in {(24, 12), (16, 12)}
        assert one.generated.generated_volumes == 16
    page = write_evaluation(with_paper, tmp_path / "report").read_text(encoding="utf-8")
    assert "AUC-PRD" in page and medicalnet.recipe.name in page
    few = Sets(sets.generated, people("t", range(19)))
    with pytest.raises(CowganError, match="at least 20 training volumes"):
        evaluate(few, [extractor], Stages(), cache, 1, published=[medicalnet])


def test_two_models_are_told_apart(sets, extractor, cache, tmp_path, found):
    smooth = changed(sets.generated, lambda data: gaussian_filter(data, 1.5))
    models = compare_two_models(sets, smooth, extractor, Stages(), cache, jobs=1)
    (kernel,) = [one for one in models.differences if one.measure == KERNEL_DISTANCE]
    assert kernel.difference.low > 0
    page = write_evaluation(found, tmp_path, Additions(models=models))
    assert "Two models" in page.read_text(encoding="utf-8")


def test_curves_of_a_run_are_drawn(found, tmp_path):
    run = tmp_path / "run_7"
    run.mkdir()
    (run / "log.csv").write_text(
        "step,kernel_distance,recall,coverage,kernel_distance_of_reals,recall_of_reals,"
        "coverage_of_reals\n50,,,,,,\n100,0.4,0,0.5,0.003,0.4,0.9\n200,0.2,0.1,0.8,0.003,0.4,0.9\n",
        encoding="utf-8",
    )
    curves = TrainingCurves.of_run(run)
    assert curves.steps == (100, 200)
    assert curves.generated["recall"] == (0.0, 0.1)
    page = write_evaluation(found, tmp_path / "report", Additions(curves)).read_text("utf-8")
    assert "run_7" in page


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        (None, "holds no training run"),
        ("step,kernel_distance\n1,\n", "was not measured"),
        ("step,kernel_distance\nx,0.1\n", "damaged"),
    ],
)
def test_a_folder_that_is_no_measured_run_is_refused(tmp_path, log, sentence):
    if log is not None:
        (tmp_path / "log.csv").write_text(log, encoding="utf-8")
    with pytest.raises(CowganError, match=sentence):
        TrainingCurves.of_run(tmp_path)


def test_volumes_of_another_shape_are_refused(sets, extractor):
    cut = changed(sets.generated, lambda data: data[:, :50, :])
    with pytest.raises(CowganError, match="cowgan preprocess"):
        evaluate(Sets(cut, sets.training), [extractor], Stages(), jobs=1)


def test_too_few_volumes_are_refused_before_any_work(sets, extractor):
    stages = Stages()
    with pytest.raises(CowganError, match="at least 12 generated volumes, but there are 1"):
        evaluate(Sets(people("g", range(1)), sets.training), [extractor], stages)
    assert stages.begun == []


def test_subjects_on_both_sides_are_refused(sets, extractor, cache):
    with pytest.raises(CowganError, match="training set and in the holdout"):
        evaluate(Sets(sets.generated, sets.training, sets.training), [extractor], Stages(), cache)


def test_it_can_be_cancelled(sets, extractor):
    class Cancelling(Stages):
        @contextmanager
        def __call__(self, title: str) -> Iterator[Progress]:
            progress = Silent()
            progress.cancelled = title.startswith("EfficientNet")
            yield progress

    with pytest.raises(Cancelled):
        evaluate(sets, [extractor], Cancelling(), jobs=1)
