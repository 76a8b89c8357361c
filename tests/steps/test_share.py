"""Weight sharing: few values, frozen labels, zeros left out."""

import pytest
import torch

from clusterpress.codes import original_of
from clusterpress.errors import ConfigError, DataError
from clusterpress.steps import Prune, Share
from clusterpress.steps.share import checked_k

INITS = ["random", "density", "linear", "kmeans++", "optimal"]


@pytest.mark.parametrize("init", INITS)
def test_a_layer_has_at_most_k_values(network, context, init):
    Share(bits={"fc": 3}, init=init).apply(network, context)
    assert network[2].weight.unique().numel() <= 8
    assert network[0].weight.unique().numel() > 8


def test_the_optimum_never_loses(network, context):
    import copy

    errors = {}
    for init in INITS:
        Share(bits=3, init=init).apply(copy.deepcopy(network), context)
        errors[init] = context.facts["relative_squared_error"]["2"]
    assert errors["optimal"] <= min(errors.values()) * (1 + 1e-6)


def test_pruned_weights_stay_zero_and_are_no_centroid(network, context):
    Prune(keep=0.5).apply(network, context)
    gone = network[2].weight == 0
    Share(bits=2).apply(network, context)
    assert torch.equal(network[2].weight == 0, gone)
    assert original_of(network[2]).numel() == 4


def test_the_same_seed_gives_the_same_centroids(network, context):
    import copy

    first = Share(bits=3, init="kmeans++").apply(copy.deepcopy(network), context)
    second = Share(bits=3, init="kmeans++").apply(copy.deepcopy(network), context)
    assert torch.equal(first[2].weight, second[2].weight)


def test_more_centroids_than_weights_name_the_layer(network, context):
    with pytest.raises(ConfigError, match="layer '0' has 36 kept weights and cannot have 64"):
        Share(bits=6).apply(network, context)


def test_a_layer_of_no_kept_weights_has_nothing_to_share(network, context):
    with torch.no_grad():
        network[2].weight.zero_()
    Prune(keep=0.5).apply(network, context)
    with pytest.raises(ConfigError, match="layer '2' has no kept weights") as refusal:
        Share(bits=1, exact=False).apply(network, context)
    assert "exact" not in str(refusal.value)


@pytest.mark.parametrize(("weights", "advice"), [(1, "; take exact=false"), (9, "at most 3 bits")])
def test_what_is_advised_can_be_done(weights, advice):
    with pytest.raises(ConfigError, match=advice):
        checked_k("ip1", 32, weights)
    assert checked_k("ip1", 32, weights, exact=False) == weights


@pytest.mark.parametrize(
    "knobs", [{"bits": 0}, {"bits": 17}, {"bits": {"fc": 0}}, {"init": "best"}]
)
def test_knobs_outside_their_range_are_refused(knobs):
    with pytest.raises(ConfigError):
        Share(**knobs)


def test_nan_weights_name_the_layer(network, context):
    with torch.no_grad():
        network[3].weight[0, 0] = float("inf")
    with pytest.raises(DataError, match="layer '3'"):
        Share(bits=2).apply(network, context)
