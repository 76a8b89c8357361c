"""Networks that others trained reach their accuracy on the full official test sets."""

import os
from pathlib import Path

import pytest

from clusterpress.runs.compose import compose
from clusterpress.runs.plan import plan
from clusterpress.training.evaluation import evaluate

IMAGENET = ["data.mean=[0.485,0.456,0.406]", "data.std=[0.229,0.224,0.225]"]
GIVEN = {
    "lenet5_mnist": (["data=mnist", "data.mean=[0]", f"data.std=[{256 / 255}]"], 0.95),
    "resnet20_cifar10": (["data=cifar10", *IMAGENET], 8.27),
    "resnet56_cifar10": (["data=cifar10", *IMAGENET], 6.61),
}


@pytest.mark.parametrize("name", GIVEN)
def test_their_error_comes_out_exactly(name: str) -> None:
    overrides, error = GIVEN[name]
    folder = Path(os.environ.get("CLUSTERPRESS_WEIGHTS", "/nowhere"))
    if not (folder / f"{name}.safetensors").is_file():
        pytest.skip(f"CLUSTERPRESS_WEIGHTS names no folder with {name}.safetensors")
    model, file = name.split("_", maxsplit=1)[0], f"{name}.safetensors"
    checked = plan(compose([*overrides, f"model={model}", f"model.weights={file}"]))
    data = Path(os.environ.get("CLUSTERPRESS_DATA", "/nowhere"))
    if not (data / checked.data.place).is_dir():
        pytest.skip(f"CLUSTERPRESS_DATA names no folder with {checked.data.place}")
    images = checked.data.load(data, download=False)
    network = checked.network()
    checked.weights.load(network)
    score = evaluate(network, images.test, images, batch_size=100)
    assert score.top1_error == pytest.approx(error, abs=1e-9)
