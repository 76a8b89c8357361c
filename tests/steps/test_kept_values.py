"""What several steps refuse alike: pruned layers that they would fill, weights that are broken."""

import copy

import pytest
import torch

from clusterpress.errors import ConfigError, DataError
from clusterpress.steps import (
    Binarize,
    ClusterKernels,
    HashWeights,
    ProductQuantize,
    Prune,
    Quantize,
    SoftShare,
    Ternarize,
)
from clusterpress.training.recipe import Recipe

FILLING = {
    "Binarize": Binarize(Recipe()),
    "ClusterKernels": ClusterKernels(k=2),
    "HashWeights": HashWeights(4),
    "ProductQuantize": ProductQuantize(3),
    "Quantize": Quantize(bits=4, recipe=Recipe()),
    "SoftShare": SoftShare(Recipe(), bits=1),
    "Ternarize": Ternarize(Recipe()),
}


@pytest.mark.parametrize("name", FILLING)
def test_a_step_that_would_fill_a_pruned_layer_refuses_it(name, network, context):
    Prune(keep=0.5).apply(network, context)
    before = copy.deepcopy(network.state_dict())
    with pytest.raises(ConfigError, match=f"is pruned, and {name} would bring its zeros back"):
        FILLING[name].apply(network, context)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize("name", ["Binarize", "Quantize", "SoftShare", "Ternarize"])
def test_a_training_that_breaks_the_weights_is_not_made_a_code(name, network, context):
    def breaks(trained, recipe):
        for parameter in trained.parameters():
            parameter.data.fill_(torch.nan)

    context.train = breaks
    with pytest.raises(DataError, match="NaN or infinite"):
        FILLING[name].apply(network, context)


def test_kernels_pruned_as_a_whole_are_left_out(network, context):
    with torch.no_grad():
        network[0].weight[1] = 0
    Prune(keep={"0": 0.75}).apply(network, context)
    ClusterKernels(k=2).apply(network, context)
    assert not network[0].weight[1].any()
