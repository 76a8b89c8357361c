"""The edge cases that every scalar clusterer defines (METHODS.md)."""

import tracemalloc

import numpy as np
import pytest

from clusterpress.clustering import INITS, cluster, optimal, optimal_curve, seed
from clusterpress.errors import ConfigError, DataError

pytestmark = pytest.mark.parametrize("init", INITS)


def run(values, k, init):
    return cluster(values, k, init=init, rng=np.random.default_rng(0))


def test_more_clusters_than_values(init):
    with pytest.raises(ConfigError, match="4 clusters were asked of 3"):
        run([1.0, 2.0, 3.0], 4, init)


def test_no_clusters(init):
    with pytest.raises(ConfigError, match="at least 1, but it is 0"):
        run([1.0, 2.0, 3.0], 0, init)


def test_no_values(init):
    with pytest.raises(ConfigError, match="1 clusters were asked of 0"):
        run([], 1, init)


def test_fewer_distinct_values_than_clusters(init):
    found = run([0.3, -1.0, 0.3, 7.0, -1.0, 0.3], 5, init)
    assert found.centers.tolist() == [-1.0, 0.3, 7.0]
    assert found.labels.tolist() == [1, 0, 1, 2, 0, 1]
    assert found.error == 0.0


def test_as_many_distinct_values_as_clusters(init):
    found = run([0.3, -1.0, 7.0], 3, init)
    assert found.centers.tolist() == [-1.0, 0.3, 7.0]
    assert found.error == 0.0


@pytest.mark.parametrize("value", [0.0, 0.1, -1e-300, 1e200])
def test_constant_input(init, value):
    for k in (1, 3):
        found = run([value] * 5, k, init)
        assert found.centers.tolist() == [value]
        assert found.labels.tolist() == [0] * 5
        assert found.error == 0.0


def test_a_single_value(init):
    found = run([0.7], 1, init)
    assert (found.centers.tolist(), found.labels.tolist(), found.error) == ([0.7], [0], 0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(init, bad):
    with pytest.raises(DataError, match=f"1 of 3 are not; the first, at flat index 1, is {bad}"):
        run([1.0, bad, 2.0], 2, init)


@pytest.mark.parametrize("values", [np.array(["a", "b"]), np.array([1j, 2j])])
def test_values_that_are_not_real(init, values):
    with pytest.raises(DataError, match="Values to cluster must be real"):
        run(values, 1, init)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64])
def test_every_dtype(init, dtype):
    values = (10 * np.random.default_rng(0).standard_normal(200)).astype(dtype)
    found, wide = run(values, 8, init), run(values.astype(np.float64), 8, init)
    assert np.array_equal(found.labels, wide.labels)
    assert np.array_equal(found.centers, wide.centers)


def test_input_of_any_layout_is_left_as_it_is(init):
    values = np.random.default_rng(0).standard_normal((40, 30))[::2, ::-3]
    before = values.copy()
    values.flags.writeable = False
    found = run(values, 6, init)
    assert np.array_equal(found.labels, run(before.ravel(), 6, init).labels)
    assert np.array_equal(values, before)


def test_ties_are_deterministic(init):
    values = np.tile(np.arange(6.0), 20)
    first, second = run(values, 4, init), run(values, 4, init)
    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.centers, second.centers)


def test_negative_zero_is_zero(init):
    found = run([-0.0, 0.0, 1.0], 2, init)
    assert found.labels.tolist() == [0, 0, 1]


def test_memory_grows_with_values_not_with_clusters(init):
    values = np.random.default_rng(0).standard_normal(200_000).astype(np.float32)
    run(values[:1000], 4, init)
    tracemalloc.start()
    run(values, 256, init)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30 * 8 * values.size


def test_an_unknown_init(init):
    with pytest.raises(ConfigError, match=r"init is 'best'; it must be one of .*optimal"):
        run([1.0], 1, "best")
    with pytest.raises(ConfigError, match="init is 'optimal'; it must be one of random"):
        seed([1.0], 1, init="optimal", rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], "1 weights were given for 2 values"),
        ([1.0, 0.0], "must be positive, but the smallest is 0.0"),
        ([1.0, np.nan], "Weights of the values to cluster must be finite"),
    ],
)
def test_wrong_weights(init, weights, message):
    for clusterer in (optimal, optimal_curve):
        with pytest.raises(DataError, match=message):
            clusterer([1.0, 2.0], 1, weights)
