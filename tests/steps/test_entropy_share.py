"""Sharing for the shortest file: a price for bits, one for all layers, and nothing trained."""

import copy

import pytest
import torch

from clusterpress.errors import ConfigError
from clusterpress.steps import EntropyShare, Prune


def test_a_higher_price_takes_fewer_values_and_errs_more(network, context, calls):
    errors, sizes = [], []
    for price in (0.001, 0.01, 0.1):
        EntropyShare(price).apply(copy.deepcopy(network), context)
        errors.append(sum(context.facts["relative_squared_error"].values()))
        sizes.append(sum(context.facts["values"].values()))
    assert errors == sorted(errors)
    assert sizes == sorted(sizes, reverse=True)
    assert errors[0] < errors[-1]
    assert not calls.recipes


def test_every_layer_has_as_many_values_as_it_says(network, context):
    EntropyShare(0.05).apply(network, context)
    for name, size in context.facts["values"].items():
        assert network.get_submodule(name).weight.unique().numel() == size


def test_by_layer_a_layers_scale_changes_nothing(network, context):
    scaled = copy.deepcopy(network)
    with torch.no_grad():
        scaled[2].weight *= 1024
    for each in (network, scaled):
        EntropyShare(0.05, by_layer=True).apply(each, context)
    assert torch.allclose(1024 * network[2].weight, scaled[2].weight)


def test_pruned_weights_stay_zero(network, context):
    Prune(keep=0.5).apply(network, context)
    gone = network[2].weight == 0
    EntropyShare(0.01).apply(network, context)
    assert torch.equal(network[2].weight == 0, gone)


def test_statistics_are_not_estimated_without_images(network, context):
    network.append(torch.nn.BatchNorm1d(3))
    with pytest.raises(ConfigError, match="images"):
        EntropyShare(0.01, reestimate=True).apply(network, context)


@pytest.mark.parametrize(
    "knobs",
    [{"price": 0}, {"price": True}, {"price": float("inf")}, {"by_layer": 1}, {"reestimate": 0}],
)
def test_knobs_outside_their_range_are_refused(knobs):
    with pytest.raises(ConfigError, match="EntropyShare"):
        EntropyShare(**knobs)
