"""Widths by how often weights are used."""

import pytest
import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.merging import hidden_layers, parameters_at, positions, widths_by_use
from clusterpress.models import MODELS

IMAGE = torch.zeros(1, 1, 28, 28)


@pytest.fixture
def lenet():
    network = MODELS["lenet5"]()
    return network, hidden_layers(network, IMAGE)


def test_positions_are_those_of_the_layers_outputs(lenet):
    network, layers = lenet
    network.train()
    assert positions(network, layers, IMAGE) == {"conv1": 24 * 24, "conv2": 8 * 8, "ip1": 1}
    assert all(module.training for module in network.modules())
    assert not any(module._forward_hooks for module in network.modules())


@pytest.mark.parametrize("remove", [0.1, 0.5, 0.9, 0.99])
def test_the_target_is_met_and_use_is_favoured(lenet, remove):
    network, layers = lenet
    uses = positions(network, layers, IMAGE)
    widths = widths_by_use(network, layers, uses, remove)
    full = {layer.name: layer.width for layer in layers}
    left = parameters_at(network, layers, widths)
    assert left <= (1 - remove) * parameters_at(network, layers, full)
    shares = [widths[name] / full[name] for name in ("conv1", "conv2", "ip1")]
    assert shares == sorted(shares, reverse=True)
    assert all(1 <= widths[name] <= full[name] for name in full)


def test_equal_use_gives_equal_shares():
    network = nn.Sequential(nn.Linear(8, 40), nn.ReLU(), nn.Linear(40, 20), nn.ReLU())
    network.append(nn.Linear(20, 2))
    layers = hidden_layers(network, torch.zeros(1, 8))
    uses = positions(network, layers, torch.zeros(1, 8))
    assert set(uses.values()) == {1}
    widths = widths_by_use(network, layers, uses, 0.5)
    assert widths["0"] / 40 == pytest.approx(widths["2"] / 20, abs=0.05)


def test_a_target_out_of_reach_is_refused(lenet):
    network, layers = lenet
    with pytest.raises(ConfigError, match="one neuron in each"):
        widths_by_use(network, layers, positions(network, layers, IMAGE), 0.99999)
