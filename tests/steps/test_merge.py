"""MergeNeurons: duplicates merge exactly, widths are as asked, bad settings and weights named."""

import copy
import json

import pytest
import torch
from torch import nn

from clusterpress.codes import Masked, attach
from clusterpress.errors import ConfigError, DataError
from clusterpress.models import MODELS
from clusterpress.models.lenet import LeNet5, LeNet300_100
from clusterpress.steps.base import Context, Step
from clusterpress.steps.merge import MergeNeurons

CLUSTERERS = ["average", "ward", "complete", "kmeans", "random"]


def images(count: int = 4, size: int = 28) -> torch.Tensor:
    return torch.randn(count, 1, size, size, generator=torch.Generator().manual_seed(5))


def context(seed: int = 0, size: int = 28) -> Context:
    return Context(train=lambda network, recipe: None, example=images(1, size), clustering=seed)


def repeated(network: nn.Module, **distinct: int) -> nn.Module:
    """Make neurons of the named layers exact duplicates of the first ``distinct`` ones."""
    for name, count in distinct.items():
        layer = network.get_submodule(name)
        source = torch.arange(layer.weight.shape[0]) % count
        with torch.no_grad():
            layer.bias.uniform_(-0.1, 0.1)
            layer.weight.copy_(layer.weight[source])
            layer.bias.copy_(layer.bias[source])
    return network


def lenets() -> list[tuple[nn.Module, dict[str, float]]]:
    torch.manual_seed(2)
    five = repeated(LeNet5(), conv1=10, conv2=20, ip1=100)
    mlp = repeated(LeNet300_100(), ip1=60, ip2=30)
    return [(five, {"conv1": 0.5, "conv2": 0.4, "ip1": 0.2}), (mlp, {"ip1": 0.2, "ip2": 0.3})]


def same(first: nn.Module, second: nn.Module) -> bool:
    ours, theirs = first.state_dict(), second.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[k], theirs[k]) for k in ours)


def test_it_is_a_step():
    assert isinstance(MergeNeurons(0.5), Step)


@pytest.mark.parametrize("cluster", ["average", "ward", "complete", "kmeans"])
@pytest.mark.parametrize("which", [0, 1])
def test_duplicates_merge_with_no_change_of_the_function(cluster, which):
    network, keep = lenets()[which]
    expected = network(images())
    facts = context()
    merged = MergeNeurons(keep, cluster=cluster).apply(network, facts)
    torch.testing.assert_close(merged(images()), expected, atol=1e-5, rtol=1e-5)
    widths = {"conv1": 10, "conv2": 20, "ip1": 100} if which == 0 else {"ip1": 60, "ip2": 30}
    assert facts.facts["widths_after"] == widths
    assert all(error < 1e-6 for error in facts.facts["reconstruction_error"].values())


@pytest.mark.parametrize("linkage", ["average", "ward", "complete"])
def test_a_small_distance_merges_duplicates_alone(linkage):
    network, _ = lenets()[0]
    expected = network(images())
    facts = context()
    # Behind a merge, sums differ in the last bit; a little more than 0 covers that.
    MergeNeurons(distance=1e-5, cluster=linkage).apply(network, facts)
    assert facts.facts["widths_after"] == {"conv1": 10, "conv2": 20, "ip1": 100}
    torch.testing.assert_close(network(images()), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("cluster", CLUSTERERS)
def test_keeping_all_changes_no_bit(cluster):
    network = LeNet5()
    before = copy.deepcopy(network)
    facts = context()
    MergeNeurons(1.0, cluster=cluster).apply(network, facts)
    assert same(network, before)
    assert facts.facts["widths_before"] == facts.facts["widths_after"]
    assert set(facts.facts["reconstruction_error"].values()) == {0.0}


@pytest.mark.parametrize("cluster", CLUSTERERS)
@pytest.mark.parametrize("keep", [0.75, 0.25, 0.05])
def test_widths_are_as_asked_and_ends_are_untouched(network, cluster, keep):
    facts = context(size=8)
    inputs, logits = network[0].in_channels, network[3].out_features
    bias = network[3].bias.detach().clone()
    MergeNeurons(keep, cluster=cluster, restarts=2).apply(network, facts)
    widths = {"0": max(1, round(keep * 4)), "2": max(1, round(keep * 12))}
    assert facts.facts["widths_before"] == {"0": 4, "2": 12}
    assert facts.facts["widths_after"] == widths
    assert (network[0].out_channels, network[2].out_features) == tuple(widths.values())
    assert (network[2].in_features, network[3].in_features) == (widths["0"] * 36, widths["2"])
    assert (network[0].in_channels, network[3].out_features) == (inputs, logits)
    assert torch.equal(network[3].bias, bias)
    assert network(images(3, 8)).shape == (3, logits)


def test_each_layer_is_clustered_after_the_previous_merge():
    # Opposite readers cancel: only once layer 1's duplicates are one are layer 3's neurons equal.
    network = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 2), nn.ReLU(), nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)
    )
    repeated(network, **{"1": 1})
    with torch.no_grad():
        network[3].weight.copy_(torch.tensor([[3.0, -1.0], [-1.0, 3.0]]))
        network[3].bias.fill_(0.5)
    expected = network(images(4, 8))
    facts = context(size=8)
    MergeNeurons(distance=1e-5).apply(network, facts)
    assert facts.facts["widths_after"] == {"1": 1, "3": 1}
    torch.testing.assert_close(network(images(4, 8)), expected, atol=1e-5, rtol=1e-5)


