"""k-means on vectors: distances from chunked GEMMs, greedy k-means++, empty clusters repaired."""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from numba import njit
from numpy.random import Generator

from clusterpress.clustering.checks import check_choice, check_clusters, finite_rows
from clusterpress.clustering.clusters import Clusters, Floats, Ints, label_type
from clusterpress.errors import ConfigError

_CHUNK_DISTANCES = 2**18  # 2 MiB of float64: stays in the cache.


def kmeans(
    points: npt.ArrayLike,
    k: int,
    *,
    rng: Generator,
    init: str = "kmeans++",
    restarts: int = 1,
    max_iterations: int = 300,
) -> Clusters:
    """Cluster vectors by Lloyd's iterations until no label changes; the best of the restarts.

    Ties go to the lowest label. An empty cluster takes the vector that is farthest from its own
    centroid (several: the farthest, the second farthest, …), but never the last of another; a
    cluster that is still empty at the end is dropped.

    Args:
        points: Vectors, real, shape (n, d).
        k: Number of clusters. Where there are no more than k distinct vectors, they themselves
            are the centroids.
        rng: Source of the random draws.
        init: ``kmeans++``: greedy, the best of 2 + ln k draws at every step (Arthur and
            Vassilvitskii 2007); ``random``: k different vectors (Forgy).
        restarts: Number of starts.
        max_iterations: Most iterations of a start.

    Raises:
        ConfigError: A setting is outside its range, or ``k`` is above n.
        DataError: A vector is not finite, or ``points`` is not of shape (n, d).
    """
    rows = finite_rows(points)
    check_clusters(k, len(rows))
    check_choice("init", init, _SEEDINGS)
    for name, value in (("restarts", restarts), ("max_iterations", max_iterations)):
        if value < 1:
            raise ConfigError(f"{name} must be at least 1, but it is {value}.")
    if not _more_distinct_than(rows, k):
        return _distinct(rows)
    origin = rows.mean(axis=0)
    centred = rows - origin
    starts = (
        _lloyd(centred, _SEEDINGS[init](centred, k, rng), max_iterations) for _ in range(restarts)
    )
    best = min(starts, key=lambda clusters: clusters.error)
    return Clusters(best.centers + origin, best.labels, best.error)


def _more_distinct_than(rows: Floats, k: int) -> bool:
    seen: set[bytes] = set()
    for row in rows:
        seen.add((row + 0.0).tobytes())  # -0.0 equals 0.0.
        if len(seen) > k:
            return True
    return False


def _distinct(rows: Floats) -> Clusters:
    centroids, labels = np.unique(rows + 0.0, axis=0, return_inverse=True)
    return Clusters(centroids, labels.reshape(-1).astype(label_type(len(centroids))), 0.0)


def _lloyd(rows: Floats, seeds: Floats, max_iterations: int) -> Clusters:
    centroids = seeds
    labels = _nearest(rows, centroids)
    for _ in range(max_iterations):
        centroids = _means(rows, _refilled(rows, labels, centroids), centroids)
        moved = _nearest(rows, centroids)
        if np.array_equal(moved, labels):
            break
        labels = moved
    full, labels = np.unique(labels, return_inverse=True)
    centroids = _means(rows, labels, centroids[full])
    return Clusters(centroids, labels, float(_own_distances(rows, labels, centroids).sum()))


def _chunks(count: int, width: int) -> Iterator[slice]:
    step = max(1, _CHUNK_DISTANCES // width)
    return (slice(start, start + step) for start in range(0, count, step))


def _nearest(rows: Floats, centroids: Floats) -> Ints:
    """Give the label of the nearest centroid; the rows' own norms do not matter for it."""
    halves = 0.5 * np.einsum("kd,kd->k", centroids, centroids)
    labels = np.empty(len(rows), np.int64)
    for chunk in _chunks(len(rows), len(centroids)):
        _label(rows[chunk] @ centroids.T, halves, labels[chunk])
    return labels


@njit(cache=True)
def _label(products: Floats, halves: Floats, labels: Ints) -> None:
    """Write the place of the first least ``halves - products[i]`` into every ``labels[i]``."""
    for i in range(len(products)):
        least = np.inf
        for c in range(halves.size):
            if halves[c] - products[i, c] < least:
                least = halves[c] - products[i, c]
                labels[i] = c


def _refilled(rows: Floats, labels: Ints, centroids: Floats) -> Ints:
    """Give labels without empty clusters, where enough vectors lie off their centroids."""
    counts = np.bincount(labels, minlength=len(centroids))
    empty = list(np.flatnonzero(counts == 0))
    if not empty:
        return labels
    labels = labels.copy()
    distances = _own_distances(rows, labels, centroids)
    for i in np.argsort(-distances, kind="stable"):
        if not empty or distances[i] == 0.0:
            break
        if counts[labels[i]] > 1:
            counts[labels[i]] -= 1
            labels[i] = empty.pop(0)
    return labels


@njit(cache=True)
def _own_distances(rows: Floats, labels: Ints, centroids: Floats) -> Floats:
    """Give every row's squared distance to its own centroid, by differences: exact where 0."""
    distances = np.zeros(len(rows))
    for i in range(len(rows)):
        for j in range(rows.shape[1]):
            distances[i] += (rows[i, j] - centroids[labels[i], j]) ** 2
    return distances


@njit(cache=True)
def _means(rows: Floats, labels: Ints, centroids: Floats) -> Floats:
    """Give the mean of every cluster; one without members stays at its centroid."""
    counts = np.zeros(len(centroids))
    sums = np.zeros_like(centroids)
    for i in range(len(rows)):
        counts[labels[i]] += 1
        sums[labels[i]] += rows[i]
    for c in range(len(centroids)):
        sums[c] = sums[c] / counts[c] if counts[c] else centroids[c]
    return sums


def _random(rows: Floats, k: int, rng: Generator) -> Floats:
    chosen: Floats = rows[rng.choice(len(rows), k, replace=False)]
    return chosen


def _plus_plus(rows: Floats, k: int, rng: Generator) -> Floats:
    norms = np.einsum("nd,nd->n", rows, rows)
    draws = rng.random((k, 2 + int(np.log(k))))
    chosen = np.empty(k, np.int64)
    chosen[0] = min(int(draws[0, 0] * len(rows)), len(rows) - 1)
    nearest = _distances(rows, norms, chosen[:1])[:, 0]
    for step in range(1, k):
        cumulative = np.cumsum(nearest)
        places = np.searchsorted(cumulative, draws[step] * cumulative[-1], side="right")
        candidates = np.minimum(places, len(rows) - 1)
        closer = np.minimum(nearest[:, None], _distances(rows, norms, candidates))
        best = int(np.argmin(closer.sum(axis=0)))
        chosen[step], nearest = candidates[best], closer[:, best]
    return rows[chosen]


def _distances(rows: Floats, norms: Floats, chosen: Ints) -> Floats:
    """Give the squared distances of all rows to a few of them, shape (n, chosen)."""
    squares = norms[:, None] + norms[chosen] - 2.0 * rows @ rows[chosen].T
    squares[chosen, np.arange(len(chosen))] = 0.0
    return np.maximum(squares, 0.0)


_SEEDINGS: dict[str, Callable[[Floats, int, Generator], Floats]] = {
    "kmeans++": _plus_plus,
    "random": _random,
}
