import math
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from clusterpress.data.images import Split
from clusterpress.data.mnist import Mnist
from clusterpress.errors import ConfigError
from clusterpress.models import MODELS, LeNet5, LeNet300_100
from clusterpress.models.accounting import parameter_count

LAYERS = {
    "lenet300_100": {"ip1": (300, 784), "ip2": (100, 300), "ip3": (10, 100)},
    "lenet5": {
        "conv1": (20, 1, 5, 5),
        "conv2": (50, 20, 5, 5),
        "ip1": (500, 800),
        "ip2": (10, 500),
    },
}


@pytest.mark.parametrize(("name", "count"), [("lenet300_100", 266_610), ("lenet5", 431_080)])
def test_parameter_counts(name: str, count: int) -> None:
    assert parameter_count(MODELS[name]()) == count


@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_caffes(name: str) -> None:
    state = MODELS[name]().state_dict()
    expected = {f"{layer}.weight": shape for layer, shape in LAYERS[name].items()}
    expected |= {f"{layer}.bias": shape[:1] for layer, shape in LAYERS[name].items()}
    assert {key: tuple(tensor.shape) for key, tensor in state.items()} == expected


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(("classes", "channels"), [(10, 1), (7, 3)])
def test_logits(name: str, classes: int, channels: int) -> None:
    network = MODELS[name](classes=classes, channels=channels)
    assert network(torch.randn(4, channels, 28, 28)).shape == (4, classes)


@pytest.mark.parametrize("name", LAYERS)
def test_filler_is_caffes_xavier(name: str) -> None:
    torch.manual_seed(0)
    for layer in MODELS[name]().children():
        assert isinstance(layer, nn.Linear | nn.Conv2d)
        bound = math.sqrt(3 / layer.weight[0].numel())
        assert not layer.bias.any()
        assert layer.weight.abs().max() <= bound
        assert float(layer.weight.detach().std()) == pytest.approx(bound / math.sqrt(3), rel=0.1)


@pytest.mark.parametrize("name", LAYERS)
def test_the_global_seed_decides_the_weights(name: str) -> None:
    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return nn.utils.parameters_to_vector(MODELS[name]().parameters())

    assert torch.equal(drawn(0), drawn(0))
    assert not torch.equal(drawn(0), drawn(1))


def test_lenet5_has_one_relu_only() -> None:
    """Up to the last pooling the network is positively homogeneous, also for negative factors."""
    network = LeNet5()
    images = torch.randn(3, 1, 28, 28)
    pooled = nn.functional.max_pool2d(network.conv1(images), 2)
    assert (pooled < 0).any()
    flipped = nn.functional.max_pool2d(network.conv2(pooled), 2).flatten(1)
    by_hand = network.ip2(torch.relu(network.ip1(flipped)))
    assert torch.allclose(network(images), by_hand)


def test_lenet300_100_by_hand() -> None:
    network = LeNet300_100()
    images = torch.randn(3, 1, 28, 28)
    hidden = (images.reshape(3, 784) @ network.ip1.weight.T + network.ip1.bias).clamp(min=0)
    hidden = (hidden @ network.ip2.weight.T + network.ip2.bias).clamp(min=0)
    by_hand = hidden @ network.ip3.weight.T + network.ip3.bias
    assert torch.allclose(network(images), by_hand, atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("bad", [{"classes": 0}, {"channels": -1}, {"classes": 2.5}])
def test_bad_sizes_are_named(name: str, bad: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        MODELS[name](**bad)


def _test_split() -> Split:
    data = os.environ.get("CLUSTERPRESS_DATA", "")
    if not data or not (Path(data) / "MNIST").is_dir():
        pytest.skip("CLUSTERPRESS_DATA names no folder with MNIST")
    return Mnist().load(Path(data), download=False).test


def test_caffes_own_weights_reach_their_accuracy() -> None:
    weights = Path(os.environ.get("CLUSTERPRESS_WEIGHTS", "")) / "lenet5_mnist.safetensors"
    if not weights.is_file():
        pytest.skip("CLUSTERPRESS_WEIGHTS names no folder with lenet5_mnist.safetensors")
    network = LeNet5()
    network.load_state_dict(load_file(weights))
    split = _test_split()
    with torch.no_grad():
        hits = [
            (network(images / 256).argmax(1) == labels).sum()
            for images, labels in zip(
                split.images.split(1000), split.labels.split(1000), strict=True
            )
        ]
    assert int(sum(hits)) == 9905
