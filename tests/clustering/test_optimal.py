"""The optimal clustering of scalars: nothing is better, and nothing that should not matter does."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterpress.clustering import INITS, cluster, optimal, optimal_curve

REALS = st.floats(-1000, 1000, width=32)
TIED = st.integers(-5, 5).map(float)
SMALL = st.lists(REALS, min_size=1, max_size=10) | st.lists(TIED, min_size=1, max_size=10)
LONG = st.lists(REALS, min_size=1, max_size=60) | st.lists(TIED, min_size=1, max_size=60)
quick = settings(deadline=None, max_examples=60, derandomize=True)


def spread(values):
    return float(((values - values.mean()) ** 2).sum())


def brute_force(values, k):
    ordered = np.sort(values)
    cuts = combinations(range(1, len(ordered)), k - 1)
    return min(
        sum(spread(ordered[a:b]) for a, b in pairwise((0, *cut, len(ordered)))) for cut in cuts
    )


def rounding(values):
    """What prefix sums in float64 may lose: a share of the values' total sum of squares."""
    return 1e-12 * spread(np.asarray(values)) + 1e-300


@quick
@given(SMALL, st.data())
def test_equals_brute_force(values, data):
    k = data.draw(st.integers(1, len(values)))
    found = optimal(values, k)
    assert found.error == pytest.approx(brute_force(values, k), rel=1e-9, abs=rounding(values))


@quick
@given(LONG, st.data())
def test_result_is_a_clustering(values, data):
    k = data.draw(st.integers(1, len(values)))
    found = optimal(values, k)
    values = np.array(values)
    assert found.centers.dtype == np.float64
    assert found.labels.dtype == np.uint8
    assert (np.diff(found.centers) > 0).all()
    assert len(found.centers) == min(k, len(np.unique(values)))
    assert np.array_equal(np.unique(found.labels), np.arange(len(found.centers)))
    means = [values[found.labels == c].mean() for c in range(len(found.centers))]
    np.testing.assert_allclose(found.centers, means, rtol=1e-12, atol=1e-12)
    sse = ((values - found.centers[found.labels]) ** 2).sum()
    assert found.error == pytest.approx(sse, rel=1e-9, abs=1e-20)


@quick
@given(LONG, st.sampled_from(INITS), st.integers(0, 9), st.data())
def test_never_loses_to_another_init(values, init, root, data):
    k = data.draw(st.integers(1, len(values)))
    other = cluster(values, k, init=init, rng=np.random.default_rng(root))
    assert optimal(values, k).error <= other.error * (1 + 1e-12) + rounding(values)


@quick
@given(LONG, st.data())
def test_curve_is_the_optimum_of_every_k(values, data):
    k_max = data.draw(st.integers(1, len(values)))
    curve = optimal_curve(values, k_max)
    assert curve.shape == (k_max,)
    assert (np.diff(curve) <= 0).all()
    each = [optimal(values, k).error for k in range(1, k_max + 1)]
    np.testing.assert_allclose(curve, each, rtol=1e-9, atol=rounding(values))
    assert (curve[len(np.unique(values)) - 1 :] == 0).all()


@pytest.mark.parametrize("k", [2, 7, 31, 200])
def test_curve_agrees_on_many_values(k):
    for values in (
        np.random.default_rng(k).standard_normal(3000),
        np.random.default_rng(k).standard_exponential(3000) ** 3,
        np.arange(3000.0),  # The same penalty is best for many numbers of clusters.
        np.random.default_rng(k).integers(0, 400, 3000),
    ):
        curve = optimal_curve(values, k)
        assert optimal(values, k).error == pytest.approx(curve[-1], rel=1e-9)


@quick
@given(LONG, st.data())
def test_order_does_not_matter(values, data):
    k = data.draw(st.integers(1, len(values)))
    order = np.array(data.draw(st.permutations(range(len(values)))))
    first, second = optimal(values, k), optimal(np.array(values)[order], k)
    assert np.array_equal(first.centers, second.centers)
    assert np.array_equal(first.labels[order], second.labels)
    assert first.error == second.error


@quick
@given(LONG, st.integers(-60, 60), st.sampled_from([1.0, -1.0]), st.data())
def test_scale_does_not_matter(values, exponent, sign, data):
    k = data.draw(st.integers(1, len(values)))
    scale = 2.0**exponent
    first, second = optimal(values, k), optimal(sign * scale * np.array(values), k)
    # A mirrored tie may fall to the other side, but costs the same.
    assert second.error == pytest.approx(scale**2 * first.error, rel=1e-9, abs=scale**2 * 1e-10)
    if sign > 0:
        assert np.array_equal(first.labels, second.labels)


@pytest.mark.parametrize("shift", [1.0, -1e4, 1e6])
@pytest.mark.parametrize("k", [2, 8, 60])
def test_shift_does_not_matter(shift, k):
    values = np.random.default_rng(0).integers(-(2**20), 2**20, 500) / 2.0**20
    first, second = optimal(values, k), optimal(values + shift, k)
    assert np.array_equal(first.labels, second.labels)
    np.testing.assert_allclose(first.centers + shift, second.centers, rtol=1e-15, atol=1e-9)
    assert second.error == pytest.approx(first.error, rel=1e-6)


@quick
@given(st.lists(st.tuples(REALS | TIED, st.integers(1, 4)), min_size=1, max_size=20), st.data())
def test_weights_are_repeated_values(pairs, data):
    values, weights = map(np.array, zip(*pairs, strict=True))
    k = data.draw(st.integers(1, len(values)))
    weighted, repeated = optimal(values, k, weights), optimal(np.repeat(values, weights), k)
    np.testing.assert_allclose(weighted.centers, repeated.centers, rtol=1e-12, atol=1e-12)
    assert np.array_equal(np.repeat(weighted.labels, weights), repeated.labels)
    assert weighted.error == pytest.approx(repeated.error, rel=1e-9)
    curve = optimal_curve(values, k, weights)
    np.testing.assert_allclose(curve, optimal_curve(np.repeat(values, weights), k), rtol=1e-9)


def test_it_is_deterministic():
    values = np.random.default_rng(0).standard_normal(2000).round(2)
    first, second = optimal(values, 16), optimal(values.copy(), 16)
    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.centers, second.centers)


def test_an_outlier_does_not_blur_the_rest():
    values = np.concatenate((np.random.default_rng(0).permutation(40) // 10, [1e6]))
    found = optimal(values, 5)
    assert found.centers.tolist() == [0, 1, 2, 3, 1e6]
    assert found.error == 0


def test_four_hundred_thousand_values_take_seconds():
    values = np.random.default_rng(0).standard_normal(400_000).astype(np.float32)
    coarse, fine = optimal(values, 32), optimal(values, 256)
    # Panter and Dite 1951: the distortion of N(0, 1) tends to sqrt(3) pi / (2 k^2).
    for k, found in ((32, coarse), (256, fine)):
        limit = np.sqrt(3) * np.pi / (2 * k**2)
        assert found.error / values.size == pytest.approx(limit, rel=0.1)
