"""Planted duplicates merge with no change of the function, through everything the graph has."""

import copy

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from clusterpress.merging import fold, hidden_layers, incoming_features, mean, membership, narrowed

from .networks import NETWORKS, Residual
from .planted import distinct_of, fold_all, plant, plant_all, sources, wild

SKIPS = ("internal", "joined")
IMAGES = torch.randn(4, 3, 12, 12, generator=torch.Generator().manual_seed(5)).double()


def made(name: str) -> nn.Module:
    torch.manual_seed(1)
    return wild(NETWORKS[name]())


def same(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    assert theirs.std() > 0
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10 * theirs.abs().max().item())


@pytest.mark.parametrize("skips", SKIPS)
@pytest.mark.parametrize("name", NETWORKS)
def test_planted_duplicates_merge_exactly(name, skips):
    network = made(name)
    layers = hidden_layers(network, IMAGES, skips)
    assert layers
    plant_all(network, layers)
    expected = network(IMAGES)
    fold_all(network, layers)
    same(network(IMAGES), expected)
    again = hidden_layers(network, IMAGES, skips)
    assert [layer.name for layer in again] == [layer.name for layer in layers]
    assert [layer.width for layer in again] == [distinct_of(layer) for layer in layers]


@pytest.mark.parametrize("skips", SKIPS)
@pytest.mark.parametrize("name", NETWORKS)
def test_neurons_in_another_order_are_the_same_function(name, skips):
    network = made(name)
    expected = network(IMAGES)
    rng = np.random.default_rng(0)
    for layer in hidden_layers(network, IMAGES, skips):
        order = torch.eye(layer.width, dtype=torch.float64)[rng.permutation(layer.width)]
        fold(network, layer, order, order)
    same(network(IMAGES), expected)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_identity_changes_no_bit(name):
    network = made(name).float()
    before = copy.deepcopy(network.state_dict())
    for layer in hidden_layers(network, IMAGES.float(), "joined"):
        identity = torch.eye(layer.width, dtype=torch.float64)
        fold(network, layer, identity, identity)
    for tensor, value in network.state_dict().items():
        assert torch.equal(value, before[tensor])


@pytest.mark.parametrize("name", NETWORKS)
def test_duplicates_have_the_same_features_and_others_have_not(name):
    network = made(name)
    layers = hidden_layers(network, IMAGES, "joined")
    plant_all(network, layers)
    for layer in layers:
        features = incoming_features(network, layer)
        distinct = distinct_of(layer)
        assert len(np.unique(features, axis=0)) == distinct
        np.testing.assert_array_equal(features, features[sources(layer.width, distinct)])


@pytest.mark.parametrize("name", ["plain", "dense", "residual"])
def test_a_neuron_whose_norm_differs_is_no_duplicate(name):
    network = made(name)
    for layer in hidden_layers(network, IMAGES, "joined"):
        plant_all(network, [layer])
        for norm in layer.norms:
            module = copy.deepcopy(network).get_submodule(norm.name)
            other = copy.deepcopy(network)
            other.get_submodule(norm.name).running_mean[norm.start] += 1.0
            assert module.running_mean is not None
            features = incoming_features(other, layer)
            assert not np.array_equal(features[0], features[distinct_of(layer)])


def test_averaging_the_outgoing_side_differs_by_the_size_of_the_cluster():
    network = wild(Residual())
    layers = hidden_layers(network, IMAGES, "joined")
    (layer,) = (each for each in layers if "head" in {reader.name for reader in each.consumers})
    plant(network, layer, torch.zeros(layer.width, dtype=torch.long))
    expected = network(IMAGES) - network.head.bias
    inner, labels = copy.deepcopy(network.head), np.zeros(layer.width, dtype=np.int64)
    fold(network, layer, mean(labels, 1), membership(labels, 1))
    same(network(IMAGES) - network.head.bias, expected)
    network.head.weight.data = inner.weight.detach().mean(dim=1, keepdim=True)
    same((network(IMAGES) - network.head.bias) * layer.width, expected)


