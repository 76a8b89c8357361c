"""Partition a layer's neurons into the clusters that are merged."""

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from clusterpress.clustering import Linkage, agglomerate, kmeans

Points = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Clusterer = Literal["average", "ward", "complete", "kmeans", "random"]

CLUSTERERS: tuple[str, ...] = get_args(Clusterer)


def partition(
    points: Points, clusters: int, *, cluster: Clusterer, rng: np.random.Generator, restarts: int
) -> Labels:
    """Partition neurons into exactly ``clusters`` non-empty clusters.

    Args:
        points: Features of each neuron, float64, shape (n, d).
        clusters: How many clusters, from 1 to n.
        cluster: A linkage of agglomerative clustering (NAC: Wang et al. 2020), ``kmeans`` (Zhong
            et al. 2018) or ``random`` (the control).
        rng: For ``kmeans`` and ``random``.
        restarts: Starts of ``kmeans``, of which the best counts.

    Returns:
        int64, shape (n,); clusters are numbered by their first members.
    """
    if clusters == len(points):
        return np.arange(clusters)
    if cluster == "random":
        return first_come(random_partition(len(points), clusters, rng))
    if cluster == "kmeans":
        found = kmeans(points, clusters, rng=rng, restarts=restarts)
        return first_come(_split_until(found.labels, clusters))
    return agglomerate(points, clusters, linkage=cluster).labels.astype(np.int64)


def partition_at(points: Points, distance: float, *, linkage: Linkage) -> Labels:
    """Partition neurons by cutting the tree of agglomerative clustering at a distance.

    Args:
        points: Features of each neuron, float64, shape (n, d).
        distance: Largest Euclidean distance (by the linkage) at which clusters still join.
        linkage: The linkage.

    Returns:
        int64, shape (n,); clusters are numbered by their first members.
    """
    return agglomerate(points, distance=distance, linkage=linkage).labels.astype(np.int64)


def random_partition(n: int, clusters: int, rng: np.random.Generator) -> Labels:
    """Partition at random: one member for every cluster, the others wherever chance puts them."""
    labels = np.empty(n, dtype=np.int64)
    order = rng.permutation(n)
    labels[order[:clusters]] = np.arange(clusters)
    labels[order[clusters:]] = rng.integers(clusters, size=n - clusters)
    return labels


def first_come(labels: Labels) -> Labels:
    """Number clusters 0, 1, ... by their first members, so that n clusters are the identity."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def relative_error(points: Points, labels: Labels) -> float:
    """Give ``|X - X'| / |X|`` (Frobenius) where each neuron is replaced by its cluster's mean."""
    sums = np.zeros((int(labels.max()) + 1, points.shape[1]))
    np.add.at(sums, labels, points)
    means = sums / np.bincount(labels)[:, None]
    scale = float(np.linalg.norm(points))
    return float(np.linalg.norm(points - means[labels])) / scale if scale else 0.0


def _split_until(labels: Labels, clusters: int) -> Labels:
    """Split the largest cluster until there are as many as asked.

    Where a layer has fewer distinct neurons than clusters, k-means gives one for each distinct
    neuron. Splitting duplicates changes no function, and the widths stay those of the controls.
    """
    split = first_come(labels)
    for new in range(int(split.max()) + 1, clusters):
        largest = int(np.bincount(split).argmax())
        split[np.flatnonzero(split == largest)[-1]] = new
    return split
