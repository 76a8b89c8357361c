"""Labels in one pass: those of the nearest centre, whatever the centres look like."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterpress.clustering import assign, label_type
from clusterpress.clustering.scalar.assign import labelled
from clusterpress.errors import ConfigError, DataError

VALUES = st.lists(st.floats(-1e6, 1e6, width=32) | st.integers(-4, 4), min_size=1, max_size=60)
CENTERS = st.lists(st.floats(-1e6, 1e6) | st.integers(-4, 4), min_size=1, max_size=40)


def searched(values, centers):
    thresholds = centers[:-1] + np.diff(centers) / 2
    return np.searchsorted(thresholds, np.asarray(values, np.float64), side="left")


@settings(deadline=None, max_examples=200, derandomize=True)
@given(VALUES, CENTERS, st.sampled_from([np.float32, np.float64]))
def test_labels_are_those_of_a_binary_search(values, centers, dtype):
    values, centers = np.array(values, dtype), np.sort(np.array(centers, np.float64))
    assert np.array_equal(assign(values, centers), searched(values, centers))


@pytest.mark.parametrize("k", [1, 2, 3, 16, 256, 257, 5000])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_labels_of_many_values(k, dtype):
    rng = np.random.default_rng(k)
    values = rng.standard_t(3, 700_000).astype(dtype)
    centers = np.sort(rng.standard_t(3, k))
    labels = assign(values, centers)
    assert labels.dtype == label_type(k)
    assert np.array_equal(labels, searched(values, centers))


def test_crowded_centres_beside_far_ones():
    centers = np.concatenate(([-1e30], np.linspace(0, 1e-3, 500), [1e30]))
    values = np.random.default_rng(0).uniform(-1e-3, 2e-3, 5000).astype(np.float32)
    assert np.array_equal(assign(values, centers), searched(values, centers))


def test_the_ends_of_a_dtype():
    for dtype in (np.float32, np.float64):
        top = np.finfo(dtype).max
        values = np.array([-top, -1, 0, 1, top], dtype)
        centers = np.array([-top, 0, top / 2], np.float64)
        assert assign(values, centers).tolist() == searched(values, centers).tolist()


def test_centres_beyond_the_values_dtype():
    values = np.array([1, 2, 3, -3], np.float32)
    for centers in ([1e39, 2e39, 3e39], [-3e39, -1e39, 2e39], [-1e39, 2.0, 1e39]):
        assert np.array_equal(assign(values, centers), searched(values, np.array(centers)))


def test_halfway_goes_to_the_lower_centre():
    assert assign([-1.0, 0.0, 1.0], [-1.0, 1.0]).tolist() == [0, 0, 1]


@pytest.mark.parametrize("size", [1, 2048, 2049, 600_001])
def test_error_is_the_weighted_sum_of_squares(size):
    rng = np.random.default_rng(size)
    values, weights = rng.standard_normal(size), rng.uniform(0.1, 3, size)
    centers = np.linspace(-2, 2, 17)
    labels, error = labelled(values, centers, weights)
    assert error == pytest.approx((weights * (values - centers[labels]) ** 2).sum(), rel=1e-12)
    labels, error = labelled(values, centers)
    assert error == pytest.approx(((values - centers[labels]) ** 2).sum(), rel=1e-12)


def test_label_types_are_the_smallest():
    assert [label_type(k) for k in (1, 256, 257, 2**15, 2**15 + 1)] == [
        np.uint8,
        np.uint8,
        np.int16,
        np.int16,
        np.int32,
    ]


def test_no_values_have_no_labels():
    assert assign(np.empty(0), [1.0]).shape == (0,)


def test_wrong_input_is_refused():
    with pytest.raises(ConfigError, match="at least 1, but it is 0"):
        assign([1.0], [])
    with pytest.raises(DataError, match="must ascend"):
        assign([1.0], [2.0, 1.0])
    with pytest.raises(DataError, match="Values to cluster must be finite"):
        assign([np.nan], [1.0])
    with pytest.raises(DataError, match="Centers must be finite"):
        assign([1.0], [np.inf])
