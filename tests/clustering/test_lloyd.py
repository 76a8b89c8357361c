"""Lloyd's iterations on scalars and their seeds, against scikit-learn and by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from clusterpress.clustering import cluster, lloyd, seed
from clusterpress.errors import ConfigError, DataError

SEEDINGS = ("random", "density", "linear", "kmeans++")
VALUES = st.lists(st.floats(-100, 100, width=32) | st.integers(-4, 4), min_size=1, max_size=50)
quick = settings(deadline=None, max_examples=60, derandomize=True)


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("init", SEEDINGS)
@pytest.mark.parametrize("k", [1, 2, 8, 16])
def test_equals_scikit_learn_from_the_same_seeds(init, k):
    values = np.random.default_rng(k).standard_normal(2000) + 3.0
    seeds = seed(values, k, init=init, rng=rng())
    theirs = KMeans(k, init=seeds[:, None], n_init=1, max_iter=2000, tol=0, algorithm="lloyd")
    theirs.fit(values[:, None])
    ours = lloyd(values, seeds, max_iterations=2000)
    assert np.array_equal(ours.labels, theirs.labels_)
    np.testing.assert_allclose(ours.centers, theirs.cluster_centers_[:, 0], rtol=1e-9)
    assert ours.error == pytest.approx(theirs.inertia_, rel=1e-9)


def test_weights_equal_scikit_learns():
    values, weights = rng().standard_normal(500), rng().integers(1, 9, 500)
    seeds = np.linspace(-2, 2, 9)
    theirs = KMeans(9, init=seeds[:, None], n_init=1, max_iter=2000, tol=0)
    theirs.fit(values[:, None], sample_weight=weights)
    ours = lloyd(values, seeds, weights=weights, max_iterations=2000)
    assert np.array_equal(ours.labels, theirs.labels_)
    assert ours.error == pytest.approx(theirs.inertia_, rel=1e-9)


@quick
@given(VALUES, st.sampled_from(SEEDINGS), st.data())
def test_result_is_a_fixed_point(values, init, data):
    k = data.draw(st.integers(1, len(values)))
    found = cluster(values, k, init=init, rng=rng())
    assert len(found.centers) == min(k, len(np.unique(values)))
    distances = np.abs(np.array(values)[:, None] - found.centers)
    own = distances[np.arange(len(values)), found.labels]
    np.testing.assert_allclose(own, distances.min(axis=1), atol=1e-9)
    again = lloyd(values, found.centers)
    assert again.error == pytest.approx(found.error, rel=1e-9, abs=1e-12)


@quick
@given(VALUES, st.sampled_from(SEEDINGS), st.data())
def test_order_does_not_matter(values, init, data):
    k = data.draw(st.integers(1, len(values)))
    order = np.array(data.draw(st.permutations(range(len(values)))))
    first = cluster(values, k, init=init, rng=rng())
    second = cluster(np.array(values)[order], k, init=init, rng=rng())
    assert np.array_equal(first.labels[order], second.labels)
    assert np.array_equal(first.centers, second.centers)


def test_the_order_of_seeds_does_not_matter():
    values = rng().standard_normal(100)
    first, second = lloyd(values, [1.0, -1.0, 0.0]), lloyd(values, [-1.0, 0.0, 1.0])
    assert np.array_equal(first.labels, second.labels)


def test_iterations_never_make_it_worse():
    values = rng().standard_normal(1000)
    curve = [lloyd(values, np.linspace(-9, 9, 20), max_iterations=i).error for i in range(1, 40)]
    assert (np.diff(curve) <= 1e-9).all()


def test_empty_clusters_move_to_the_farthest_values():
    values = [0.0, 0.1, 0.2, 5.0, 5.1, 9.0, 10.0]
    found = lloyd(values, [2.0, 100.0, 100.0, 100.0])
    assert len(found.centers) == 4
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 2, 3]


def test_equal_seeds_still_give_every_cluster_members():
    found = lloyd(np.arange(20.0), np.zeros(6))
    assert np.bincount(found.labels).min() > 0
    assert len(found.centers) == 6


def test_a_tie_goes_to_the_lower_centroid():
    found = lloyd([-1.0, 0.0, 1.0], [-1.0, 1.0])
    assert found.labels.tolist() == [0, 0, 1]


def test_density_seeds_are_equal_steps_of_the_distribution():
    assert seed(np.arange(100), 4, init="density", rng=rng()).tolist() == [12, 37, 62, 87]


def test_linear_seeds_are_equal_steps_of_the_range():
    assert seed([0, 1, 1, 2, 8], 3, init="linear", rng=rng()).tolist() == [0, 4, 8]
    assert seed([0, 1, 1, 2, 8], 1, init="linear", rng=rng()).tolist() == [4]


def test_random_seeds_are_distinct_values_as_likely_as_they_occur():
    values = np.repeat([1.0, 2.0, 3.0], [80, 10, 10])
    generator = rng()
    drawn = [seed(values, 1, init="random", rng=generator)[0] for _ in range(300)]
    assert 0.7 < np.mean(np.array(drawn) == 1.0) < 0.9
    assert len(np.unique(seed(values, 2, init="random", rng=generator))) == 2


def test_plus_plus_seeds_spread_over_separate_groups():
    groups = 100.0 * np.arange(12)
    values = (groups[:, None] + rng().standard_normal((12, 50))).ravel()
    seeds = seed(values, 12, init="kmeans++", rng=rng())
    np.testing.assert_allclose(seeds, groups, atol=5)


def test_plus_plus_is_as_good_as_scikit_learns():
    values = rng().standard_normal(5000)
    theirs = np.mean(
        [KMeans(32, n_init=1, random_state=i).fit(values[:, None]).inertia_ for i in range(5)]
    )
    ours = np.mean(
        [cluster(values, 32, init="kmeans++", rng=np.random.default_rng(i)).error for i in range(5)]
    )
    assert ours <= 1.03 * theirs


@pytest.mark.parametrize("init", SEEDINGS)
def test_seeds_are_ascending_members_of_the_range_and_deterministic(init):
    values = np.random.default_rng(1).standard_normal(300)
    seeds = seed(values, 17, init=init, rng=rng())
    assert seeds.shape == (17,)
    assert (np.diff(seeds) > 0).all()
    assert values.min() <= seeds[0] <= seeds[-1] <= values.max()
    assert np.array_equal(seeds, seed(values, 17, init=init, rng=rng()))


@pytest.mark.parametrize(
    ("seeds", "options", "message"),
    [
        ([], {}, "at least 1, but it is 0"),
        ([0.0, 1.0, 2.0, 3.0], {}, "4 clusters were asked of 3"),
        ([0.0], {"max_iterations": 0}, "max_iterations must be at least 1, but it is 0"),
    ],
)
def test_wrong_settings_are_refused(seeds, options, message):
    with pytest.raises(ConfigError, match=message):
        lloyd([1.0, 2.0, 3.0], seeds, **options)


def test_seeds_that_are_not_finite_are_refused():
    with pytest.raises(DataError, match="Seeds of the clusters must be finite"):
        lloyd([1.0, 2.0], [np.nan])
