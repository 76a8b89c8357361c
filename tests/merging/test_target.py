"""A target of parameters removed: the largest uniform widths that meet it, counted truly."""

import copy

import pytest
import torch
import torchvision
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.merging import (
    checked_remove,
    hidden_layers,
    keep_that_removes,
    parameters_at,
    target_widths,
)
from clusterpress.models.accounting import parameter_count
from clusterpress.steps import Context, PruneNeurons

from .networks import NETWORKS

IMAGES = torch.randn(1, 3, 12, 12)


def context(images: torch.Tensor) -> Context:
    return Context(train=lambda network, recipe: None, example=images, clustering=0)


@pytest.mark.parametrize("skips", ["internal", "joined"])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_count_is_that_of_the_narrower_network(name, skips):
    network = NETWORKS[name]()
    layers = hidden_layers(network, IMAGES, skips)
    for keep in (1.0, 0.6, 0.1):
        narrow = PruneNeurons(keep, skips=skips).apply(copy.deepcopy(network), context(IMAGES))
        counted = parameters_at(network, layers, target_widths(keep, layers))
        assert counted == parameter_count(narrow)


@pytest.mark.parametrize("remove", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", ["plain", "branches", "dense"])
def test_the_widths_are_the_largest_that_meet_the_target(name, remove):
    network = NETWORKS[name]()
    layers = hidden_layers(network, IMAGES)
    most = (1 - remove) * parameter_count(network)
    keep = keep_that_removes(network, layers, remove)
    widths = target_widths(keep, layers)
    assert parameters_at(network, layers, widths) <= most
    larger = target_widths(min(1.0, keep + 1e-9), layers)
    assert parameters_at(network, layers, larger) > most


def vgg16() -> nn.Module:
    """VGG-16 for 32x32 images: norms, no convolution biases, one linear layer (METHODS.md)."""
    features = torchvision.models.vgg16_bn(num_classes=1, init_weights=False).features
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            layer.bias = None
    return nn.Sequential(features, nn.Flatten(), nn.Linear(512, 10))


def test_the_operating_point_of_wang2020_on_vgg16():
    network = vgg16()
    assert parameter_count(network) == 14_724_042
    layers = hidden_layers(network, torch.randn(1, 3, 32, 32))
    assert len(layers) == 13
    at = parameters_at(network, layers, target_widths(0.264, layers))
    assert 1 - at / 14_724_042 == pytest.approx(0.9301, abs=5e-5)
    keep = keep_that_removes(network, layers, 0.9296)
    assert keep == pytest.approx(0.264, abs=0.002)
    assert keep >= 0.264


@pytest.mark.parametrize("remove", [0, 1, 1.5, -0.1, float("nan"), "most", None, True])
def test_shares_outside_the_range_are_refused(remove):
    with pytest.raises(ConfigError, match="above 0 and below 1"):
        checked_remove(remove)


def test_a_target_that_cannot_be_met_is_refused_with_the_most_that_can():
    network = nn.Sequential(nn.Flatten(), nn.Linear(9, 4), nn.ReLU(), nn.Linear(4, 2))
    layers = hidden_layers(network, torch.randn(1, 1, 3, 3))
    with pytest.raises(ConfigError, match=r"14 of 50 parameters are left: at most 0\.7200"):
        keep_that_removes(network, layers, 0.73)
    assert target_widths(keep_that_removes(network, layers, 0.72), layers) == {"1": 1}
