"""TTQ: three values, the paper's gradients, first and last layer in full."""

import pytest
import torch
from torch import nn

from clusterpress.codes import kind_of, original_of
from clusterpress.errors import ConfigError
from clusterpress.steps import Ternarize
from clusterpress.steps.ternarize import TernaryForm
from clusterpress.training.recipe import Recipe


def test_inner_layers_have_three_values_and_the_others_stay(network, context, calls):
    outer = [network[0].weight.detach().clone(), network[3].weight.detach().clone()]
    Ternarize(Recipe()).apply(network, context)
    assert len(calls.recipes) == 1
    assert [kind_of(network[place]) for place in (0, 2, 3)] == ["dense", "ternary", "dense"]
    assert torch.equal(network[0].weight, outer[0])
    assert torch.equal(network[3].weight, outer[1])
    positive, negative = original_of(network[2]).tolist()
    assert set(network[2].weight.unique().tolist()) == {-negative, 0.0, positive}
    assert context.facts["zeros"]["2"] == float((network[2].weight == 0).float().mean())


def test_scales_start_at_the_means_of_their_members():
    form = TernaryForm(torch.tensor([1.0, 0.5, 0.04, -0.2, -0.4]), 0.05)
    assert torch.allclose(form.scales, torch.tensor([0.75, 0.3]))
    weight = form(torch.tensor([1.0, 0.5, 0.04, -0.2, -0.4]))
    assert torch.allclose(weight, torch.tensor([0.75, 0.75, 0, -0.3, -0.3]))


def test_gradients_are_those_of_equations_7_and_8():
    latent = torch.tensor([1.0, 0.5, 0.04, -0.2, -0.4], requires_grad=True)
    form = TernaryForm(latent.detach(), 0.05)
    upstream = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    (form(latent) * upstream).sum().backward()
    assert torch.allclose(form.scales.grad, torch.tensor([1.5, -4.5]))
    assert torch.allclose(latent.grad, torch.tensor([0.75, 1.5, 3.0, 1.2, 1.5]))


def test_the_scales_that_training_left_are_stored(network, context):
    def train(network, recipe):
        with torch.no_grad():
            network[2].parametrizations.weight[0].scales.copy_(torch.tensor([3.0, 2.0]))

    context.train = train
    Ternarize(Recipe()).apply(network, context)
    assert original_of(network[2]).tolist() == [3, 2]


def test_two_layers_leave_nothing_to_do(context):
    two = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    with pytest.raises(ConfigError, match="0, 1: there is nothing left"):
        Ternarize(Recipe()).check(two)


@pytest.mark.parametrize(
    "knobs",
    [
        {"recipe": None},
        {"recipe": Recipe(), "threshold": 0.0},
        {"recipe": Recipe(), "threshold": "abc"},
    ],
)
def test_knobs_outside_their_range_are_refused(knobs):
    with pytest.raises(ConfigError):
        Ternarize(**knobs)
