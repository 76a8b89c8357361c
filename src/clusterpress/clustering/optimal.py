"""The globally optimal clustering of scalars into k clusters, and its SSE for every k.

Optimal clusters of scalars are intervals of the sorted values, and the SSE of an interval has the
concave Monge property (Grønlund et al. 2017, "Fast exact k-means, k-medians and Bregman divergence
clustering in 1D"). Two algorithms use it:

* one k: a penalty for every cluster makes the number of clusters free, so one pass over the values
  solves it in memory O(d); the penalty that gives k clusters is searched for (Aggarwal, Schieber
  and Tokuyama 1994, "Finding a minimum-weight k-link path in graphs with the concave Monge
  property"). Its time hardly depends on k.
* every k up to a largest: a dynamic programme with divide and conquer over the monotone splits.

Both are exact up to the rounding of prefix sums, about 1e-15 of the values' total sum of squares.
"""

import numpy as np
import numpy.typing as npt
from numba import njit

from clusterpress.clustering.clusters import Clusters, Floats, Ints
from clusterpress.clustering.lloyd import descend, means
from clusterpress.clustering.seeds import density
from clusterpress.clustering.sorted_values import SortedValues, spread

_QUICK_STEPS = 8
_TOLERANCE = 1e-14


def optimal(values: npt.ArrayLike, k: int, weights: npt.ArrayLike | None = None) -> Clusters:
    """Cluster scalars with the least possible SSE.

    Args:
        values: n real numbers of any shape; taken in row-major order.
        k: Number of clusters. Where there are no more than k distinct values, they themselves are
            the centroids.
        weights: Positive weight of every value; a weight of 3 counts like 3 equal values.

    Returns:
        The optimum; where several exist, always the same one.

    Raises:
        ConfigError: ``k`` is below 1 or above n.
        DataError: A value is not finite, or a weight is not positive.
    """
    return solve(SortedValues.of(values, k, weights), k)


def solve(points: SortedValues, k: int) -> Clusters:
    """Give the optimal clustering of sorted values into k clusters."""
    if points.distinct.size <= k:
        return points.singletons()
    if k == 1:
        return points.clusters(np.array([0, points.distinct.size]))
    bounds = _search(points.prefix, k, _first_penalty(points, k))
    # Where splits differ by less than the rounding of prefix sums, Lloyd's steps still find the
    # better one; an optimum stays as it is.
    bounds = descend(points.normal, points.prefix, means(points.prefix, bounds), 300)
    return points.clusters(bounds)


def _first_penalty(points: SortedValues, k: int) -> float:
    """Guess the SSE that one cluster more saves: SSE ~ k**-2 at many clusters, so 2 SSE / k."""
    seeds = density(points.normal, points.weights, k)
    bounds = descend(points.normal, points.prefix, seeds, 300)
    return 2.0 / k * float(_total(points.prefix, bounds))


def _search(prefix: Floats, k: int, penalty: float) -> Ints:
    """Find the bounds of the k best clusters by the penalty at which k of them are best."""
    size = len(prefix) - 1
    many, few = np.arange(size + 1), np.array([0, size])
    low, high = 0.0, float(spread(prefix, 0, size))
    floor = high * np.finfo(np.float64).eps ** 2
    step = 0
    while high - low > _TOLERANCE * high and high > floor:
        if step > _QUICK_STEPS or not low < penalty < high:
            penalty = float(np.sqrt(low * high)) if low > 0.0 else high / 1024.0
        bounds: Ints = _penalised(prefix, penalty)
        count = bounds.size - 1
        if count == k:
            return bounds
        if count > k:
            low, many = penalty, bounds
        else:
            high, few = penalty, bounds
        penalty *= (count / k) ** 3
        step += 1
    return _join(few, many, k)


def _join(few: Ints, many: Ints, k: int) -> Ints:
    """Make k best clusters of fewer and of more that are best at the same penalty.

    Where one interval of ``few`` holds the one of ``many`` that is ``extra`` further on, the two
    paths may swap their tails there without a loss (Aggarwal et al. 1994); the first
    interval of ``many`` that ends no later than its partner is held by it.
    """
    extra = k - (few.size - 1)
    ends = many[extra + 1 : extra + few.size]
    i = int(np.argmax(ends <= few[1:]))
    return np.concatenate((many[: i + extra + 1], few[i + 1 :]))


@njit(cache=True)
def _total(prefix: Floats, bounds: Ints) -> float:
    total = 0.0
    for c in range(bounds.size - 1):
        total += spread(prefix, bounds[c], bounds[c + 1])
    return total


@njit(cache=True, inline="always")
def _beats(prefix: Floats, value: Floats, new: int, old: int, end: int) -> bool:
    """Whether the last cluster of ``[0, end)`` had better start at ``new`` than at ``old``."""
    return bool(value[new] + spread(prefix, new, end) < value[old] + spread(prefix, old, end))


@njit(cache=True)
def _takeover(prefix: Floats, value: Floats, new: int, old: int, start: int) -> int:
    """Give the first end after ``start`` where ``new`` beats ``old``; d + 1 where it never does.

    Searched for in growing steps: ends of neighbouring starts are near each other.
    """
    size = value.size - 1
    low, step = start, 1
    while low + step <= size and not _beats(prefix, value, new, old, low + step):
        low += step
        step *= 2
    high = min(low + step, size + 1)
    while high - low > 1:
        middle = (low + high) // 2
        if _beats(prefix, value, new, old, middle):
            high = middle
        else:
            low = middle
    return high


@njit(cache=True)
def _penalised(prefix: Floats, penalty: float) -> Ints:
    """Give the bounds of the least SSE + ``penalty`` * number of clusters.

    The queue holds the starts of a last cluster that are best for some end to come, in ascending
    order, each with the end since when it is (Galil and Park 1992).
    """
    size = len(prefix) - 1
    value = np.zeros(size + 1)
    parent = np.zeros(size + 1, np.int64)
    queue = np.zeros(size + 1, np.int64)
    since = np.ones(size + 1, np.int64)
    head, tail = 0, 1
    for end in range(1, size + 1):
        while head + 1 < tail and since[head + 1] <= end:
            head += 1
        parent[end] = queue[head]
        value[end] = value[queue[head]] + spread(prefix, queue[head], end) + penalty
        if end == size:
            break
        start = max(since[tail - 1], end + 1)
        while tail > head and _beats(prefix, value, end, queue[tail - 1], start):
            tail -= 1
            start = max(since[tail - 1], end + 1) if tail > head else end
        takes = _takeover(prefix, value, end, queue[tail - 1], start) if tail > head else end + 1
        if takes <= size:
            queue[tail] = end
            since[tail] = takes
            tail += 1
    return _path(parent)


@njit(cache=True)
def _path(parent: Ints) -> Ints:
    """Follow the starts of last clusters from the end back to 0."""
    count, node = 0, parent.size - 1
    while node > 0:
        node = parent[node]
        count += 1
    bounds = np.zeros(count + 1, np.int64)
    node = parent.size - 1
    for i in range(count, -1, -1):
        bounds[i] = node
        node = parent[node]
    return bounds
