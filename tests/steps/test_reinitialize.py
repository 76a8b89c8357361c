"""Reinitialize: every parameter is drawn anew, nothing else moves, the seed decides."""

import copy

import pytest
import torch
from torch import nn

from clusterpress.codes import Masked, attach
from clusterpress.errors import ConfigError
from clusterpress.models.lenet import LeNet5
from clusterpress.steps.base import Context, Step
from clusterpress.steps.prune_neurons import PruneNeurons
from clusterpress.steps.reinitialize import Reinitialize


def context(seed: int = 0, size: int = 28) -> Context:
    example = torch.zeros(1, 1, size, size)
    return Context(train=lambda network, recipe: None, example=example, clustering=seed)


def test_it_is_a_step():
    assert isinstance(Reinitialize(), Step)


def test_everything_is_forgotten_at_the_present_widths(network):
    PruneNeurons(0.5).apply(network, context(size=8))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(7.0)
    shapes = [parameter.shape for parameter in network.parameters()]
    Reinitialize().apply(network, context())
    assert [parameter.shape for parameter in network.parameters()] == shapes
    assert all(float(parameter.detach().abs().max()) < 1 for parameter in network.parameters())


def test_draws_are_those_of_the_layers_present_fan_in():
    network = LeNet5()
    PruneNeurons(0.1).apply(network, context())
    Reinitialize().apply(network, context())
    bound = (3 / network.ip1.in_features) ** 0.5
    assert network.ip1.in_features == 5 * 16
    assert 0.95 * bound < float(network.ip1.weight.detach().abs().max()) <= bound
    assert not network.ip1.bias.any()


def test_the_seed_decides_not_the_global_state(network):
    def drawn(seed: int) -> torch.Tensor:
        torch.rand(3)
        return Reinitialize().apply(copy.deepcopy(network), context(seed))[2].weight

    assert torch.equal(drawn(0), drawn(0))
    assert not torch.equal(drawn(0), drawn(1))


def test_the_global_state_is_left_as_it_was(network):
    torch.manual_seed(11)
    expected = torch.rand(4)
    torch.manual_seed(11)
    Reinitialize().apply(network, context())
    assert torch.equal(torch.rand(4), expected)


def test_running_statistics_begin_anew():
    norm = nn.BatchNorm1d(3)
    norm(torch.randn(8, 3) + 5)
    Reinitialize().apply(norm, context())
    assert torch.equal(norm.running_mean, torch.zeros(3))


def test_a_networks_own_initialisation_has_the_last_word():
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 2)
            self.scale = nn.Parameter(torch.zeros(2))

        def reset_parameters(self) -> None:
            nn.init.constant_(self.layer.bias, 4.0)
            nn.init.ones_(self.scale)

    network = Reinitialize().apply(Own(), context())
    assert network.layer.bias.tolist() == [4.0, 4.0]
    assert network.scale.tolist() == [1.0, 1.0]


def test_what_cannot_be_drawn_anew_is_refused(network):
    weight = network[3].weight.detach()
    attach(network[3], "weight", Masked(torch.ones_like(weight)), weight)
    before = network[0].weight.detach().clone()
    with pytest.raises(ConfigError, match=r"'3'.*code"):
        Reinitialize().apply(network, context())
    assert torch.equal(network[0].weight, before)

    class Bare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.ones(2))

    with pytest.raises(ConfigError, match=r"Bare.*scale.*reset_parameters"):
        Reinitialize().apply(nn.Sequential(Bare()), context())
