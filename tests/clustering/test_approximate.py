"""Clusters from a histogram: the certificate holds, and the tolerance is kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterpress.clustering import optimal, optimal_centers, optimal_curve, threads
from clusterpress.clustering.scalar import values as values_module
from clusterpress.clustering.scalar.approximate import bracketed
from clusterpress.clustering.scalar.assign import labelled
from clusterpress.clustering.scalar.bins import CELLS, Bins
from clusterpress.clustering.scalar.histogram import Histogram
from clusterpress.errors import ConfigError

REALS = st.floats(-1000, 1000, width=32)
VALUES = st.lists(REALS | st.integers(-5, 5).map(float), min_size=2, max_size=80)
quick = settings(deadline=None, max_examples=100, derandomize=True)
MANY = 600_000


def heavy_tailed(size=MANY, dtype=np.float32):
    return np.random.default_rng(0).standard_t(5, size).astype(dtype) * dtype(0.02)


def counted(values, bins, weights=None):
    values = np.asarray(values)
    return Histogram.of(values, Bins.over(values, values.min(), values.max(), bins), weights)


@quick
@given(VALUES, st.integers(1, 5), st.integers(1, 3000), st.booleans(), st.data())
def test_the_least_error_lies_in_the_bracket(values, k, bins, weighted, data):
    values = np.array(values)
    if values.min() == values.max():
        return
    k = min(k, values.size)
    drawn = st.lists(st.floats(0.1, 9), min_size=values.size, max_size=values.size)
    weights = np.array(data.draw(drawn)) if weighted else None
    found = bracketed(counted(values, bins, weights), k)
    best = optimal(values, k, weights).error
    rounding = 1e-9 * ((values - values.mean()) ** 2).sum() * 9 + 1e-300
    assert found.error - found.gap <= best + rounding
    assert labelled(values, found.centers, weights)[1] >= best - rounding
    assert labelled(values, found.centers, weights)[1] - best <= found.gap + rounding


@quick
@given(VALUES, st.integers(1, 3000))
def test_a_histogram_keeps_count_mean_and_spread(values, bins):
    values = np.array(values)
    if values.min() == values.max():
        return
    histogram = counted(values, bins)
    places = (values - values.min()) / (values.max() - values.min()) * CELLS
    assert histogram.weights.sum() == values.size
    assert (histogram.left <= histogram.means).all()
    assert (histogram.means <= histogram.right).all()
    assert (histogram.right[:-1] <= histogram.left[1:]).all()
    mean = (histogram.weights * histogram.means).sum() / values.size
    assert mean == pytest.approx(places.mean(), abs=1e-4)
    total = (histogram.weights * (histogram.means - mean) ** 2).sum() + histogram.spread
    assert total == pytest.approx(((places - places.mean()) ** 2).sum(), rel=1e-3, abs=1e-3)


@quick
@given(VALUES, st.integers(1, 3000))
def test_stretching_keeps_weight_and_mean(values, bins):
    values = np.array(values)
    if values.min() == values.max():
        return
    histogram = counted(values, bins)
    contracted = histogram.contracted()
    stretched = histogram.stretched(contracted.frame)
    assert (np.diff(stretched.distinct) > 0).all()
    assert stretched.weights.sum() == pytest.approx(values.size)
    moments = [(each.weights * each.distinct).sum() for each in (contracted, stretched)]
    assert moments[0] == pytest.approx(moments[1])
    squares = [(each.weights * each.distinct**2).sum() for each in (contracted, stretched)]
    assert squares[1] - squares[0] == pytest.approx(histogram.stretch(), abs=1e-6 * squares[1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("k", "tolerance"), [(1, 1e-5), (2, 1e-5), (16, 1e-5), (64, 1e-4)])
def test_the_tolerance_is_kept(k, tolerance, dtype):
    values = heavy_tailed(dtype=dtype)
    exact = optimal(values, k, tolerance=0)
    for found in (optimal(values, k, tolerance=tolerance), optimal_centers(values, k)):
        assert 0 < found.gap <= tolerance * found.error
        assert exact.error * (1 - 1e-6) <= found.error <= exact.error * (1 + tolerance)
        assert found.error - found.gap <= exact.error
        np.testing.assert_allclose(found.centers, exact.centers, atol=2e-3 * values.std())


def test_labels_and_error_belong_to_the_centres():
    values = heavy_tailed()
    found = optimal(values, 16)
    distances = np.abs(values[:, None].astype(np.float64) - found.centers)
    assert np.array_equal(distances.argmin(axis=1), found.labels)
    assert found.error == pytest.approx((distances.min(axis=1) ** 2).sum(), rel=1e-12)


def test_order_and_sign_matter_no_more_than_the_gap():
    values = heavy_tailed()
    found = optimal_centers(values, 16)
    permuted = np.random.default_rng(1).permutation(values)
    for other in (optimal_centers(permuted, 16), optimal_centers(-values, 16)):
        assert abs(other.error - found.error) <= max(other.gap, found.gap)
    bins = Bins.over(values, values.min(), values.max(), 5000)
    counts, others = Histogram.of(values, bins), Histogram.of(permuted, bins)
    assert np.array_equal(counts.weights, others.weights)
    assert np.array_equal(counts.means, others.means)


def test_threads_do_not_matter(monkeypatch):
    values = heavy_tailed()
    monkeypatch.setattr(threads, "available", lambda: 3)
    found = optimal(values, 16)
    monkeypatch.setattr(threads, "available", lambda: 1)
    again = optimal(values, 16)
    assert np.array_equal(again.centers, found.centers)
    assert np.array_equal(again.labels, found.labels)
    assert again.error == found.error


@pytest.mark.parametrize("distance", [1e7, 1e8, 1e9, 1e10])
def test_the_gap_covers_the_rounding_of_far_outliers(distance):
    values = np.random.default_rng(0).standard_normal(3000)
    best = optimal(values, 32)
    found = optimal(np.concatenate(([-distance], values, [distance])), 34)
    assert found.error - found.gap <= best.error


def test_a_curve_with_a_far_outlier_is_refined_or_sorted():
    values = np.append(np.random.default_rng(0).standard_normal(MANY), 1e6)
    assert optimal_curve(values, 16)[-1] == pytest.approx(optimal(values, 16).error, rel=2e-3)


def test_shift_and_scale_do_not_matter():
    values = heavy_tailed(dtype=np.float64)
    found = optimal_centers(values, 8)
    moved = optimal_centers(1e3 * values + 5e4, 8)
    np.testing.assert_allclose((moved.centers - 5e4) / 1e3, found.centers, atol=1e-5)
    assert moved.error == pytest.approx(1e6 * found.error, rel=2e-5)


def test_weights_are_repeated_values():
    values = heavy_tailed(MANY // 2)
    weights = np.random.default_rng(1).integers(1, 4, values.size)
    weighted = optimal_centers(values, 8, weights, tolerance=1e-4)
    repeated = optimal_centers(np.repeat(values, weights), 8, tolerance=1e-4)
    assert weighted.error == pytest.approx(repeated.error, rel=1e-4)


def test_more_weights_than_exact_values(monkeypatch):
    monkeypatch.setattr(values_module, "EXACT_UP_TO", 1000)
    values = heavy_tailed(100_000)
    weights = np.random.default_rng(1).integers(1, 4, values.size)
    weighted = optimal(values, 8, weights, tolerance=1e-4)
    exact = optimal(values, 8, weights, tolerance=0)
    assert 0 < weighted.gap <= 1e-4 * weighted.error
    assert weighted.error - weighted.gap <= exact.error <= weighted.error


@pytest.mark.parametrize(
    "values",
    [
        np.repeat(np.arange(20.0), MANY // 20),
        np.full(MANY, 0.1),
        np.append(heavy_tailed(), np.float32(1e9)),
    ],
    ids=["few distinct", "constant", "an outlier at 1e9"],
)
def test_values_that_bins_do_not_suit_are_sorted(values):
    found = optimal(values, 24)
    exact = optimal(values, 24, tolerance=0)
    assert (found.error, found.gap) == (exact.error, exact.gap)
    assert found.gap <= 2e-15 * ((values - values.mean(dtype=np.float64)) ** 2).sum() * 1.001


def test_an_ordinary_outlier_is_still_counted():
    values = np.append(heavy_tailed(), np.float32(50.0))
    found = optimal(values, 16)
    assert 0 < found.gap <= 1e-5 * found.error
    assert found.centers[-1] == pytest.approx(50.0, rel=1e-6)


def test_curve_by_histogram_is_near_the_exact_one():
    values = heavy_tailed()
    curve, exact = optimal_curve(values, 40), optimal_curve(values, 40, tolerance=0)
    assert (np.diff(curve) <= 0).all()
    assert (curve >= exact * (1 - 1e-6)).all()
    np.testing.assert_allclose(curve, exact, rtol=1e-3)


@pytest.mark.parametrize("tolerance", [-1e-9, 1.0, np.nan])
def test_a_tolerance_outside_its_range(tolerance):
    for clusterer in (optimal, optimal_centers, optimal_curve):
        with pytest.raises(ConfigError, match="tolerance must be in"):
            clusterer([1.0, 2.0], 1, tolerance=tolerance)
