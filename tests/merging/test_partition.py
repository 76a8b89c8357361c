"""Partitions have exactly the clusters asked for, whichever clusterer made them."""

import numpy as np
import pytest

from clusterpress.merging import CLUSTERERS, LINKAGES, partition, partition_at, relative_error
from clusterpress.merging.partition import first_come, random_partition


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def points() -> np.ndarray:
    return rng().normal(size=(30, 4))


@pytest.mark.parametrize("cluster", CLUSTERERS)
@pytest.mark.parametrize("clusters", [1, 2, 13, 29, 30])
def test_every_cluster_has_members(points, cluster, clusters):
    labels = partition(points, clusters, cluster=cluster, rng=rng(), restarts=2)
    assert labels.dtype == np.int64
    assert np.array_equal(np.unique(labels), np.arange(clusters))
    _, first = np.unique(labels, return_index=True)
    assert np.array_equal(first, np.sort(first))


@pytest.mark.parametrize("cluster", CLUSTERERS)
def test_as_many_clusters_as_neurons_is_the_identity(points, cluster):
    labels = partition(points, 30, cluster=cluster, rng=rng(), restarts=2)
    assert np.array_equal(labels, np.arange(30))


@pytest.mark.parametrize("cluster", [*LINKAGES, "kmeans"])
def test_exact_duplicates_are_found(points, cluster):
    duplicates = points[np.arange(30) % 7]
    labels = partition(duplicates, 7, cluster=cluster, rng=rng(), restarts=3)
    assert np.array_equal(labels, np.arange(30) % 7)
    assert relative_error(duplicates, labels) < 1e-12


@pytest.mark.parametrize("cluster", [*LINKAGES, "kmeans"])
def test_more_clusters_than_distinct_neurons_are_still_filled_exactly(points, cluster):
    duplicates = points[np.arange(30) % 7]
    labels = partition(duplicates, 12, cluster=cluster, rng=rng(), restarts=2)
    assert np.array_equal(np.unique(labels), np.arange(12))
    assert relative_error(duplicates, labels) < 1e-12


@pytest.mark.parametrize("cluster", CLUSTERERS)
def test_the_same_generator_gives_the_same_partition(points, cluster):
    once, twice = (partition(points, 9, cluster=cluster, rng=rng(), restarts=2) for _ in range(2))
    assert np.array_equal(once, twice)


def test_random_clusters_are_of_free_size():
    sizes = {
        tuple(np.bincount(random_partition(12, 4, np.random.default_rng(s)))) for s in range(9)
    }
    assert len(sizes) > 1
    assert all(min(each) >= 1 and sum(each) == 12 for each in sizes)


@pytest.mark.parametrize("linkage", LINKAGES)
def test_a_cut_at_a_distance_joins_what_is_nearer(linkage):
    points = np.array([[0.0, 0.0], [10.0, 0.0], [0.1, 0.0], [10.0, 0.2], [0.0, 50.0]])
    assert partition_at(points, 1.0, linkage=linkage).tolist() == [0, 1, 0, 1, 2]
    assert partition_at(points, 0.05, linkage=linkage).tolist() == [0, 1, 2, 3, 4]
    assert partition_at(points, 1e3, linkage=linkage).tolist() == [0] * 5


def test_a_cut_through_one_neuron_or_equal_neurons():
    assert partition_at(np.ones((1, 3)), 1.0, linkage="average").tolist() == [0]
    assert partition_at(np.full((4, 3), 0.1), 0.0, linkage="ward").tolist() == [0] * 4


def test_the_cut_agrees_with_the_distances_of_scipy(points):
    hierarchy = pytest.importorskip("scipy.cluster.hierarchy")
    for linkage in LINKAGES:
        reference = hierarchy.fclusterdata(points, 2.0, criterion="distance", method=linkage)
        ours = partition_at(points, 2.0, linkage=linkage)
        assert np.array_equal(ours, first_come(reference.astype(np.int64)))


def test_relative_error_by_hand():
    points = np.array([[3.0, 0.0], [5.0, 0.0], [0.0, 1.0]])
    assert relative_error(points, np.array([0, 0, 1])) == pytest.approx((2 / 35) ** 0.5)
    assert relative_error(np.zeros((3, 2)), np.array([0, 0, 1])) == 0.0
