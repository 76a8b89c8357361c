"""Optimal clustering of the linear layers, at a fixed K or within a distortion budget."""

import numpy as np
import pytest
import torch

from clusterpress.clustering import optimal_curve
from clusterpress.codes import code_of
from clusterpress.errors import ConfigError, DataError
from clusterpress.steps import ClusterLinear


def test_only_linear_layers_change(network, context):
    ClusterLinear(bits=2).apply(network, context)
    assert code_of(network[0]) is None
    assert network[2].weight.unique().numel() == 4
    assert context.facts["centroids"] == {"2": 4, "3": 4}


def test_the_budget_takes_the_smallest_k_that_meets_it(network, context):
    values = network[2].weight.detach().numpy().ravel().copy()
    ClusterLinear(bits=None, distortion=0.05, max_bits=4).apply(network, context)
    curve = optimal_curve(values, 16)
    k = context.facts["centroids"]["2"]
    assert curve[k - 1] <= 0.05 * curve[0] < curve[k - 2]
    spread = np.square(values - values.mean()).sum()
    left = np.square(network[2].weight.detach().numpy().ravel() - values).sum()
    assert left <= 0.05 * spread * (1 + 1e-5)


def test_mean_bits_are_kept_and_used(network, context):
    sizes = [network[i].weight.numel() for i in (2, 3)]
    ClusterLinear(bits=None, mean_bits=4.0, max_bits=5).apply(network, context)
    centroids = [context.facts["centroids"][name] for name in ("2", "3")]
    bits = sum(n * np.log2(k) + 32 * k for n, k in zip(sizes, centroids, strict=True))
    assert 0.8 * 4.0 * sum(sizes) < bits <= 4.0 * sum(sizes)


def test_a_budget_out_of_reach_says_so(network, context):
    with pytest.raises(ConfigError, match="layer '2' needs more than 2 centroids"):
        ClusterLinear(bits=None, distortion=1e-4, max_bits=1).apply(network, context)


@pytest.mark.parametrize(
    "knobs",
    [
        {"bits": 0},
        {"bits": 13},
        {"bits": None},
        {"bits": 2, "distortion": 0.1},
        {"bits": None, "distortion": 1.0},
        {"max_bits": 0},
        {"bits": 4, "mean_bits": 2.0},
        {"bits": None, "mean_bits": 0.0},
        {"bits": None, "mean_bits": 6.5},
        {"bits": None, "mean_bits": "abc"},
        {"bits": None, "distortion": "abc"},
    ],
)
def test_knobs_outside_their_range_are_refused(knobs):
    with pytest.raises(ConfigError):
        ClusterLinear(**knobs)


def test_more_centroids_than_weights_name_the_layer(network, context):
    with pytest.raises(ConfigError, match="layer '3' has 36 kept weights and cannot have 64"):
        ClusterLinear(bits=6).apply(network, context)


def test_nan_weights_name_the_layer(network, context):
    with torch.no_grad():
        network[2].weight[0, 0] = float("nan")
    with pytest.raises(DataError, match="layer '2'"):
        ClusterLinear(bits=2).apply(network, context)
