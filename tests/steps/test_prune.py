"""Magnitude pruning keeps what it says it keeps."""

import pytest
import torch

from clusterpress.codes import code_of
from clusterpress.errors import ConfigError, DataError
from clusterpress.steps import Prune
from clusterpress.training.recipe import Recipe


@pytest.mark.parametrize("keep", [1.0, 0.5, 0.08])
def test_the_largest_weights_are_kept_and_no_other(network, context, keep):
    before = network[2].weight.detach().clone()
    Prune(keep=keep).apply(network, context)
    after = network[2].weight.detach()
    kept = after != 0
    assert int(kept.sum()) == round(keep * before.numel())
    assert torch.equal(after[kept], before[kept])
    if keep < 1:
        assert before[kept].abs().min() >= before[~kept].abs().max()


def test_the_threshold_is_in_standard_deviations(network, context):
    before = network[2].weight.detach().clone()
    Prune(threshold=0.7).apply(network, context)
    expected = before.abs() > 0.7 * before.std(correction=0)
    assert torch.equal(network[2].weight != 0, expected)


def test_rounds_shrink_and_retrain_between(network, context, calls):
    recipe = Recipe(epochs=1)
    Prune(keep=0.125, rounds=3, recipe=recipe).apply(network, context)
    assert calls.recipes == [recipe, recipe]
    assert int((network[2].weight != 0).sum()) == round(0.125 * network[2].weight.numel())


def test_a_pruned_weight_never_comes_back(network, context):
    Prune(keep=0.5).apply(network, context)
    gone = network[2].weight == 0
    Prune(keep=0.9).apply(network, context)
    assert bool((network[2].weight[gone] == 0).all())


def test_a_layer_that_is_not_named_stays_dense(network, context):
    Prune(keep={"fc": 0.5, "3": 1.0}).apply(network, context)
    assert code_of(network[0]) is None
    assert context.facts["kept"] == {"2": 0.5, "3": 1.0}


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"keep": 0.0},
        {"keep": 1.5},
        {"keep": {"fc": -0.1}},
        {"keep": float("nan")},
        {"keep": "abc"},
        {"keep": {"fc": None}},
        {"keep": [0.5]},
        {"threshold": "abc"},
        {"threshold": -1.0},
        {"keep": 0.5, "threshold": 1.0},
        {"keep": 0.5, "rounds": 2},
        {"keep": 0.5, "rounds": 0},
    ],
)
def test_knobs_outside_their_range_are_refused(knobs):
    with pytest.raises(ConfigError):
        Prune(**knobs)


def test_an_unknown_layer_is_refused_with_the_nearest(network, context):
    with pytest.raises(ConfigError, match=r"'fcc'.*nearest is 'fc'"):
        Prune(keep={"fcc": 0.5}).apply(network, context)


def test_nan_weights_name_the_layer(network, context):
    with torch.no_grad():
        network[2].weight[0, 0] = float("nan")
    with pytest.raises(DataError, match="layer '2' has 1 weights"):
        Prune(keep=0.5).apply(network, context)
