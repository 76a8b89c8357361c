"""What holds for every convolutional network for 32x32 images."""

import math

import pytest
import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.models import MODELS
from clusterpress.models.accounting import macs, parameter_count

COUNTS = {
    "vgg16": 14_724_042,
    "vgg19": 20_035_018,
    "alexnet32": 23_272_266,
    "resnet18": 11_173_962,
    "resnet20": 269_722,
    "resnet32": 464_154,
    "resnet44": 658_586,
    "resnet56": 853_018,
    "densenet40": 1_059_298,
    "densenet_bc100": 769_162,
}
SMALL = ["resnet20", "densenet40"]


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_parameter_counts(name: str, count: int) -> None:
    assert parameter_count(MODELS[name]()) == count


@pytest.mark.parametrize("name", COUNTS)
def test_logits_and_sizes(name: str) -> None:
    network = MODELS[name](classes=7, channels=1).eval()
    with torch.no_grad():
        assert network(torch.randn(2, 1, 32, 32)).shape == (2, 7)


@pytest.mark.parametrize("name", COUNTS)
def test_layers_before_a_relu_start_as_he_et_al_proposed(name: str) -> None:
    torch.manual_seed(0)
    network = MODELS[name]()
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert len(layers) > 4
    for layer in layers:
        weight = layer.weight.detach()
        expected = math.sqrt(2 / weight[0].numel())
        noise = 4 / math.sqrt(weight.numel())
        assert float(weight.std()) == pytest.approx(expected, rel=noise)
        assert layer.bias is None or not layer.bias.any()


@pytest.mark.parametrize("name", SMALL)
def test_the_global_seed_decides_the_weights(name: str) -> None:
    def drawn(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return nn.utils.parameters_to_vector(MODELS[name]().parameters())

    assert torch.equal(drawn(0), drawn(0))
    assert not torch.equal(drawn(0), drawn(1))


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("bad", [{"classes": 0}, {"channels": -1}, {"classes": 2.5}])
def test_bad_sizes_are_named(name: str, bad: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))), torch.device("meta"):
        MODELS[name](**bad)


@pytest.mark.parametrize("name", COUNTS)
def test_every_parameter_learns(name: str) -> None:
    torch.manual_seed(0)
    network = MODELS[name]().train()
    network(torch.randn(4, 3, 32, 32)).square().sum().backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert bool(torch.isfinite(parameter.grad).all()), key


def test_macs_of_resnets_and_densenets_are_the_published_ones() -> None:
    image = torch.zeros(1, 3, 32, 32)
    # He et al. 2016 and later papers: 41 M, 126 M; Huang et al. 2017: 0.28 and 0.29 billion.
    assert round(macs(MODELS["resnet20"](), image) / 1e6) == 41
    assert round(macs(MODELS["resnet56"](), image) / 1e6) == 125
    assert round(macs(MODELS["densenet40"](), image) / 1e6) == 283
    assert round(macs(MODELS["densenet_bc100"](), image) / 1e6) == 288
