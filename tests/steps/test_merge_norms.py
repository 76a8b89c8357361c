"""The steps on networks with norms, concatenation and skips: exact, equal widths, re-estimated."""

import copy

import pytest
import torch
from torch import nn

from clusterpress.errors import ConfigError, DataError
from clusterpress.merging import hidden_layers
from clusterpress.models.accounting import parameter_count
from clusterpress.steps import Context, MergeNeurons, PruneNeurons
from tests.merging.networks import NETWORKS, Residual, plain
from tests.merging.planted import plant_all, wild

IMAGES = torch.randn(30, 3, 12, 12, generator=torch.Generator().manual_seed(4))


def context(images: torch.Tensor = IMAGES, **more) -> Context:
    return Context(train=lambda network, recipe: None, example=images[:1], clustering=0, **more)


def test_a_context_without_batches_is_as_ever():
    assert list(context().batches()) == []


@pytest.mark.parametrize("skips", ["internal", "joined"])
@pytest.mark.parametrize("cluster", ["average", "ward", "complete", "kmeans"])
@pytest.mark.parametrize("name", NETWORKS)
def test_duplicates_are_found_and_merged_exactly(name, cluster, skips):
    torch.manual_seed(0)
    network, images = wild(NETWORKS[name]()), IMAGES.double()
    layers = hidden_layers(network, images[:1], skips)
    distinct = plant_all(network, layers)
    keep = {layer.name: distinct[layer.name] / layer.width for layer in layers}
    expected, facts = network(images), context(images)
    MergeNeurons(keep, cluster, skips=skips).apply(network, facts)
    assert facts.facts["widths_after"] == distinct
    assert max(facts.facts["reconstruction_error"].values()) < 1e-12
    torch.testing.assert_close(network(images), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("skips", ["internal", "joined"])
@pytest.mark.parametrize("name", NETWORKS)
def test_merging_and_both_controls_reach_the_same_widths(name, skips):
    network, widths, counts = NETWORKS[name](), [], []
    for step in (
        MergeNeurons(0.4, skips=skips),
        MergeNeurons(0.4, "random", skips=skips),
        PruneNeurons(0.4, skips=skips),
        PruneNeurons(0.4, "random", skips=skips),
    ):
        facts = context()
        narrow = step.apply(copy.deepcopy(network), facts)
        assert narrow(IMAGES).shape == (30, 4)
        widths.append(facts.facts["widths_after"])
        counts.append(parameter_count(narrow))
    assert widths == [widths[0]] * 4
    assert counts == [counts[0]] * 4


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("step", [MergeNeurons, PruneNeurons])
def test_keeping_all_changes_no_bit(name, step):
    network = NETWORKS[name]()
    before = copy.deepcopy(network.state_dict())
    step(1.0, skips="joined").apply(network, context())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_pruned_channels_keep_their_norms():
    network = wild(plain()).float()
    weight, norm = network[0].weight.detach().clone(), copy.deepcopy(network[1])
    PruneNeurons({"0": 1 / 3}).apply(network, context())
    kept = weight.abs().flatten(1).sum(1).topk(3).indices.sort().values
    assert torch.equal(network[0].weight, weight[kept])
    for name, value in network[1].state_dict().items():
        old = norm.state_dict()[name]
        assert torch.equal(value, old[kept] if value.ndim else old)
    assert network[1].num_features == 3


def test_joined_layers_are_ranked_by_the_sum_of_their_norms():
    network = Residual()
    with torch.no_grad():
        for name in ("stem.0", "blocks.0.conv2"):
            network.get_submodule(name).weight.fill_(0.1)
        network.stem[0].weight[2] = 5.0
        network.blocks[0].conv2.weight[7] = 5.0
    facts = context()
    (first, *_) = hidden_layers(network, IMAGES[:1], "joined")
    PruneNeurons({first.name: 2 / 9}, skips="joined").apply(network, facts)
    assert network.stem[0].weight.flatten(1).sum(1).tolist() == pytest.approx([135, 2.7])
    assert network.blocks[0].conv2.weight.flatten(1).sum(1).tolist()[1] > 50


@pytest.mark.parametrize("step", [MergeNeurons, PruneNeurons])
def test_a_share_of_parameters_to_remove_is_met(step):
    network, facts = plain(), context()
    before = parameter_count(network)
    step(remove=0.6).apply(network, facts)
    assert parameter_count(network) <= 0.4 * before
    assert 0 < facts.facts["keep"] < 1
    assert parameter_count(network) > 0.2 * before


@pytest.mark.parametrize("step", [MergeNeurons, PruneNeurons])
def test_reestimation_gives_the_statistics_of_the_merged_sums(step):
    network, facts = wild(plain()).float(), context(batches=lambda: IMAGES.split(10))
    step(0.5, reestimate=True).apply(network, facts)
    assert facts.facts["reestimation_images"] == 30
    sums = network[0](IMAGES)
    torch.testing.assert_close(network[1].running_mean, sums.mean((0, 2, 3)))
    assert not network.training
    with pytest.raises(ConfigError, match="needs training images"):
        step(0.5, reestimate=True).apply(wild(plain()).float(), context())


def test_reestimation_undoes_the_collapse_of_the_variance():
    """Neurons that are unlike average to one that varies less; its norm gives it back."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 64, 3), nn.BatchNorm2d(64), nn.ReLU(), nn.Flatten(), nn.Linear(6400, 2)
    )
    for _ in range(50):
        network.train()(IMAGES)
    spread = network.eval()[:2](IMAGES).std()
    step = MergeNeurons(0.1, "random")
    collapsed = step.apply(copy.deepcopy(network), context())[:2](IMAGES).std()
    step.reestimate = True
    batches = context(batches=lambda: [IMAGES])
    restored = step.apply(copy.deepcopy(network), batches)[:2](IMAGES).std()
    assert collapsed < 0.7 * spread
    torch.testing.assert_close(restored, spread, rtol=0.02, atol=0)


def test_statistics_that_are_nan_are_refused_by_norm_and_nothing_changes():
    network = plain()
    network[1].running_var[2] = float("nan")
    with pytest.raises(DataError, match=r"running_var of layer '1'"):
        MergeNeurons(0.5).apply(network, context())
    assert network[0].out_channels == 9


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"keep": 0.5, "remove": 0.5}, "exactly one of keep"),
        ({"remove": 1.0}, "above 0 and below 1"),
        ({"keep": 0.5, "skips": "all"}, "skips is 'all'"),
        ({"keep": 0.5, "reestimate": "yes"}, "reestimate is 'yes'"),
        ({"keep": 0.0, "skips": 1}, "above 0 and at most 1.*skips is 1"),
    ],
)
@pytest.mark.parametrize("step", [MergeNeurons, PruneNeurons])
def test_settings_out_of_range_are_refused(step, settings, message):
    with pytest.raises(ConfigError, match=message):
        step(**settings)


@pytest.mark.parametrize("step", [MergeNeurons(0.5), PruneNeurons(0.5), MergeNeurons(remove=0.5)])
def test_a_network_without_hidden_layers_is_refused(step):
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 12 * 12, 4))
    with pytest.raises(ConfigError, match="finds no hidden layer"):
        step.apply(network, context())
