"""The SSE of the optimal clustering for every number of clusters, in one run."""

import numpy as np
import numpy.typing as npt
from numba import njit

from clusterpress.clustering.clusters import Floats, Ints
from clusterpress.clustering.sorted_values import SortedValues, spread


def optimal_curve(
    values: npt.ArrayLike, k_max: int, weights: npt.ArrayLike | None = None
) -> Floats:
    """Give the least possible SSE of 1, 2, … k_max clusters.

    One dynamic programme over the sorted distinct values, D(k, i) = min_j D(k-1, j) + SSE(j..i),
    with divide and conquer over the monotone splits (Grønlund et al. 2017): time
    O(k_max d log d), memory O(d).

    Args:
        values: n real numbers of any shape.
        k_max: Largest number of clusters.
        weights: Positive weight of every value.

    Returns:
        SSE of the optimum, float64, shape (k_max,), never rising, 0 from the number of distinct
        values on.

    Raises:
        ConfigError: ``k_max`` is below 1 or above n.
        DataError: A value is not finite, or a weight is not positive.
    """
    points = SortedValues.of(values, k_max, weights)
    curve = np.zeros(k_max)
    layers = min(k_max, points.distinct.size - 1)
    if layers:
        curve[:layers] = points.frame.sse(_layers(points.prefix, layers))
    return np.minimum.accumulate(curve)


@njit(cache=True)
def _layers(prefix: Floats, k_max: int) -> Floats:
    size = len(prefix) - 1
    before = np.zeros(size + 1)
    for end in range(1, size + 1):
        before[end] = spread(prefix, 0, end)
    now = np.zeros(size + 1)
    split = np.zeros(size + 1, np.int64)
    curve = np.zeros(k_max)
    curve[0] = before[size]
    for k in range(2, k_max):
        _layer(prefix, before, now, split)
        before, now = now, before
        curve[k - 1] = before[size]
    if k_max > 1:
        curve[-1], _ = _best(prefix, before, size, split[size], size - 1)
    return curve


@njit(cache=True)
def _layer(prefix: Floats, before: Floats, now: Floats, split: Ints) -> None:
    """Fill ``now`` with the SSE of one more cluster than ``before`` of every ``[0, end)``.

    ``split`` holds the starts of the last cluster: those of ``before`` on entry, of ``now`` on
    return.
    An end's start lies between those of any ends beside it, so ends are taken from the middle
    outwards: all odd multiples of a stride, then of half of it. It is also no earlier than with
    one cluster fewer.
    """
    size = now.size - 1
    stride = 1
    while 2 * stride <= size:
        stride *= 2
    while stride > 0:
        for end in range(stride, size + 1, 2 * stride):
            low = max(split[end], split[end - stride])
            high = min(split[end + stride], end - 1) if end + stride <= size else end - 1
            now[end], split[end] = _best(prefix, before, end, min(low, high), high)
        stride //= 2


@njit(cache=True)
def _best(prefix: Floats, before: Floats, end: int, low: int, high: int) -> tuple[float, int]:
    """Give the least SSE of ``[0, end)`` with the last cluster's start in ``[low, high]``."""
    least, start = np.inf, high
    for first in range(high, low - 1, -1):
        last_cluster = spread(prefix, first, end)
        if last_cluster >= least:
            break  # It only grows from here.
        if before[first] + last_cluster < least:
            least, start = before[first] + last_cluster, first
    return least, start
