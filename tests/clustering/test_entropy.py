"""Entropy-constrained clustering: nothing is cheaper, and the price steers it."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterpress.clustering import entropy_constrained, optimal
from clusterpress.clustering.scalar import entropy
from clusterpress.clustering.scalar import values as values_module
from clusterpress.errors import ConfigError, DataError

REALS = st.floats(-100, 100, width=32)
SMALL = st.lists(REALS | st.integers(-3, 3).map(float), min_size=1, max_size=9)
PRICES = st.floats(0, 100)
quick = settings(deadline=None, max_examples=80, derandomize=True)


def cost_of(labels, values, price, center_bits=0.0):
    groups = [values[labels == label] for label in np.unique(labels)]
    error = sum(((group - group.mean()) ** 2).sum() for group in groups)
    bits = sum(group.size * np.log2(values.size / group.size) for group in groups)
    return error + price * (bits + center_bits * len(groups))


def brute_force(values, price, center_bits):
    ordered = np.sort(values)
    best = np.inf
    for count in range(ordered.size):
        for cuts in combinations(range(1, ordered.size), count):
            bounds = (0, *cuts, ordered.size)
            labels = np.concatenate([[i] * (b - a) for i, (a, b) in enumerate(pairwise(bounds))])
            best = min(best, cost_of(labels, ordered, price, center_bits))
    return best


@quick
@given(SMALL, PRICES, st.sampled_from([0.0, 2.5]))
def test_equals_brute_force(values, price, center_bits):
    values = np.array(values)
    found = entropy_constrained(values, price, center_bits=center_bits)
    cost = found.error + price * found.bits
    assert cost == pytest.approx(brute_force(values, price, center_bits), rel=1e-9, abs=1e-7)
    assert cost == pytest.approx(cost_of(found.labels, values, price, center_bits), abs=1e-7)


@quick
@given(st.lists(REALS, min_size=1, max_size=60), PRICES, st.data())
def test_never_costs_more_than_the_optimum_of_any_k(values, price, data):
    values = np.array(values)
    k = data.draw(st.integers(1, values.size))
    found = entropy_constrained(values, price)
    other = cost_of(optimal(values, k).labels, values, price)
    assert found.error + price * found.bits <= other * (1 + 1e-9) + 1e-7


@pytest.mark.parametrize("size", [1500, 60_000, 700_000])
def test_a_higher_price_buys_fewer_bits(size):
    values = np.random.default_rng(0).standard_t(5, size).astype(np.float32)
    runs = [entropy_constrained(values, price) for price in (1e-4, 1e-3, 1e-2, 1e-1, 1e9)]
    assert (np.diff([run.bits for run in runs]) < 0).all()
    assert (np.diff([run.error for run in runs]) > 0).all()
    assert runs[-1].centers.size == 1
    assert runs[-1].bits == 0
    for run, price in zip(runs, (1e-4, 1e-3, 1e-2, 1e-1), strict=False):
        plain = optimal(values, run.centers.size)
        shares = np.bincount(plain.labels) / size
        cost = plain.error - price * size * (shares * np.log2(shares)).sum()
        assert run.error + price * run.bits < cost


def test_bits_are_the_entropy_of_the_labels_and_the_centres():
    values = np.random.default_rng(0).standard_normal(5000)
    found = entropy_constrained(values, 1e-3, center_bits=32)
    shares = np.bincount(found.labels) / values.size
    bits = -values.size * (shares * np.log2(shares)).sum() + 32 * found.centers.size
    assert found.bits == pytest.approx(bits)
    means = [values[found.labels == c].mean() for c in range(found.centers.size)]
    np.testing.assert_allclose(found.centers, means, rtol=1e-9, atol=1e-12)
    error = ((values - found.centers[found.labels]) ** 2).sum()
    assert found.error == pytest.approx(error, rel=1e-9)


def test_many_values_come_near_the_optimum_of_few(monkeypatch):
    values = np.random.default_rng(0).standard_normal(2000)
    best = entropy_constrained(values, 1e-3)
    monkeypatch.setattr(entropy, "EXACT_POINTS", 200)
    near = entropy_constrained(values, 1e-3)
    cost, least = (run.error + 1e-3 * run.bits for run in (near, best))
    assert least <= cost <= least * 1.01


def test_histogram_and_sorted_values_agree(monkeypatch):
    values = np.random.default_rng(0).standard_normal(300_000)
    exact = entropy_constrained(values, 1e-3)
    monkeypatch.setattr(values_module, "EXACT_UP_TO", 1000)
    counted = entropy_constrained(values, 1e-3)
    cost, other = (run.error + 1e-3 * run.bits for run in (exact, counted))
    assert other == pytest.approx(cost, rel=1e-3)


@quick
@given(st.lists(st.tuples(REALS, st.integers(1, 4)), min_size=1, max_size=15), PRICES)
def test_weights_are_repeated_values(pairs, price):
    values, weights = map(np.array, zip(*pairs, strict=True))
    weighted = entropy_constrained(values, price, weights)
    repeated = entropy_constrained(np.repeat(values, weights), price)
    cost = repeated.error + price * repeated.bits
    assert weighted.error + price * weighted.bits == pytest.approx(cost, rel=1e-9, abs=1e-7)


def test_no_price_keeps_distinct_values_and_edge_cases():
    found = entropy_constrained([0.3, -1.0, 0.3, 7.0], 0.0)
    assert found.centers.tolist() == [-1.0, 0.3, 7.0]
    assert found.labels.tolist() == [1, 0, 1, 2]
    assert found.error == 0
    for values in ([0.1], [0.1] * 5):
        found = entropy_constrained(values, 1.0)
        assert found.centers.tolist() == [0.1]
        assert (found.error, found.bits) == (0.0, 0.0)


def test_wrong_input_is_refused():
    with pytest.raises(ConfigError, match="price must be a number from 0 on, but it is -1"):
        entropy_constrained([1.0], -1)
    with pytest.raises(ConfigError, match="center_bits must be a number from 0 on"):
        entropy_constrained([1.0], 1, center_bits=float("nan"))
    with pytest.raises(ConfigError, match="1 clusters were asked of 0"):
        entropy_constrained([], 1.0)
    with pytest.raises(DataError, match="first, at flat index 1, is inf"):
        entropy_constrained([1.0, np.inf], 1.0)
