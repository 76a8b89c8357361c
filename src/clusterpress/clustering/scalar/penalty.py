"""The k best intervals of ascending scalars, by the penalty at which k of them are best.

The squared error of an interval has the concave Monge property, so a penalty for every cluster
makes the number of clusters free: one pass over the d scalars solves that in memory O(d), and the
penalty that gives k clusters is searched for (Aggarwal, Schieber and Tokuyama 1994, "Finding a
minimum-weight k-link path in graphs with the concave Monge property"). The time hardly depends on
k: a pass is O(d log d) at worst, and about ten passes are made. The result is exact up to the
rounding of prefix sums, about 1e-15 of the scalars' total sum of squares.
"""

import numpy as np
from numba import njit

from clusterpress.clustering.clusters import Floats, Ints
from clusterpress.clustering.scalar.lloyd import descend, means
from clusterpress.clustering.scalar.points import Points, spread, total_error

_QUICK_STEPS = 8
_GUESS_ITERATIONS = 20
_TOLERANCE = 1e-14


def best_bounds(points: Points, k: int, penalty: float | None = None) -> tuple[Ints, float]:
    """Give the bounds of the k best clusters, and the penalty in normal units that led to them.

    Args:
        points: The scalars.
        k: Number of clusters, at most the number of scalars.
        penalty: A guess of the penalty, from points like these.
    """
    if k in (1, points.size):
        bounds = np.arange(points.size + 1) if k > 1 else np.array([0, points.size])
        return bounds, 0.0 if k > 1 else np.inf
    bounds, penalty = _search(points.prefix, k, penalty or _first_penalty(points, k))
    # Where splits differ by less than the rounding of prefix sums, Lloyd's steps still find the
    # better one; an optimum stays as it is.
    return descend(points.normal, points.prefix, means(points.prefix, bounds), 300), penalty


def _first_penalty(points: Points, k: int) -> float:
    """Guess what one cluster more saves: the error goes with k**-2, so 2 / k of it.

    The error is guessed by Lloyd's iterations from seeds as dense as the cube root of the points
    (Panter and Dite 1951), which is how the optimal centres lie where there are many.
    """
    gaps = np.gradient(points.normal)
    cumulative = np.cumsum(np.cbrt(points.weights * gaps**2))
    steps = (np.arange(k) + 0.5) / k * cumulative[-1]
    seeds = points.normal[np.searchsorted(cumulative, steps)]
    bounds = descend(points.normal, points.prefix, seeds, _GUESS_ITERATIONS)
    return 2.0 / k * float(total_error(points.prefix, bounds))


def _search(prefix: Floats, k: int, penalty: float) -> tuple[Ints, float]:
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
            return bounds, penalty
        if count > k:
            low, many = penalty, bounds
        else:
            high, few = penalty, bounds
        penalty *= (count / k) ** 3
        step += 1
    return _join(few, many, k), high


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


@njit(cache=True, nogil=True, inline="always")
def _beats(prefix: Floats, value: Floats, new: int, old: int, end: int) -> bool:
    """Whether the last cluster of ``[0, end)`` had better start at ``new`` than at ``old``."""
    return bool(value[new] + spread(prefix, new, end) < value[old] + spread(prefix, old, end))


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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
    return path(parent)


@njit(cache=True, nogil=True)
def path(parent: Ints) -> Ints:
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
