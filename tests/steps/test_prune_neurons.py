"""PruneNeurons: what nobody reads can go, the strongest stay, widths are as asked."""

import copy

import pytest
import torch
from torch import nn

from clusterpress.errors import ConfigError, DataError
from clusterpress.models import MODELS
from clusterpress.steps.base import Context, Step
from clusterpress.steps.foresight import checking_in_order
from clusterpress.steps.prune_neurons import PruneNeurons


def images(count: int = 4) -> torch.Tensor:
    return torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(5))


def context(seed: int = 0) -> Context:
    return Context(train=lambda network, recipe: None, example=images(1), clustering=seed)


def test_it_is_a_step():
    assert isinstance(PruneNeurons(0.5), Step)


def test_neurons_with_zero_outgoing_weights_go_without_change(network):
    channels, neurons = [1, 3], [0, 2, 5, 6, 9, 11]
    with torch.no_grad():
        network[2].weight.reshape(12, 4, 36)[:, channels] = 0
        network[3].weight[:, neurons] = 0
        network[0].weight[channels] *= 1e-3  # the weakest by L1, so the criterion finds them
        network[2].weight[neurons] *= 1e-3
    expected = network(images())
    PruneNeurons(0.5).apply(network, context())
    assert (network[0].out_channels, network[2].out_features) == (2, 6)
    torch.testing.assert_close(network(images()), expected)


def test_the_largest_norms_stay_in_their_order(network):
    weight, bias = network[2].weight.detach().clone(), network[2].bias.detach().clone()
    PruneNeurons({"2": 0.25}).apply(network, context())
    kept = weight.abs().sum(1).topk(3).indices.sort().values
    assert torch.equal(network[2].weight, weight[kept])
    assert torch.equal(network[2].bias, bias[kept])
    assert network[0].out_channels == 4


def test_ranks_are_those_that_the_previous_removal_left(network):
    with torch.no_grad():
        network[0].weight[:2] = 0  # channels 0 and 1 go
        network[2].weight.fill_(0.01)
        network[2].weight[0, :72] = 9.0  # neuron 0 is strong by what it reads of them alone
        network[2].weight[1:7, 72:] = 0.5
    PruneNeurons(0.5).apply(network, context())
    assert torch.all(network[2].weight == 0.5)


@pytest.mark.parametrize("criterion", ["l1", "random"])
@pytest.mark.parametrize("keep", [1.0, 0.75, 0.05])
def test_widths_are_as_asked(network, criterion, keep):
    before, facts = copy.deepcopy(network), context()
    PruneNeurons(keep, criterion=criterion).apply(network, facts)
    widths = {"0": max(1, round(keep * 4)), "2": max(1, round(keep * 12))}
    assert facts.facts == {"widths_before": {"0": 4, "2": 12}, "widths_after": widths}
    assert network(images()).shape == (4, 3)
    if keep == 1.0:
        ours, theirs = network.state_dict(), before.state_dict()
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_the_seed_decides_what_chance_keeps(network):
    def kept(seed: int) -> torch.Tensor:
        step = PruneNeurons({"2": 0.5}, criterion="random")
        return step.apply(copy.deepcopy(network), context(seed))[2].weight

    assert torch.equal(kept(0), kept(0))
    assert not torch.equal(kept(0), kept(1))


def test_the_pruned_network_still_trains(network):
    PruneNeurons(0.5).apply(network, context())
    nn.functional.cross_entropy(network(images()), torch.tensor([0, 1, 2, 0])).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_weights_that_are_nan_are_refused_by_layer(network):
    with torch.no_grad():
        network[2].weight[3, 3] = float("nan")
    with pytest.raises(DataError, match="layer '2'"):
        PruneNeurons(0.5).apply(network, context())
    assert network[0].out_channels == 4


@pytest.mark.parametrize("keep", [0, -1, 1.1])
def test_shares_out_of_range_are_refused(keep):
    with pytest.raises(ConfigError, match="above 0 and at most 1"):
        PruneNeurons(keep)


def test_an_unknown_criterion_is_refused():
    with pytest.raises(ConfigError, match=r"'l2'.*l1, random"):
        PruneNeurons(0.5, criterion="l2")


@pytest.mark.parametrize(("layers", "widths"), [("conv", {"0": 2}), ("fc", {"2": 6})])
def test_one_type_of_layers_alone_may_lose_neurons(network, layers, widths):
    facts = context()
    PruneNeurons(0.5, layers=layers).apply(network, facts)
    assert facts.facts["widths_after"] == widths
    assert network(images()).shape == (4, 3)


@pytest.mark.parametrize(("layers", "other"), [("conv", "2"), ("fc", "0")])
def test_a_width_for_a_type_that_is_left_out_is_refused_as_such(network, layers, other):
    step = PruneNeurons({other: 0.5}, layers=layers)
    for call in (lambda: step.check(network), lambda: step.apply(network, context())):
        with pytest.raises(ConfigError, match=f"names '{other}'.*layers={layers} leaves these"):
            call()
    assert network[0].out_channels == 4


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        ("lenet5", {"keep": {"ip1": 0.5}, "layers": "conv"}, "'ip1', a layer of type fc"),
        ("lenet5", {"keep": {"ip2": 0.5}}, "'ip2', which is no hidden layer"),
        ("lenet5", {"remove": 0.99, "layers": "conv"}, "can be removed"),
        ("lenet300_100", {"keep": 0.5, "layers": "conv"}, "finds no hidden layer"),
        ("resnet20", {"keep": 0.5, "skips": "joined"}, "skips: internal"),
    ],
)
def test_widths_that_a_network_cannot_have_are_refused_before_training(model, settings, message):
    PruneNeurons(0.5).check(MODELS[model]())
    with pytest.raises(ConfigError, match=message):
        PruneNeurons(**settings).check(MODELS[model]())


def test_an_earlier_step_may_make_a_target_possible():
    steps = [PruneNeurons(0.01, layers="fc"), PruneNeurons(remove=0.99, layers="conv")]
    network, mnist = MODELS["lenet5"](), Context(lambda *_: None, torch.zeros(1, 1, 28, 28), 0)
    with checking_in_order(network) as check:
        for step in steps:
            check(step)
    with pytest.raises(ConfigError, match=r"remove is 0\.99"):
        steps[1].check(network)
    for step in steps:
        step.apply(network, mnist)
    assert (network.conv1.out_channels, network.ip1.out_features) == (1, 5)


def test_vgg16_of_li2017_loses_64_percent_of_its_parameters():
    network = MODELS["vgg16"](linears=2, bias=True)
    before = sum(parameter.numel() for parameter in network.parameters())
    halved = {f"conv{number}": 0.5 for number in (1, 8, 9, 10, 11, 12, 13)}
    example = Context(train=lambda *_: None, example=torch.zeros(1, 3, 32, 32), clustering=0)
    PruneNeurons(halved, layers="conv").apply(network, example)
    after = sum(parameter.numel() for parameter in network.parameters())
    assert round(100 * (1 - after / before), 1) == 64.0


def test_an_unknown_type_of_layers_is_refused():
    with pytest.raises(ConfigError, match=r"'norm'.*all, conv, fc"):
        PruneNeurons(0.5, layers="norm")
