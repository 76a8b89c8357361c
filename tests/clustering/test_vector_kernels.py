"""The kernels on panels against numpy, for every shape that fills panels and tiles or does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterpress.clustering.vector.orbits import identity
from clusterpress.clustering.vector.panels import PanelRows
from clusterpress.clustering.vector.rows import Units
from clusterpress.clustering.vector.wide import WideRows

DTYPES = (np.float32, np.float64)
KINDS = (PanelRows, WideRows)


def rng(root=0):
    return np.random.default_rng(root)


def kept(kind, points, weights=None):
    rows = np.ascontiguousarray(points)
    weights = np.ones(len(rows)) if weights is None else weights
    return kind.of(rows, weights, Units.around(rows, weights, identity(rows.shape[1])))


def squares(vectors, candidates):
    points = vectors.at(np.arange(len(vectors)))
    return ((points[:, None] - candidates) ** 2).sum(axis=-1)


@given(
    st.integers(0, 2**32),
    st.integers(1, 70),
    st.integers(1, 20),
    st.integers(1, 20),
    st.sampled_from(DTYPES),
    st.sampled_from(KINDS),
)
@settings(deadline=None, max_examples=100, derandomize=True)
def test_the_name_is_that_of_a_nearest_candidate(root, n, width, count, dtype, kind):
    vectors = kept(kind, rng(root).standard_normal((n, width)).astype(dtype))
    candidates = rng(root + 1).standard_normal((count, width))
    names = vectors.nearest(candidates)
    distances = squares(vectors, candidates)
    own = distances[np.arange(n), names]
    np.testing.assert_allclose(own, distances.min(axis=1), rtol=100 * np.finfo(dtype).eps * width)
    np.testing.assert_allclose(vectors.distances(names, candidates), own, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_ties_go_to_the_first_candidate(kind, dtype):
    points = rng().integers(-2, 3, (500, 2)).astype(dtype)
    vectors = kept(kind, np.concatenate((points, -points)))  # The mean is exactly 0.
    candidates = np.repeat(rng(1).integers(-2, 3, (9, 2)) / 4.0, 2, axis=0)
    expected = squares(vectors, candidates).argmin(axis=1)
    assert np.array_equal(vectors.nearest(candidates), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_totals_are_weighted_sums(kind):
    points, weights = rng().standard_normal((1000, 5)), rng(1).uniform(0.5, 0.99, 1000)
    vectors = kept(kind, points, weights)
    names = rng(2).integers(0, 7, 1000).astype(np.int32)
    totals = vectors.totals(names, 9)
    normal = vectors.at(np.arange(1000))
    for name in range(9):
        members = names == name
        expected = (weights[members, None] * normal[members]).sum(axis=0)
        np.testing.assert_allclose(totals[name, :-1], expected, atol=1e-12)
        assert totals[name, -1] == pytest.approx(weights[members].sum())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("transforms", [1, 3])
def test_a_field_keeps_the_distance_to_the_nearest_seed(kind, dtype, transforms):
    count, width = 9001, 3
    weights = rng(1).uniform(0.5, 0.99, count)
    vectors = kept(kind, rng().standard_normal((count, width)).astype(dtype), weights)
    field = vectors.field()
    nearest = np.full(count, np.inf)
    for step in range(6):
        drawn = field.draw(rng(step).random(5))
        variants = vectors.at(drawn)[:, None] * np.linspace(1.0, 0.5, transforms)[:, None]
        found = field.potentials(variants)
        each = squares(vectors, variants.reshape(-1, width)).reshape(count, 5, transforms)
        closer = np.minimum(nearest[:, None], each.min(axis=2))
        np.testing.assert_allclose(found, weights @ closer, rtol=1e-5)
        choice = step % 5
        field.take(choice)
        nearest = closer[:, choice]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_draws_fall_where_the_cumulative_mass_says(kind, dtype):
    weights = rng(1).uniform(0.5, 0.99, 9001)
    vectors = kept(kind, rng().standard_normal((9001, 2)).astype(dtype), weights)
    field, uniforms = vectors.field(), rng(2).random(200)
    mass, nearest = weights, np.full(9001, np.inf)
    for _ in range(3):
        drawn = field.draw(uniforms)
        cumulative = np.cumsum(mass) / mass.sum()
        below = np.concatenate(([0.0], cumulative))[drawn]
        assert (below <= uniforms + 1e-6).all()
        assert (uniforms <= cumulative[drawn] + 1e-6).all()
        seed = vectors.at(field.draw(uniforms[:1]))
        field.potentials(seed[:, None])
        field.take(0)
        nearest = np.minimum(nearest, squares(vectors, seed)[:, 0])
        mass = weights * nearest


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_seed_and_its_duplicates_are_not_drawn_again(kind, dtype):
    points = np.repeat(rng().standard_normal((3, 4)), [3000, 3000, 1], axis=0).astype(dtype)
    field = kept(kind, points).field()
    vectors = kept(kind, points)
    for _ in range(2):
        field.potentials(vectors.at(field.draw(np.array([0.5 / 6001])))[:, None])
        field.take(0)
    assert set(field.draw(rng(1).random(50)).tolist()) == {6000}