def test_facts_are_json_and_errors_grow_as_fewer_are_kept(network):
    errors = []
    for keep in (0.75, 0.5, 0.25):
        facts = context(size=8)
        MergeNeurons(keep).apply(copy.deepcopy(network), facts)
        assert json.loads(json.dumps(facts.facts)) == facts.facts
        errors.append(facts.facts["reconstruction_error"]["2"])
    assert 0 < errors[0] < 1
    assert errors == sorted(errors)


@pytest.mark.parametrize("cluster", ["kmeans", "random"])
def test_the_seed_decides(network, cluster):
    step = MergeNeurons(0.5, cluster=cluster, restarts=1)
    first, again, other = (
        step.apply(copy.deepcopy(network), context(seed, size=8)) for seed in (0, 0, 1)
    )
    assert same(first, again)
    assert cluster == "kmeans" or not same(first, other)


def test_the_merged_network_still_trains(network):
    MergeNeurons(0.5).apply(network.train(), context(size=8))
    assert network.training
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    targets = torch.tensor([0, 1, 2, 0])
    losses = []
    for _ in range(20):
        loss = nn.functional.cross_entropy(network(images(4, 8)), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("layer", ["0", "2", "3"])
def test_weights_that_are_nan_are_refused_by_layer_and_nothing_changes(network, layer):
    with torch.no_grad():
        network.get_submodule(layer).weight[0, 0] = float("nan")
    shapes = [parameter.shape for parameter in network.parameters()]
    with pytest.raises(DataError, match=f"layer '{layer}'.*NaN"):
        MergeNeurons(0.5).apply(network, context(size=8))
    assert [parameter.shape for parameter in network.parameters()] == shapes


def test_a_coded_layer_is_refused_and_nothing_changes(network):
    weight = network[3].weight.detach()
    attach(network[3], "weight", Masked(torch.ones_like(weight)), weight)
    with pytest.raises(ConfigError, match=r"'3'.*masked"):
        MergeNeurons(0.5).apply(network, context(size=8))
    assert network[0].out_channels == 4


def test_a_network_that_names_its_width_is_refused():
    class Fixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.out = nn.Conv2d(1, 4, 3), nn.Linear(144, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(self.conv(x).view(-1, 144))

    with pytest.raises(ConfigError, match=r"flatten\(x, 1\)"):
        MergeNeurons(0.5).apply(Fixed(), context(size=8))


def test_an_unknown_layer_is_refused():
    with pytest.raises(ConfigError, match=r"'conv3'.*nearest is 'conv"):
        MergeNeurons({"conv3": 0.5}).apply(LeNet5(), context())


@pytest.mark.parametrize(
    ("model", "settings", "message"),
    [
        ("lenet300_100", {"keep": {"nolayer": 0.5}}, "'nolayer', which is no hidden layer"),
        ("lenet300_100", {"keep": {"ip3": 0.5}}, "'ip3', which is no hidden layer.*ip1, ip2"),
        ("lenet300_100", {"remove": 0.99999}, r"at most 0\.9970 can be removed"),
        ("resnet20", {"keep": 0.5, "skips": "joined"}, "skips: internal"),
        ("resnet20", {"distance": 0.1, "skips": "joined"}, "skips: internal"),
    ],
)
def test_widths_that_a_network_cannot_have_are_refused_before_training(model, settings, message):
    with pytest.raises(ConfigError, match=message):
        MergeNeurons(**settings).check(MODELS[model]())


@pytest.mark.parametrize(
    "settings", [{"keep": 0.5}, {"keep": {"ip1": 0.5}}, {"remove": 0.9}, {"distance": 1.0}]
)
def test_a_check_passes_what_can_be_and_changes_nothing(settings):
    network = LeNet5()
    before = copy.deepcopy(network)
    MergeNeurons(**settings).check(network)
    assert same(network, before)
    assert network.training


def test_without_an_image_the_names_alone_are_checked(network):
    MergeNeurons({2: 0.5}).check(network)
    MergeNeurons(remove=0.99999).check(network)
    with pytest.raises(ConfigError, match="the layer '4', which the network does not have"):
        MergeNeurons({"4": 0.5}).check(network)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"keep": 0}, "above 0 and at most 1"),
        ({"keep": 1.5}, "1.5"),
        ({"keep": {"ip1": -1}}, "'ip1'"),
        ({}, "exactly one of keep"),
        ({"keep": 0.5, "distance": 1.0}, "exactly one of keep"),
        ({"keep": 0.5, "cluster": "single"}, "cluster is 'single'"),
        ({"distance": -1.0}, "distance is -1.0"),
        ({"distance": float("nan")}, "distance is nan"),
        ({"distance": 1.0, "cluster": "kmeans"}, "needs a linkage"),
        ({"keep": 0.5, "restarts": 0}, "restarts is 0"),
        ({"keep": 2, "cluster": "x", "restarts": 0}, "keep.*cluster.*restarts"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        MergeNeurons(**settings)
