"""Widths by layer: the target is met, and met where it costs least."""

import pytest
import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.merging import cheapest_widths, hidden_layers, parameters_at
from clusterpress.models.accounting import parameter_count

from .networks import NETWORKS

IMAGES = torch.randn(1, 3, 12, 12)


def curves(layers, rng):
    """Losses at some widths of each layer, as measurements would give: not quite rising."""
    return {
        layer.name: {
            width: float(abs(torch.randn(1, generator=rng)) * (layer.width - width))
            for width in {1, layer.width // 3 or 1, layer.width // 2 or 1, layer.width}
        }
        for layer in layers
    }


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("remove", [0.02, 0.3, 0.7])
@pytest.mark.parametrize("name", ["plain", "branches", "dense"])
def test_the_target_is_met_and_not_by_more_than_it_takes(name, remove, seed):
    network = NETWORKS[name]()
    layers = hidden_layers(network, IMAGES)
    allowed = (1 - remove) * parameter_count(network)
    losses = curves(layers, torch.Generator().manual_seed(seed))
    widths = cheapest_widths(network, layers, losses, remove)
    assert all(1 <= widths[layer.name] <= layer.width for layer in layers)
    assert parameters_at(network, layers, widths) <= allowed
    wider = [
        parameters_at(network, layers, {**widths, layer.name: widths[layer.name] + 1})
        for layer in layers
        if widths[layer.name] < layer.width
    ]
    assert wider
    assert max(wider) > allowed


def test_layers_that_matter_stay_wide():
    network = nn.Sequential(*(nn.Linear(8, 8) for _ in range(4)))
    layers = hidden_layers(network, torch.zeros(1, 8))
    free, dear, dearer = (layer.name for layer in layers)
    losses = {
        free: {8: 1.0, 4: 1.0, 1: 1.0},
        dear: {8: 1.0, 4: 5.0, 1: 9.0},
        dearer: {8: 1.0, 4: 50.0, 1: 90.0},
    }
    assert cheapest_widths(network, layers, losses, 0.2)[dear] == 8
    widths = cheapest_widths(network, layers, losses, 0.5)
    assert widths[free] < widths[dear] < widths[dearer] == 8


def test_a_loss_that_falls_with_a_layer_is_chance():
    network = nn.Sequential(*(nn.Linear(8, 8) for _ in range(3)))
    layers = hidden_layers(network, torch.zeros(1, 8))
    first, second = (layer.name for layer in layers)
    lucky = {first: {8: 1.0, 4: 3.0, 1: -5.0}, second: {8: 1.0, 4: 1.1, 1: 1.2}}
    assert cheapest_widths(network, layers, lucky, 0.1)[first] == 8


def test_a_target_out_of_reach_is_refused():
    network = nn.Sequential(nn.Linear(8, 2), nn.Linear(2, 8))
    layers = hidden_layers(network, torch.zeros(1, 8))
    with pytest.raises(ConfigError, match="with one neuron in each of the 1 layers"):
        cheapest_widths(network, layers, {"0": {2: 0.0, 1: 1.0}}, 0.9)
