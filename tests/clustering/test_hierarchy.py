"""Agglomerative clustering against scikit-learn and scipy, and its edge cases."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fclusterdata
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score

from clusterpress.clustering import LINKAGES, Clusters, agglomerate
from clusterpress.clustering.hierarchy.agglomerate import _around_means
from clusterpress.errors import ConfigError, DataError

SMALL = st.lists(st.tuples(*[st.integers(-1, 1)] * 2), min_size=1, max_size=25)
each_linkage = pytest.mark.parametrize("linkage", LINKAGES)


def normals(n: int, d: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d))


def same(left: Clusters, right: Clusters) -> bool:
    fields = zip(dataclasses.astuple(left), dataclasses.astuple(right), strict=True)
    return all(np.array_equal(one, other) for one, other in fields)


@each_linkage
@pytest.mark.parametrize("clusters", [1, 2, 17, 79, 80])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_scikit_learns_partition(linkage, clusters, dtype):
    points = (normals(80, 12, seed=clusters) + 5.0).astype(dtype)
    theirs = AgglomerativeClustering(clusters, linkage=linkage).fit_predict(points)
    ours = agglomerate(points, clusters, linkage=linkage)
    assert adjusted_rand_score(theirs, ours.labels) == 1.0


@settings(deadline=None, max_examples=60, derandomize=True)
@given(SMALL, st.sampled_from(LINKAGES), st.data())
def test_every_label_is_used_and_the_centres_are_means_also_where_distances_tie(
    points, linkage, data
):
    clusters = data.draw(st.integers(1, len(points)))
    found = agglomerate(points, clusters, linkage=linkage)
    _, firsts = np.unique(found.labels, return_index=True)
    assert len(firsts) == clusters
    assert (np.diff(firsts) > 0).all()
    means = [np.mean(np.array(points)[found.labels == c], axis=0) for c in range(clusters)]
    np.testing.assert_allclose(found.centers, means, atol=1e-12)
    error = ((np.array(points) - found.centers[found.labels]) ** 2).sum()
    assert found.error == pytest.approx(error, abs=1e-12)
    assert same(found, agglomerate(points, clusters, linkage=linkage))


@settings(deadline=None, max_examples=60, derandomize=True)
@given(SMALL, st.sampled_from(LINKAGES), st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 9.0]))
def test_a_cut_at_a_distance_is_the_cut_at_its_number_of_clusters(points, linkage, distance):
    found = agglomerate(points, distance=distance, linkage=linkage)
    assert same(found, agglomerate(points, len(found.centers), linkage=linkage))


@each_linkage
def test_a_cut_at_a_distance_agrees_with_scipy(linkage):
    points = normals(60, 4)
    for distance in (0.3, 1.0, 2.0, 4.0, 30.0):
        theirs = fclusterdata(points, distance, criterion="distance", method=linkage)
        ours = agglomerate(points, distance=distance, linkage=linkage)
        assert adjusted_rand_score(theirs, ours.labels) == 1.0


@each_linkage
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_duplicates_merge_first_and_alone_at_the_distance_0(linkage, dtype):
    distinct = (100 + normals(20, 50)).astype(dtype)
    distinct[7] = distinct[3]
    distinct[7, 4] = np.nextafter(distinct[3, 4], dtype(np.inf))
    points = np.tile(distinct, (3, 1))
    for found in (
        agglomerate(points, 20, linkage=linkage),
        agglomerate(points, distance=0, linkage=linkage),
    ):
        assert np.array_equal(found.labels, np.tile(np.arange(20), 3))
        assert np.array_equal(found.centers, distinct)
        assert found.error == 0.0


@each_linkage
def test_more_clusters_than_distinct_vectors_are_all_filled(linkage):
    points = np.tile(normals(3, 4), (4, 1))
    found = agglomerate(points, 7, linkage=linkage)
    assert np.array_equal(np.unique(found.labels), np.arange(7))
    assert np.array_equal(found.centers[found.labels], points)


@each_linkage
def test_partitions_are_nested_and_the_error_falls_with_more_clusters(linkage):
    points = normals(30, 4)
    for clusters in range(1, 30):
        coarse = agglomerate(points, clusters, linkage=linkage)
        fine = agglomerate(points, clusters + 1, linkage=linkage)
        pairs = np.unique(np.stack((coarse.labels, fine.labels)), axis=1)
        assert len(pairs[0]) == clusters + 1
        assert fine.error < coarse.error


@each_linkage
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_another_order_of_the_points_only_renumbers(linkage, dtype):
    points = normals(70, 6).astype(dtype)
    order = np.random.default_rng(1).permutation(70)
    found = agglomerate(points, 9, linkage=linkage)
    moved = agglomerate(points[order], 9, linkage=linkage)
    assert adjusted_rand_score(found.labels[order], moved.labels) == 1.0
    assert moved.error == pytest.approx(found.error)


@each_linkage
def test_constant_single_narrow_and_strided_input(linkage):
    assert agglomerate(np.full((4, 3), 0.1), 1, linkage=linkage).labels.tolist() == [0] * 4
    assert agglomerate(np.full((4, 3), 0.1), 4, linkage=linkage).labels.tolist() == [0, 1, 2, 3]
    assert agglomerate(np.full((4, 3), 0.1), distance=0, linkage=linkage).error == 0.0
    assert agglomerate(np.ones((4, 0)), distance=0, linkage=linkage).centers.shape == (1, 0)
    for cut in ({"clusters": 1}, {"distance": 0.0}, {"distance": 9.0}):
        alone = agglomerate(np.ones((1, 3)), **cut, linkage=linkage)
        assert alone.labels.tolist() == [0]
        assert alone.centers.tolist() == [[1.0, 1.0, 1.0]]
    points = normals(40, 12).astype(np.float16)[::2, ::-3]
    wide = np.ascontiguousarray(points, np.float32)
    assert same(agglomerate(points, 6, linkage=linkage), agglomerate(wide, 6, linkage=linkage))
    exact = agglomerate(wide.astype(np.float64), 6, linkage=linkage)
    assert np.array_equal(agglomerate(points, 6, linkage=linkage).labels, exact.labels)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_tensors_give_tensors(dtype):
    points = torch.from_numpy(normals(30, 5)).to(dtype)
    found = agglomerate(points, 4)
    expected = agglomerate(points.double(), 4)
    assert found.centers.dtype == torch.float64
    assert torch.equal(found.labels, expected.labels)
    torch.testing.assert_close(found.centers, expected.centers, atol=1e-6, rtol=0)


def test_labels_are_as_narrow_as_their_number_allows():
    points = normals(300, 3)
    assert agglomerate(points, 256).labels.dtype == np.uint8
    assert agglomerate(points, 257).labels.dtype == np.int16


def test_means_of_many_columns_do_not_depend_on_the_number_of_threads(monkeypatch):
    points, labels = normals(20, 1300), np.arange(20) % 3
    found = _around_means(points, labels)
    for c in range(3):
        np.testing.assert_allclose(found.centers[c], points[c::3].mean(axis=0), atol=1e-14)
    assert found.error == pytest.approx(((points - found.centers[labels]) ** 2).sum())
    monkeypatch.setattr("clusterpress.clustering.threads.available", lambda: 1)
    assert same(found, _around_means(points, labels))


def test_wrong_input_is_refused():
    with pytest.raises(ConfigError, match="4 clusters were asked of 3"):
        agglomerate(np.eye(3), 4)
    with pytest.raises(ConfigError, match="at least 1, but it is 0"):
        agglomerate(np.eye(3), 0)
    with pytest.raises(ConfigError, match="linkage is 'best'; it must be one of average"):
        agglomerate(np.eye(3), 2, linkage="best")
    with pytest.raises(ConfigError, match=r"Exactly one of clusters \(None\) and distance"):
        agglomerate(np.eye(3))
    with pytest.raises(ConfigError, match=r"Exactly one of clusters \(2\) and distance \(1.0\)"):
        agglomerate(np.eye(3), 2, distance=1.0)
    for distance in (-1.0, np.nan, np.inf):
        with pytest.raises(ConfigError, match="distance must be finite and at least 0"):
            agglomerate(np.eye(3), distance=distance)
    with pytest.raises(DataError, match="first, at flat index 0, is nan"):
        agglomerate([[np.nan], [1.0]], 1)
    with pytest.raises(DataError, match="no points"):
        agglomerate(np.empty((0, 3)), distance=1.0)
    with pytest.raises(DataError, match=r"shape \(n, d\), but theirs is \(3,\)"):
        agglomerate(np.ones(3), 1)
