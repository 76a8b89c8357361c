"""Uniform quantisation: few levels, straight-through training, no latent weight left."""

import copy

import pytest
import torch

from clusterpress.codes import code_of, coded_tensors, original_of
from clusterpress.errors import ConfigError, DataError
from clusterpress.steps import Prune, Quantize
from clusterpress.steps.quantize import Rounded
from clusterpress.training.recipe import Recipe


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("per_channel", [True, False])
@pytest.mark.parametrize("bits", [1, 3, 8])
def test_a_row_has_at_most_as_many_values_as_levels(network, context, bits, per_channel, symmetric):
    before = network[2].weight.detach().clone()
    Quantize(bits, symmetric=symmetric, per_channel=per_channel).apply(network, context)
    rows = network[2].weight if per_channel else network[2].weight.reshape(1, -1)
    assert all(row.unique().numel() <= 2**bits for row in rows)
    assert original_of(network[2]).shape == (1 if symmetric else 2, 12 if per_channel else 1)
    if bits == 8:
        assert torch.allclose(network[2].weight, before, atol=float(before.abs().max()) / 100)


def test_scales_of_channels_err_less(network, context):
    Quantize(3).apply(copy.deepcopy(network), context)
    one = context.facts["relative_squared_error"]
    Quantize(3, per_channel=True).apply(network, context)
    assert context.facts["relative_squared_error"]["2"] < one["2"]


def test_the_latent_weight_gets_the_whole_gradient():
    form, latent = Rounded(3, Quantize(2)), torch.randn(4, 3, requires_grad=True)
    upstream = torch.randn(4, 3)
    (form(latent) * upstream).sum().backward()
    assert torch.equal(latent.grad, upstream)


def test_the_network_trains_as_it_is_rounded(network, context, calls):
    seen = []

    def train(network, recipe):
        calls(network, recipe)
        seen.append(network[2].weight.unique().numel())

    context.train = train
    Quantize(2, recipe=Recipe()).apply(network, context)
    assert len(calls.recipes) == 1
    assert seen[0] <= 4
    assert {code_of(module).kind for _, module, _ in coded_tensors(network)} == {"quantized"}


def test_layers_that_are_not_named_stay(network, context):
    before = network[0].weight.detach().clone()
    Quantize({"fc": 2}).apply(network, context)
    assert torch.equal(network[0].weight, before)
    assert code_of(network[0]) is None


@pytest.mark.parametrize(("bits", "symmetric"), [(2, True), (8, True), (1, False), (2, False)])
def test_pruned_weights_stay_zero_where_zero_is_a_level(network, context, bits, symmetric):
    Prune(keep=0.25).apply(network, context)
    gone = network[2].weight == 0
    Quantize(bits, symmetric=symmetric).apply(network, context)
    assert bool((network[2].weight[gone] == 0).all())


@pytest.mark.parametrize("symmetric", [True, False])
def test_pruned_weights_stay_zero_in_the_training_after(network, context, symmetric):
    Prune(keep=0.25).apply(network, context)
    gone, before = network[2].weight == 0, network[3].weight.detach().clone()
    Quantize({"2": 4}, symmetric=symmetric).apply(network, context)
    parameters = [each for each in network.parameters() if each.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr=0.1, weight_decay=0.1)
    network(torch.randn(4, 1, 8, 8)).square().sum().backward()
    optimizer.step()
    assert not network[2].weight[gone].any()
    assert not torch.equal(network[3].weight, before)


@pytest.mark.parametrize("latent", [True, False])
def test_a_frozen_layer_stays_frozen(network, context, latent):
    network[2].weight.requires_grad_(False)
    Quantize({"2": 4}, recipe=Recipe() if latent else None).apply(network, context)
    assert not original_of(network[2]).requires_grad
    assert network[3].weight.requires_grad


def test_one_bit_around_zero_would_bring_pruned_weights_back(network, context):
    Prune(keep={"3": 0.25}).apply(network, context)
    with pytest.raises(ConfigError, match="layer '3' is pruned, and Quantize with bits=1"):
        Quantize({"conv": 1, "3": 1}).apply(network, context)
    assert code_of(network[0]) is None
    Quantize({"conv": 1, "3": 2}).apply(network, context)


@pytest.mark.parametrize("knobs", [{"bits": 0}, {"bits": 9}, {"symmetric": 1}, {"recipe": "x"}])
def test_knobs_outside_their_range_are_refused(knobs):
    with pytest.raises(ConfigError):
        Quantize(**knobs)


def test_nan_weights_name_the_layer(network, context):
    with torch.no_grad():
        network[3].weight[0, 0] = float("nan")
    with pytest.raises(DataError, match="layer '3'"):
        Quantize(2).apply(network, context)
