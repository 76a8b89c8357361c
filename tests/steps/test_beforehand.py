"""What checks know of a network: its images, and whether its rows are final."""

import pytest
import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.models import MODELS
from clusterpress.steps import MergeNeurons, ProductQuantize, PruneNeurons, SoftShare
from clusterpress.steps.beforehand import awaits_narrowing, example_of
from clusterpress.training.recipe import Recipe

# Rows of layer '3' have 12 weights; with two thirds of the neurons before it, 8.
NARROWING = [PruneNeurons({"2": 2 / 3}), MergeNeurons({"2": 2 / 3})]
CUTTING = [
    lambda: ProductQuantize({"3": 8}, 1),
    lambda: SoftShare(Recipe(), bits={"3": 1}, dim=8),
]


@pytest.mark.parametrize("name", ["lenet300_100", "lenet5", "resnet20"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_model_says_which_images_it_takes(name, channels):
    network = MODELS[name](channels=channels)
    example = example_of(network)
    assert example.shape == (1, channels, *network.image_size)
    assert network.training


@pytest.mark.parametrize("size", [None, 8, (8,), (9, 9), (0, 0), ("8", "8")])
def test_a_network_that_does_not_say_so_has_no_example(network, size):
    if size is not None:
        network.image_size = size
    assert example_of(network) is None
    assert example_of(nn.ReLU()) is None
    network.image_size = (8, 8)
    assert torch.equal(example_of(network), torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize("narrowing", NARROWING)
@pytest.mark.parametrize("cutting", CUTTING)
def test_blocks_may_divide_rows_that_an_earlier_step_makes(network, context, narrowing, cutting):
    with pytest.raises(ConfigError, match="layer '3' has rows of 12 weights"):
        cutting().check(network)
    for step in (narrowing, cutting()):
        step.check(network)
    assert awaits_narrowing(network)
    narrowing.apply(network, context)
    assert not awaits_narrowing(network)
    cutting().check(network)
    cutting().apply(network, context)


@pytest.mark.parametrize("cutting", CUTTING)
def test_rows_are_what_they_are_once_a_step_runs(network, context, cutting):
    PruneNeurons(0.5).check(network)
    with pytest.raises(ConfigError, match="layer '3' has rows of 12 weights"):
        cutting().apply(network, context)


def test_a_block_longer_than_a_row_is_refused_whatever_comes_before(network):
    PruneNeurons(0.5).check(network)
    with pytest.raises(ConfigError, match="layer '3' has rows of 12 weights"):
        SoftShare(Recipe(), bits={"3": 1}, dim=16).check(network)
