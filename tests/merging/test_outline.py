"""An outline has the shapes of what any merging leaves, and costs no network."""

import copy

import pytest
import torch

from clusterpress.merging import SKIPS, hidden_layers, outline, target_widths
from clusterpress.steps import Context, PruneNeurons

from .networks import NETWORKS


@pytest.mark.parametrize("skips", SKIPS)
@pytest.mark.parametrize("name", NETWORKS)
def test_an_outline_has_the_shapes_of_the_network_that_a_step_leaves(name, skips):
    network, image = NETWORKS[name]().eval(), torch.zeros(1, 3, 12, 12)
    before = copy.deepcopy(network.state_dict())
    layers = hidden_layers(network, image, skips)
    found = outline(network, layers, target_widths(0.6, layers))
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    context = Context(train=lambda *_: None, example=image, clustering=0)
    PruneNeurons(0.6, skips=skips).apply(network, context)
    assert _shapes(found) == _shapes(network)
    assert _shapes(found) != {key: tuple(value.shape) for key, value in before.items()}
    assert _sizes(found) == _sizes(network)
    assert found(image).shape == network(image).shape


def _shapes(network):
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def _sizes(network):
    names = ("in_features", "out_features", "in_channels", "out_channels", "num_features")
    return [[getattr(each, name, None) for name in names] for each in network.modules()]
