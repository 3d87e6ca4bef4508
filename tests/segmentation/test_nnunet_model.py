"""Tests of datasets and trained networks of nnU-Net: what is accepted, and what is refused."""

import copy
import json

import pytest
from fake_nnunet import PLANS, export_tubes

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.errors import CowganError
from cowgan.segmentation.nnunet_model import dataset_scheme, is_nnunet, open_nnunet
from cowgan.segmentation.nnunet_runner import small_plans


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "run" / "Dataset600_Tubes" / "Trainer__Plans__3d_fullres"
    (folder / "fold_0").mkdir(parents=True)
    raw = export_tubes(tmp_path)
    (folder / "dataset.json").write_bytes((raw / "dataset.json").read_bytes())
    (folder / "plans.json").write_text(json.dumps(PLANS), encoding="utf-8")
    (folder / "fold_0" / "checkpoint_final.pth").write_bytes(b"weights")
    return folder


def change(file, **changes):
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**content, **changes}), encoding="utf-8")


def test_a_network_is_found_in_the_folder_of_its_run(model, tmp_path) -> None:
    for folder in (tmp_path / "run", model.parent, model):
        assert is_nnunet(folder)
        found = open_nnunet(folder)
        assert (found.folder, found.folds, found.scheme) == (model, ("fold_0",), TERRITORIES)
        assert found.extent_mm == pytest.approx((4.8, 19.2, 19.2))
    assert not is_nnunet(tmp_path / "images")
    with pytest.raises(CowganError, match="no trained nnU-Net"):
        open_nnunet(tmp_path / "images")


def test_folds_are_averaged_once_they_are_complete(model) -> None:
    for fold, file in ((1, "checkpoint_final.pth"), (2, "checkpoint_latest.pth")):
        (model / f"fold_{fold}").mkdir()
        (model / f"fold_{fold}" / file).write_bytes(b"weights")
    assert open_nnunet(model).folds == ("fold_0", "fold_1")


def test_an_incomplete_training_is_named_as_such(model) -> None:
    (model / "fold_0" / "checkpoint_final.pth").rename(model / "fold_0" / "checkpoint_best.pth")
    with pytest.raises(CowganError, match=r"not complete.*--resume"):
        open_nnunet(model)


def test_one_of_several_networks_must_be_chosen(model, tmp_path) -> None:
    other = model.with_name("Trainer__SmallPlans__3d_fullres")
    other.mkdir()
    for file in ("dataset.json", "plans.json"):
        (other / file).write_bytes((model / file).read_bytes())
    with pytest.raises(CowganError, match=r"choose one of .*Trainer__Plans.*Trainer__SmallPlans"):
        open_nnunet(tmp_path / "run")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"label_scheme": ""}, "does not say which arteries"),
        ({"label_scheme": "mine"}, "does not say which arteries"),
        ({"label_values": [0, 2, 3, 4]}, "are not those of territories"),
        ({"labels": {"background": 0, "left": 1}}, "are not those of territories"),
        ({"labels": {"background": 0, "left": [1, 2]}}, "are not those of territories"),
        ({"labels": 7}, "damaged"),
        ({"channel_names": {"0": "TOF", "1": "T1"}}, "single images"),
    ],
)
def test_foreign_labels_are_refused(model, changes, said) -> None:
    change(model / "dataset.json", **changes)
    with pytest.raises(CowganError, match=said):
        dataset_scheme(model)
    with pytest.raises(CowganError, match=said):
        open_nnunet(model)


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "torch.nn.functional.importlib.import_module",
        "dynamic_network_architectures.building_blocks.helper.run",
        "dynamic_network_architectures.architectures.unet.PlainConvUNet\nos.system",
    ],
)
@pytest.mark.parametrize("place", ["network", "argument"])
def test_a_plan_cannot_call_anything_but_networks(model, name, place) -> None:
    plans = copy.deepcopy(PLANS)
    architecture = plans["configurations"]["3d_fullres"]["architecture"]
    if place == "network":
        architecture["network_class_name"] = name
    else:
        architecture["arch_kwargs"]["conv_op"] = name
    (model / "plans.json").write_text(json.dumps(plans), encoding="utf-8")
    with pytest.raises(CowganError, match="not one of nnU-Net"):
        open_nnunet(model)


def test_small_plans_keep_the_data_and_shrink_the_network() -> None:
    strides = [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2], [2, 2, 2], [1, 2, 2]]
    default = {
        "plans_name": "nnUNetPlans",
        "configurations": {
            "3d_fullres": {
                "data_identifier": "nnUNetPlans_3d_fullres",
                "patch_size": [40, 128, 96],
                "batch_size": 5,
                "architecture": {
                    "arch_kwargs": {
                        "n_stages": 6,
                        "features_per_stage": [32, 64, 128, 256, 320, 320],
                        "strides": strides,
                        "kernel_sizes": [[1, 3, 3]] + [[3, 3, 3]] * 5,
                        "n_conv_per_stage": [2] * 6,
                        "n_conv_per_stage_decoder": [2] * 5,
                    }
                },
            }
        },
    }
    small = small_plans(copy.deepcopy(default))
    assert small["plans_name"] == "nnUNetSmallPlans"
    configuration = small["configurations"]["3d_fullres"]
    assert configuration["data_identifier"] == "nnUNetPlans_3d_fullres"
    assert configuration["patch_size"] == [40, 64, 64]
    assert configuration["batch_size"] == 2
    assert configuration["architecture"]["arch_kwargs"] == {
        "n_stages": 4,
        "features_per_stage": [16, 32, 64, 128],
        "strides": strides[:4],
        "kernel_sizes": [[1, 3, 3]] + [[3, 3, 3]] * 3,
        "n_conv_per_stage": [2] * 4,
        "n_conv_per_stage_decoder": [2] * 3,
    }
