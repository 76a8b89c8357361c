"""Lloyd's k-means on scalars: sorted values, intervals and prefix sums, never an n x k matrix."""

import numpy as np
import numpy.typing as npt
from numba import njit

from clusterpress.clustering.checks import finite
from clusterpress.clustering.clusters import Clusters, Floats, Ints
from clusterpress.clustering.scalar.sorted_values import SortedValues
from clusterpress.clustering.tensors import takes_tensors
from clusterpress.errors import ConfigError


@takes_tensors
def lloyd(
    values: npt.ArrayLike,
    seeds: npt.ArrayLike,
    *,
    max_iterations: int = 300,
    weights: npt.ArrayLike | None = None,
) -> Clusters:
    """Cluster scalars by Lloyd's iterations from given seeds until no label changes.

    A value halfway between two centroids goes to the lower. An empty cluster moves onto the value
    that is farthest from its own centroid (several: onto the farthest, the second farthest, …
    of the clusters' outermost values); one that is still empty at the end is dropped.

    Args:
        values: n real numbers of any shape; taken in row-major order.
        seeds: First centroids, in any order, shape (k,). Where there are no more than k distinct
            values, they themselves are the centroids.
        max_iterations: Most iterations.
        weights: Positive weight of every value; a weight of 3 counts like 3 equal values.

    Raises:
        ConfigError: There are no seeds, more seeds than values, or no iterations.
        DataError: A value or seed is not finite, or a weight is not positive.
    """
    if max_iterations < 1:
        raise ConfigError(f"max_iterations must be at least 1, but it is {max_iterations}.")
    first = np.sort(finite(seeds, "seeds of the clusters").ravel().astype(np.float64))
    return converge(SortedValues.of(values, first.size, weights), first, max_iterations)


def converge(values: SortedValues, seeds: Floats, max_iterations: int = 300) -> Clusters:
    """Run Lloyd's iterations on sorted values from ascending seeds."""
    points = values.points
    if points.size <= seeds.size:
        return values.singletons()
    normal_seeds = points.frame.normal(seeds)
    return values.clusters(descend(points.normal, points.prefix, normal_seeds, max_iterations))


@njit(cache=True, nogil=True)
def descend(normal: Floats, prefix: Floats, seeds: Floats, max_iterations: int) -> Ints:
    """Give the bounds that Lloyd's iterations end at; all in normal units, ``seeds`` ascending."""
    centroids = seeds.copy()
    bounds = _nearest(normal, centroids)
    for _ in range(max_iterations):
        _move(normal, prefix, bounds, centroids)
        moved = _nearest(normal, centroids)
        if np.array_equal(moved, bounds):
            break
        bounds = moved
    return np.unique(bounds)


@njit(cache=True, nogil=True)
def means(prefix: Floats, bounds: Ints) -> Floats:
    """Give the mean of every interval, none of them empty, in normal units."""
    sums = prefix[bounds[1:]] - prefix[bounds[:-1]]
    return sums[:, 1] / sums[:, 0]


@njit(cache=True, nogil=True)
def _nearest(normal: Floats, centroids: Floats) -> Ints:
    """Give the bounds of the values nearest to each of the ascending centroids."""
    bounds = np.zeros(centroids.size + 1, np.int64)
    middles = 0.5 * (centroids[1:] + centroids[:-1])
    bounds[1:-1] = np.searchsorted(normal, middles, side="right")
    bounds[-1] = normal.size
    return bounds


@njit(cache=True, nogil=True)
def _move(normal: Floats, prefix: Floats, bounds: Ints, centroids: Floats) -> None:
    """Move each centroid to its values' mean, and those without values to the farthest values."""
    empty = bounds[1:] == bounds[:-1]
    for c in np.flatnonzero(~empty):
        first, last = bounds[c], bounds[c + 1]
        weight = prefix[last, 0] - prefix[first, 0]
        mean = (prefix[last, 1] - prefix[first, 1]) / weight
        centroids[c] = min(max(mean, normal[first]), normal[last - 1])
    if empty.any():
        _refill(normal, bounds, centroids, np.flatnonzero(empty), np.flatnonzero(~empty))
        centroids.sort()


@njit(cache=True, nogil=True)
def _refill(normal: Floats, bounds: Ints, centroids: Floats, empty: Ints, full: Ints) -> None:
    """Move empty clusters onto outermost values of others: the farthest is always one of them."""
    outermost = np.concatenate((bounds[full], bounds[full + 1] - 1))
    distances = np.abs(normal[outermost] - np.concatenate((centroids[full], centroids[full])))
    farthest = np.argsort(-distances, kind="mergesort")
    for i, edge in enumerate(farthest[: empty.size]):
        if distances[edge] > 0.0:
            centroids[empty[i]] = normal[outermost[edge]]
