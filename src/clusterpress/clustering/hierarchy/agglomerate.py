"""Agglomerative clustering of vectors: scipy's linkage, cut at a number or at a distance."""

import math
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import scipy
from numba import njit

from clusterpress.clustering.checks import check_choice, check_clusters
from clusterpress.clustering.clusters import Clusters, Floats, Ints, label_type
from clusterpress.clustering.hierarchy.distances import Rows, condensed_distances, real_rows
from clusterpress.clustering.tensors import takes_tensors
from clusterpress.clustering.threads import on_threads
from clusterpress.errors import ConfigError, DataError

Linkage = Literal["average", "ward", "complete"]
LINKAGES: tuple[str, ...] = get_args(Linkage)
_COLUMNS = 512  # A piece of the means.


@takes_tensors
def agglomerate(
    points: npt.ArrayLike,
    clusters: int | None = None,
    *,
    distance: float | None = None,
    linkage: Linkage = "average",
) -> Clusters:
    """Merge vectors bottom-up, and cut at a number of clusters or at a distance.

    The two clusters that are nearest to each other merge first; by ``average`` the mean, by
    ``complete`` the largest Euclidean distance of their members, by ``ward`` the growth of the
    squared error. The tree is built by nearest-neighbour chains (Murtagh 1983; scipy's) in O(n^2)
    time, its distances take O(n^2 d / 2) (see ``condensed_distances``). Beyond the points and the
    result that takes 64 MiB and 8 n^2 bytes of float32, 12 n^2 of float64.

    Duplicates merge first, at the distance 0, also where there are fewer distinct vectors than
    clusters: then some clusters are duplicates of others. Constant vectors are duplicates; n
    clusters, or a single vector, are the vectors themselves. No cluster is ever empty. Where
    distances tie, the order of the vectors decides: the result is deterministic, but another
    order may give another partition; without ties another order only renumbers the clusters.

    Args:
        points: Vectors, real and finite, shape (n, d), contiguous or not, n at least 1. Float64
            and float32 are measured in their own precision, float16 and bfloat16 in float32,
            anything else in float64.
        clusters: Number of clusters, from 1 to n. This or ``distance``.
        distance: Clusters merge while their distance by the linkage is at most this, in the
            points' unit (for ``ward`` as scipy scales it: two vectors are as far apart as they
            are), at least 0; 0 merges exact duplicates alone.
        linkage: ``average``, ``ward`` or ``complete``.

    Returns:
        The clusters, numbered as their first members come; their centres are means in float64,
        shape (k, d).

    Raises:
        ConfigError: ``linkage`` is unknown, not exactly one of ``clusters`` and ``distance`` is
            given, or it is out of its range.
        DataError: A vector is not finite, there is none, or ``points`` is not of shape (n, d).
    """
    check_choice("linkage", linkage, LINKAGES)
    _check_cut(clusters, distance)
    rows = real_rows(points)
    if len(rows) == 0:
        raise DataError("There are no points to cluster.")
    if clusters is not None:
        check_clusters(clusters, len(rows))
    return _around_means(rows, _labels(rows, clusters, distance, linkage))


def _check_cut(clusters: int | None, distance: float | None) -> None:
    if (clusters is None) == (distance is None):
        raise ConfigError(
            f"Exactly one of clusters ({clusters!r}) and distance ({distance!r}) must be given."
        )
    if distance is not None and not (distance >= 0 and math.isfinite(distance)):
        raise ConfigError(f"distance must be finite and at least 0, but it is {distance!r}.")


def _labels(rows: Rows, clusters: int | None, distance: float | None, linkage: Linkage) -> Ints:
    if len(rows) in (1, clusters):
        return np.arange(len(rows), dtype=np.int64)
    # Imported here by scipy itself: a fifth of a second, which every command would pay.
    tree = scipy.cluster.hierarchy.linkage(condensed_distances(rows), method=linkage)
    if distance is None:
        return _cut(tree, len(tree) + 1 - (clusters or 0))
    # Heights ascend, so the merges up to a distance are the first ones.
    return _cut(tree, int(np.searchsorted(tree[:, 2], distance, side="right")))


def _cut(tree: Floats, merges: int) -> Ints:
    """Give labels after the first merges of scipy's tree, also where later heights are equal."""
    count = len(tree) + 1
    joined = np.arange(2 * count - 1)
    pairs = tree[:merges, :2].astype(np.int64)
    for i in range(merges - 1, -1, -1):
        joined[pairs[i]] = joined[count + i]
    _, firsts, inverse = np.unique(joined[:count], return_index=True, return_inverse=True)
    ranks = np.argsort(np.argsort(firsts))
    labels: Ints = ranks[inverse].astype(np.int64)
    return labels


def _around_means(rows: Rows, labels: Ints) -> Clusters:
    firsts = np.unique(labels, return_index=True)[1]
    sizes = np.bincount(labels)
    centers = np.zeros((len(firsts), rows.shape[1]))

    def fill(piece: int) -> float:
        columns = slice(piece * _COLUMNS, (piece + 1) * _COLUMNS)
        return float(_means(rows[:, columns], labels, firsts, sizes, centers[:, columns]))

    errors = on_threads(fill, -(-rows.shape[1] // _COLUMNS))
    return Clusters(centers, labels.astype(label_type(len(firsts))), math.fsum(errors))


@njit(cache=True, nogil=True)
def _means(rows: Rows, labels: Ints, firsts: Ints, sizes: Ints, centers: Floats) -> float:
    """Fill ``centers``, measured from first members so that duplicates' means are exact."""
    for i in range(len(rows)):
        first = firsts[labels[i]]
        for j in range(rows.shape[1]):
            centers[labels[i], j] += np.float64(rows[i, j]) - np.float64(rows[first, j])
    for c in range(len(centers)):
        for j in range(rows.shape[1]):
            centers[c, j] = rows[firsts[c], j] + centers[c, j] / sizes[c]
    error = 0.0
    for i in range(len(rows)):
        for j in range(rows.shape[1]):
            error += (rows[i, j] - centers[labels[i], j]) ** 2
    return error
