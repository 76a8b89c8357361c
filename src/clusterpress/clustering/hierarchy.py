"""Agglomerative clustering of vectors: distances from one GEMM, scipy's linkage."""

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import linkage as scipy_linkage

from clusterpress.clustering.checks import check_choice, check_clusters, finite_rows
from clusterpress.clustering.clusters import Floats, Ints

Linkage = Literal["average", "ward", "complete"]
LINKAGES: tuple[str, ...] = get_args(Linkage)
_CANCELLED = 1e-6  # A squared distance this far below the norms has lost digits in the GEMM.
_PAIRS = 2**14


def agglomerate(points: npt.ArrayLike, clusters: int, *, linkage: Linkage = "average") -> Ints:
    """Merge vectors bottom-up until ``clusters`` clusters are left.

    The two clusters that are nearest to each other merge first; by ``average`` the mean, by
    ``complete`` the largest Euclidean distance of their members, by ``ward`` the growth of the
    SSE. It is deterministic, also where distances tie.

    Args:
        points: Vectors, real, shape (n, d).
        clusters: Number of clusters; every one of them gets a member.
        linkage: ``average``, ``ward`` or ``complete``.

    Returns:
        Labels in ``range(clusters)``, numbered as their first members come, int64, shape (n,).

    Raises:
        ConfigError: ``linkage`` is unknown, or ``clusters`` is below 1 or above n.
        DataError: A vector is not finite, or ``points`` is not of shape (n, d).
    """
    check_choice("linkage", linkage, LINKAGES)
    rows = finite_rows(points)
    check_clusters(clusters, len(rows))
    if clusters == len(rows):
        return np.arange(len(rows), dtype=np.int64)
    tree = scipy_linkage(condensed_distances(rows), method=linkage)
    return _cut(tree, clusters)


def condensed_distances(rows: Floats) -> Floats:
    """Give the Euclidean distances of all pairs in scipy's condensed order, from one GEMM.

    Pairs so close that the GEMM's differences of large numbers lose their digits are measured
    again by differences, so that duplicates are exactly 0 apart.

    Args:
        rows: Finite vectors, float64, shape (n, d).

    Returns:
        Distances, float64, shape (n * (n - 1) / 2,).
    """
    centred = rows - rows.mean(axis=0)
    norms = np.einsum("nd,nd->n", centred, centred)
    first, second = np.triu_indices(len(rows), 1)
    reach = norms[first] + norms[second]
    squares = reach - 2.0 * (centred @ centred.T)[first, second]
    close = np.flatnonzero(squares <= _CANCELLED * reach)
    for start in range(0, close.size, _PAIRS):
        pairs = close[start : start + _PAIRS]
        gaps = rows[first[pairs]] - rows[second[pairs]]
        squares[pairs] = np.einsum("nd,nd->n", gaps, gaps)
    distances: Floats = np.sqrt(squares)
    return distances


def _cut(tree: Floats, clusters: int) -> Ints:
    """Give labels after the first merges of scipy's tree, also where later heights are equal."""
    count = len(tree) + 1
    joined = np.arange(2 * count - 1)
    merges = tree[: count - clusters, :2].astype(np.int64)
    for i in range(len(merges) - 1, -1, -1):
        joined[merges[i]] = joined[count + i]
    _, firsts, inverse = np.unique(joined[:count], return_index=True, return_inverse=True)
    ranks = np.argsort(np.argsort(firsts))
    labels: Ints = ranks[inverse].astype(np.int64)
    return labels
