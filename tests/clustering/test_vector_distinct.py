"""Distinct vectors, up to transforms, against numpy's sorted ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterpress.clustering.vector.distinct import distinct
from clusterpress.clustering.vector.orbits import identity, square


def rng(root=0):
    return np.random.default_rng(root)


@given(
    st.integers(0, 2**32),
    st.integers(1, 60),
    st.integers(1, 3),
    st.integers(1, 20),
    st.sampled_from([np.float32, np.float64]),
)
@settings(deadline=None, max_examples=100, derandomize=True)
def test_it_agrees_with_unique(root, n, width, k, dtype):
    rows = rng(root).integers(-1, 2, (n, width)).astype(dtype)
    expected, labels = np.unique(rows, axis=0, return_inverse=True)
    few = distinct(rows * dtype(-1.0) * dtype(-1.0), identity(width), k)
    if len(expected) > k:
        assert few is None
    else:
        assert np.array_equal(few[0], expected)
        assert np.array_equal(few[1], labels.reshape(-1))


@given(st.integers(0, 2**32), st.integers(1, 60), st.sampled_from([1, 2, 4, 8]))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_transforms_of_one_kernel_are_one(root, n, transforms):
    orbit = square(2, transforms)
    rows = rng(root).integers(0, 2, (n, 4)).astype(np.float64)
    firsts = {min(tuple(row[turn]) for turn in orbit.turns) for row in rows}
    found, names = distinct(rows, orbit, 16)
    assert [tuple(row) for row in found] == sorted(firsts)
    assert np.array_equal(orbit.candidates(found)[names], rows)
    assert (distinct(rows, orbit, len(firsts) - 1) is None) if len(firsts) > 1 else True


def test_zeros_of_both_signs_are_one():
    few = distinct(np.array([[-0.0], [0.0]]), identity(1), 2)
    assert few[0].tolist() == [[0.0]]
    assert not np.signbit(few[0]).any()


@pytest.mark.parametrize("k", [1, 2, 3, 500])
def test_one_too_many_is_noticed_wherever_it_is(k):
    rows = np.repeat(np.arange(k, dtype=np.float32), 100)[:, None]
    assert distinct(rows, identity(1), k) is not None
    assert distinct(np.append(rows, [[np.float32(k)]], axis=0), identity(1), k) is None