def scaled_twins(network: nn.Sequential) -> None:
    """Make neuron 1 of a convolution ten times neuron 0, which its norm undoes."""
    conv, norm = network[0], network[1]
    with torch.no_grad():
        conv.weight[1] = 10 * conv.weight[0]
        norm.weight[1], norm.bias[1] = norm.weight[0], norm.bias[0]
        norm.running_mean[1] = 10 * norm.running_mean[0]
        norm.running_var[1] = 100 * (norm.running_var[0] + norm.eps) - norm.eps


def test_neurons_that_their_norms_make_equal_are_duplicates_whatever_their_scale():
    network = made("plain")
    scaled_twins(network)
    layer = hidden_layers(network, IMAGES)[0]
    expected, gamma = network(IMAGES), network[1].weight[0].item()
    features = incoming_features(network, layer)
    np.testing.assert_allclose(features[0], features[1])
    labels = np.array([0, 0, *range(1, 8)])
    fold(network, layer, mean(labels, 8), membership(labels, 8))
    same(network(IMAGES), expected)
    assert network[1].weight[0].item() == pytest.approx(gamma)


def test_the_merged_neuron_is_the_mean_of_the_folded_ones():
    network = made("plain")
    layer = hidden_layers(network, IMAGES)[1]
    features = incoming_features(network, layer)
    labels = np.arange(12) % 5
    fold(network, layer, mean(labels, 5), membership(labels, 5))
    merged = incoming_features(network, hidden_layers(network, IMAGES)[1])
    np.testing.assert_allclose(merged, mean(labels, 5).numpy() @ features, rtol=1e-10, atol=1e-12)
    assert torch.all(network[4].running_var > 0)


@pytest.mark.parametrize("name", NETWORKS)
def test_any_clusters_give_finite_norms_and_a_network_that_trains(name):
    network = made(name).float()
    left = hidden_layers(network, IMAGES.float(), "joined")
    while left:
        layer, *left = left
        m = max(1, layer.width // 4)
        labels = sources(layer.width, m)
        fold(network, layer, mean(labels, m), membership(labels, m))
        left = narrowed(left, layer, layer.width - m)
    assert all(bool(torch.isfinite(value).all()) for value in network.state_dict().values())
    network.train()(IMAGES.float()).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_norms_whose_weights_are_zero_or_cancel_stay_exact_means():
    network = made("plain")
    norm = network[1]
    with torch.no_grad():
        norm.weight[:3] = 0
        norm.weight[4] = -norm.weight[3]
    layer = hidden_layers(network, IMAGES)[0]
    features = incoming_features(network, layer)
    labels = np.array([0, 0, 1, 2, 2, 1, 3, 3, 3])
    fold(network, layer, mean(labels, 4), membership(labels, 4))
    merged = incoming_features(network, hidden_layers(network, IMAGES)[0])
    np.testing.assert_allclose(merged, mean(labels, 4).numpy() @ features, rtol=1e-10, atol=1e-12)


def unmade(model, **arguments) -> nn.Module:
    """Build a network with cheap random weights: torchvision's take longer than the test."""
    with torch.device("meta"):
        network = model(**arguments)
    network.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(2)
    for parameter in network.parameters():
        fan_in = parameter[0].numel() if parameter.ndim > 1 else 100
        parameter.data.uniform_(-1, 1, generator=generator).mul_((6 / fan_in) ** 0.5)
    return network


TORCHVISION = {
    "resnet18": (32, 12, 8),
    "vgg16_bn": (32, 15, 15),
    "alexnet": (64, 7, 7),
    "densenet121": (32, 120, 120),
    "googlenet": (32, 57, 57),
}


@pytest.mark.parametrize("name", TORCHVISION)
def test_networks_of_torchvision_merge_exactly(name):
    size, joined, internal = TORCHVISION[name]
    extra = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    network = wild(unmade(getattr(torchvision.models, name), **extra))
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(3)).double()
    assert len(hidden_layers(network, images[:1])) == internal
    layers = hidden_layers(network, images[:1], "joined")
    assert len(layers) == joined
    plant_all(network, layers)
    with torch.no_grad():
        expected = network(images)
        fold_all(network, layers)
        same(network(images), expected)
