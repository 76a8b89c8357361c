"""A baseline that starts from, or is, what others trained."""

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from clusterpress import artifact
from clusterpress.errors import ConfigError
from clusterpress.models import LeNet300_100
from clusterpress.runs.compose import compose
from clusterpress.runs.pipeline import execute
from clusterpress.runs.plan import plan
from clusterpress.runs.weights import split_model


@pytest.fixture
def given(tmp_path: Path) -> Path:
    torch.manual_seed(1)
    path = tmp_path / "given.safetensors"
    save_file(LeNet300_100().state_dict(), path)
    return path


def sha256(path: Path) -> str:
    weights = split_model({"_target_": "clusterpress.models.LeNet5", "weights": str(path)})[1]
    assert weights is not None
    return weights.sha256


def test_without_training_the_baseline_is_the_given_network(short, given):
    config = short(f"model.weights={given}", "recipe.train.epochs=0", "method=share_fc")
    record = execute(config).record
    store = Path(config.store) / "stages" / record["stages"][0]["id"]
    network = artifact.load(store / "network.safetensors", into=LeNet300_100())
    expected = LeNet300_100()
    torch.manual_seed(1)
    for layer in expected.children():
        layer.reset_parameters()
    assert torch.equal(network.ip2.weight, expected.ip2.weight)
    assert record["stages"][0]["facts"]["weights_sha256"] == sha256(given)


def test_with_training_the_baseline_starts_from_the_given_network(short, given):
    one = execute(short(f"model.weights={given}", "method=share_fc")).record
    other = execute(short("method=share_fc")).record
    assert one["stages"][0]["predictions"] != other["stages"][0]["predictions"]


def test_the_content_names_the_run_and_not_the_path(given, tmp_path):
    def point(path: Path) -> str:
        return plan(compose([f"model.weights={path}"])).point

    copied, other = tmp_path / "copied.safetensors", tmp_path / "other.safetensors"
    shutil.copy(given, copied)
    save_file(LeNet300_100().state_dict(), other)
    assert point(given) == point(copied)
    assert len({point(given), point(other), plan(compose([])).point}) == 3
    shutil.copy(other, copied)
    assert point(copied) == point(other)


def test_a_stated_sha256_names_the_run_without_the_file(given):
    stated = f"model.weights_sha256={sha256(given)}"
    there = plan(compose([f"model.weights={given}", stated]))
    absent = plan(compose(["model.weights=absent.safetensors", stated]))
    assert there.point == absent.point == plan(compose([f"model.weights={given}"])).point
    with pytest.raises(ConfigError, match=r"no file 'absent\.safetensors'"):
        absent.weights.load(absent.network())


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["model.weights=absent.safetensors"], "no file 'absent.safetensors'"),
        (["model.weights={given}", "model=lenet5"], "does not fit LeNet5"),
        (["model.weights={given}", f"model.weights_sha256={'0' * 64}"], "has the SHA-256"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_trains(overrides, sentence, given):
    with pytest.raises(ConfigError, match=sentence):
        plan(compose([line.replace("{given}", str(given)) for line in overrides]))


def test_somebody_elses_model_keeps_its_own_argument():
    node = {"_target_": "torchvision.models.resnet18", "weights": "DEFAULT"}
    assert split_model(node) == (node, None)


def test_torchvisions_weights_name_a_run_without_their_file():
    overrides = ["data=imagenet", "model=torchvision_resnet18", "recipe.train.epochs=0"]
    named = plan(compose([*overrides, "model.weights=imagenet1k_v1"]))
    assert named.weights.sha256 == "torchvision:resnet18-f37072fd.pth"
    assert named.point == plan(compose([*overrides, "model.weights=IMAGENET1K_V1"])).point
    assert named.point != plan(compose(overrides)).point
    with pytest.raises(ConfigError, match="no file 'imagenet1k_v9'"):
        plan(compose([*overrides, "model.weights=imagenet1k_v9"]))
