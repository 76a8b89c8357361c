"""BWN: two values a filter, straight-through gradients, first and last layer in full."""

import pytest
import torch

from clusterpress.codes import kind_of, original_of
from clusterpress.errors import ConfigError
from clusterpress.steps import Binarize
from clusterpress.steps.binarize import BinaryForm
from clusterpress.training.recipe import Recipe


def test_inner_layers_are_signs_times_mean_magnitudes(network, context, calls):
    before = network[2].weight.detach().clone()
    Binarize(Recipe()).apply(network, context)
    assert len(calls.recipes) == 1
    assert [kind_of(network[place]) for place in (0, 2, 3)] == ["dense", "binary", "dense"]
    expected = before.sign() * before.abs().mean(1, keepdim=True)
    assert torch.allclose(network[2].weight, expected)
    assert original_of(network[2]).shape == (12,)


def test_the_gradient_goes_straight_through_within_one():
    latent = torch.tensor([[0.5, -1.5], [0.0, -0.25]], requires_grad=True)
    weight = BinaryForm()(latent)
    assert torch.allclose(weight, torch.tensor([[1.0, -1.0], [0.125, -0.125]]))
    weight.sum().backward()
    assert latent.grad.tolist() == [[1, 0], [1, 1]]


def test_latent_weights_are_what_trains(network, context):
    def train(network, recipe):
        with torch.no_grad():
            network[2].parametrizations.weight.original.fill_(-2.0)

    context.train = train
    Binarize(Recipe()).apply(network, context)
    assert torch.all(network[2].weight == -2)


def test_what_is_no_recipe_is_refused():
    with pytest.raises(ConfigError, match="no recipe"):
        Binarize(None)
