"""Agglomerative clustering against scikit-learn, and its edge cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from clusterpress.clustering import LINKAGES, agglomerate, condensed_distances
from clusterpress.errors import ConfigError, DataError


@pytest.mark.parametrize("linkage", LINKAGES)
@pytest.mark.parametrize("clusters", [1, 2, 17, 79, 80])
def test_equals_scikit_learns_partition(linkage, clusters):
    points = np.random.default_rng(clusters).standard_normal((80, 12)) + 5.0
    theirs = AgglomerativeClustering(clusters, linkage=linkage).fit_predict(points)
    ours = agglomerate(points, clusters, linkage=linkage)
    assert ours.dtype == np.int64
    assert adjusted_rand_score(theirs, ours) == 1.0


@settings(deadline=None, max_examples=60, derandomize=True)
@given(
    st.lists(st.tuples(*[st.integers(-1, 1)] * 2), min_size=1, max_size=25),
    st.sampled_from(LINKAGES),
    st.data(),
)
def test_every_label_is_used_also_where_distances_tie(points, linkage, data):
    clusters = data.draw(st.integers(1, len(points)))
    labels = agglomerate(points, clusters, linkage=linkage)
    _, firsts = np.unique(labels, return_index=True)
    assert len(firsts) == clusters
    assert (np.diff(firsts) > 0).all()
    assert np.array_equal(labels, agglomerate(points, clusters, linkage=linkage))


@pytest.mark.parametrize("linkage", LINKAGES)
def test_duplicates_merge_first(linkage):
    distinct = 1e4 + np.random.default_rng(0).standard_normal((20, 50))
    points = np.tile(distinct, (3, 1))
    labels = agglomerate(points, 20, linkage=linkage)
    assert np.array_equal(labels, np.tile(np.arange(20), 3))


@pytest.mark.parametrize("linkage", LINKAGES)
def test_partitions_are_nested(linkage):
    points = np.random.default_rng(0).standard_normal((30, 4))
    for clusters in range(1, 30):
        coarse = agglomerate(points, clusters, linkage=linkage)
        fine = agglomerate(points, clusters + 1, linkage=linkage)
        assert len(np.unique(np.stack((coarse, fine)), axis=1)[0]) == clusters + 1


def test_distances_equal_scipys_and_duplicates_are_zero_apart():
    points = 1e3 + np.random.default_rng(0).standard_normal((40, 7))
    points[5], points[9] = points[30], points[30] + 1e-7
    np.testing.assert_allclose(condensed_distances(points), pdist(points), rtol=1e-6)
    assert np.array_equal(condensed_distances(points) == 0, pdist(points) == 0)


@pytest.mark.parametrize("linkage", LINKAGES)
def test_constant_single_narrow_and_strided_input(linkage):
    assert agglomerate(np.ones((4, 3)), 1, linkage=linkage).tolist() == [0] * 4
    assert agglomerate(np.ones((4, 3)), 4, linkage=linkage).tolist() == [0, 1, 2, 3]
    assert agglomerate(np.ones((1, 3)), 1, linkage=linkage).tolist() == [0]
    points = np.random.default_rng(0).standard_normal((40, 12)).astype(np.float16)[::2, ::-3]
    wide = np.ascontiguousarray(points, np.float64)
    expected = agglomerate(wide, 6, linkage=linkage)
    assert np.array_equal(agglomerate(points, 6, linkage=linkage), expected)


def test_wrong_input_is_refused():
    with pytest.raises(ConfigError, match="4 clusters were asked of 3"):
        agglomerate(np.eye(3), 4)
    with pytest.raises(ConfigError, match="at least 1, but it is 0"):
        agglomerate(np.eye(3), 0)
    with pytest.raises(ConfigError, match="linkage is 'best'; it must be one of average"):
        agglomerate(np.eye(3), 2, linkage="best")
    with pytest.raises(DataError, match="first, at flat index 0, is nan"):
        agglomerate([[np.nan], [1.0]], 1)
