"""Folding: duplicates merge exactly, sizes follow, and damaged or coded layers are refused."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from clusterpress.codes import Masked, attach
from clusterpress.errors import ConfigError, DataError
from clusterpress.merging import (
    fold,
    hidden_layers,
    incoming_features,
    mean,
    membership,
    selection,
)


def state(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def test_matrices_of_labels():
    labels = np.array([0, 1, 0, 0])
    assert membership(labels, 2).tolist() == [[1, 0, 1, 1], [0, 1, 0, 0]]
    torch.testing.assert_close(
        mean(labels, 2),
        torch.tensor([[1 / 3, 0, 1 / 3, 1 / 3], [0, 1, 0, 0]], dtype=torch.float64),
    )
    assert selection(np.array([1, 3]), 4).tolist() == [[0, 1, 0, 0], [0, 0, 0, 1]]


def test_duplicates_merge_with_no_change_of_the_function(network, images, plant):
    layers = hidden_layers(network, images)
    for layer in layers:
        plant(network, layer.name, 3)
    expected = network(images)
    for layer in layers:
        labels = np.arange(layer.width) % 3
        fold(network, layer, mean(labels, 3), membership(labels, 3))
        torch.testing.assert_close(network(images), expected, atol=1e-5, rtol=1e-5)
    assert [layer.width for layer in hidden_layers(network, images)] == [3] * len(layers)


def test_sizes_and_shapes_follow(network, images):
    for layer in hidden_layers(network, images):
        labels = np.arange(layer.width) % 2
        fold(network, layer, mean(labels, 2), membership(labels, 2))
        module = network.get_submodule(layer.name)
        reader = network.get_submodule(layer.consumers[0].name)
        outputs = getattr(module, "out_features", None) or module.out_channels
        inputs = getattr(reader, "in_features", None) or reader.in_channels
        assert outputs == module.weight.shape[0] == 2
        assert inputs == reader.weight.shape[1] == 2 * layer.consumers[0].columns_per_neuron
    assert network(images).shape == (5, 4)


def test_the_identity_changes_no_bit(network, untouched, images):
    for layer in hidden_layers(network, images):
        identity = torch.eye(layer.width, dtype=torch.float64)
        fold(network, layer, identity, identity)
    for name, tensor in untouched.state_dict().items():
        assert torch.equal(network.state_dict()[name], tensor)


def test_averaging_the_outgoing_side_differs_by_the_size_of_the_cluster(images, network, plant):
    layer = hidden_layers(network, images)[-1]
    size = 3
    distinct = layer.width // size
    labels = np.arange(distinct * size) % distinct
    labels = np.concatenate([labels, np.arange(distinct, distinct + layer.width % size)])
    clusters = int(labels.max()) + 1
    module = network.get_submodule(layer.name)
    with torch.no_grad():
        module.weight.copy_(module.weight[torch.from_numpy(labels)])
        module.bias.copy_(module.bias[torch.from_numpy(labels)])
    last = network.get_submodule(layer.consumers[0].name)
    with torch.no_grad():
        last.weight[:, distinct * size :] = 0  # neurons that are alone shall not speak here
    expected = network(images) - last.bias
    fold(network, layer, mean(labels, clusters), mean(labels, clusters))
    torch.testing.assert_close((network(images) - last.bias) * size, expected)


def test_outgoing_weights_are_summed_block_by_block(images):
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(3 * 64, 2))
    (layer,) = hidden_layers(network, images)
    before = network[2].weight.detach().reshape(2, 3, 64)
    labels = np.array([0, 1, 0])
    fold(network, layer, mean(labels, 2), membership(labels, 2))
    expected = torch.stack([before[:, 0] + before[:, 2], before[:, 1]], dim=1)
    torch.testing.assert_close(network[2].weight.detach().reshape(2, 2, 64), expected)


def test_the_folded_network_still_trains(network, images):
    for layer in hidden_layers(network, images):
        labels = np.arange(layer.width) % 4
        fold(network, layer, mean(labels, 4), membership(labels, 4))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    targets = torch.arange(5) % 4
    losses = []
    for _ in range(20):
        loss = nn.functional.cross_entropy(network(images), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    assert all(parameter.grad is not None for parameter in network.parameters())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_dtype_and_requires_grad_stay(network, images, dtype):
    network.to(dtype)
    layer = hidden_layers(network, images.to(dtype))[0]
    module = network.get_submodule(layer.name)
    module.weight.requires_grad_(False)
    labels = np.arange(layer.width) % 2
    fold(network, layer, mean(labels, 2), membership(labels, 2))
    assert {parameter.dtype for parameter in network.parameters()} == {dtype}
    assert not module.weight.requires_grad
    assert module.bias is None or module.bias.requires_grad


def test_features_are_weights_and_bias():
    network = nn.Sequential(nn.Conv2d(1, 3, 2), nn.Conv2d(3, 4, 1, bias=False), nn.Conv2d(4, 1, 1))
    first, second = hidden_layers(network, torch.randn(1, 1, 4, 4))
    features = incoming_features(network, first)
    assert features.dtype == np.float64
    weight, bias = network[0].weight.detach(), network[0].bias.detach()
    np.testing.assert_array_equal(features, torch.cat([weight.flatten(1), bias[:, None]], 1))
    assert incoming_features(network, second).shape == (4, 3)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("tensor", ["weight", "bias"])
def test_values_that_are_not_finite_are_refused_by_layer(images, value, tensor):
    network = nn.Sequential(nn.Flatten(), nn.Linear(100, 4), nn.ReLU(), nn.Linear(4, 2))
    (layer,) = hidden_layers(network, images)
    with torch.no_grad():
        getattr(network[1], tensor)[1] = value
    with pytest.raises(DataError, match=f"{tensor} of layer '1'"):
        incoming_features(network, layer)


def test_a_coded_reader_is_refused_and_nothing_changes(images):
    network = nn.Sequential(nn.Flatten(), nn.Linear(100, 4), nn.ReLU(), nn.Linear(4, 2))
    (layer,) = hidden_layers(network, images)
    attach(network[3], "weight", Masked(torch.ones(2, 4)), network[3].weight.detach())
    before = state(copy.deepcopy(network))
    labels = np.array([0, 0, 1, 1])
    with pytest.raises(ConfigError, match=r"'3'.*masked"):
        fold(network, layer, mean(labels, 2), membership(labels, 2))
    assert all(torch.equal(network.state_dict()[name], tensor) for name, tensor in before.items())


def test_matrices_that_do_not_fit_are_refused(network, images):
    layer = hidden_layers(network, images)[0]
    with pytest.raises(ValueError, match="must have shape"):
        fold(network, layer, torch.ones(2, 5), torch.ones(2, 5))
