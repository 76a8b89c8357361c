"""Distances of all pairs against scipy's, in every dtype, near and far."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from clusterpress.clustering import condensed_distances
from clusterpress.clustering.hierarchy import distances as room
from clusterpress.errors import DataError

DIGITS = {np.float16: 1e-3, np.float32: 1e-3, np.float64: 1e-7}


def normals(n: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(1, 70), st.integers(0, 40), st.sampled_from(sorted(DIGITS, key=str)), st.data())
def test_equal_scipys_whatever_the_shift_and_scale(n, d, dtype, data):
    shift, spread = data.draw(st.sampled_from([(0.0, 1.0), (100.0, 1.0), (-3.0, 1e-2)]))
    points = (shift + spread * normals(n, d, seed=n)).astype(dtype)
    points[: n // 3] = points[n - n // 3 :]
    ours = condensed_distances(points)
    theirs = pdist(points.astype(np.float64))
    assert ours.dtype == np.float64
    np.testing.assert_allclose(ours, theirs, rtol=DIGITS[dtype])
    assert np.array_equal(ours == 0, theirs == 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_near_pairs_keep_their_digits(dtype):
    points = (1e3 + normals(40, 300)).astype(dtype)
    points[5], points[9], points[11] = points[30], points[30], points[30]
    points[9, 3] = np.nextafter(points[30, 3], dtype(np.inf))
    points[11] += dtype(1e-3)
    theirs = pdist(points.astype(np.float64))
    np.testing.assert_allclose(condensed_distances(points), theirs, rtol=DIGITS[dtype])
    assert np.array_equal(condensed_distances(points) == 0, theirs == 0)


@pytest.mark.parametrize(
    ("dtype", "scale"), [(np.float32, 1e-44), (np.float32, 1e37), (np.float64, 1e-300)]
)
def test_neither_squares_of_tiny_nor_of_huge_values_are_lost(dtype, scale):
    points = (scale * normals(30, 5)).astype(dtype)
    wide = points.astype(np.longdouble) / np.longdouble(scale)
    expected = pdist(wide.astype(np.float64)) * scale
    np.testing.assert_allclose(condensed_distances(points), expected, rtol=1e-4)


def test_a_far_outlier_does_not_blur_the_others():
    points = normals(50, 20).astype(np.float32)
    points[17] = 1e7
    theirs = pdist(points.astype(np.float64))
    np.testing.assert_allclose(condensed_distances(points), theirs, rtol=1e-3)


def test_chunks_of_columns_and_the_number_of_threads_change_nothing(monkeypatch):
    points = normals(45, 30).astype(np.float32)
    points[::4] = points[1]
    whole = condensed_distances(points)
    monkeypatch.setattr(room, "_CHUNK_BYTES", 45 * 4 * 7)
    np.testing.assert_allclose(condensed_distances(points), whole, rtol=1e-4)
    chunked = condensed_distances(points)
    monkeypatch.setattr("clusterpress.clustering.threads.available", lambda: 1)
    assert np.array_equal(condensed_distances(points), chunked)


def test_tensors_strides_and_other_types():
    points = normals(20, 8)
    expected = condensed_distances(points)
    given_tensor = condensed_distances(torch.from_numpy(points).requires_grad_())
    assert isinstance(given_tensor, torch.Tensor)
    assert np.array_equal(given_tensor.numpy(), expected)
    assert np.array_equal(condensed_distances(np.asfortranarray(points)), expected)
    assert np.array_equal(condensed_distances(np.repeat(points, 2, axis=1)[:, ::2]), expected)
    whole = np.arange(12).reshape(4, 3)
    np.testing.assert_allclose(condensed_distances(whole), pdist(whole))
    half = torch.from_numpy(points).bfloat16()
    assert torch.equal(condensed_distances(half), condensed_distances(half.float()))


def test_none_and_one():
    assert condensed_distances(np.empty((0, 3))).shape == (0,)
    assert condensed_distances(np.ones((1, 3))).shape == (0,)


def test_wrong_input_is_refused():
    with pytest.raises(DataError, match=r"shape \(n, d\), but theirs is \(3,\)"):
        condensed_distances(np.ones(3))
    with pytest.raises(DataError, match="first, at flat index 4, is inf"):
        condensed_distances([[0.0, 1.0], [2.0, 3.0], [np.inf, 4.0]])
