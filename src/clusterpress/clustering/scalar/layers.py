"""Optimal intervals of ascending scalars for every number of clusters up to a largest.

One dynamic programme, D(k, i) = min_j D(k-1, j) + SSE(j..i). The best start j of the last cluster
never falls where i rises, nor where k rises (Grønlund et al. 2017, "Fast exact k-means, k-medians
and Bregman divergence clustering in 1D"). With few clusters, ends are taken by divide and conquer
in O(d log d) a layer; with many, the starts of k - 1 and of k clusters lie so close, about d / k**2
apart, that a sweep between them is O(d).
"""

import numpy as np
from numba import njit

from clusterpress.clustering.clusters import Floats, Ints
from clusterpress.clustering.scalar.points import spread

_NEAR = 128


@njit(cache=True, nogil=True)
def layers(prefix: Floats, k_max: int) -> Floats:
    """Give the error of 1, …, k_max clusters of all d scalars, in normal units; memory O(d).

    Args:
        prefix: Prefix sums, shape (d + 1, 3).
        k_max: Largest number of clusters, at most d.
    """
    size = len(prefix) - 1
    before, now = np.zeros(size + 1), np.zeros(size + 1)
    earlier, starts = np.zeros(size + 1, np.int64), np.zeros(size + 1, np.int64)
    for end in range(1, size + 1):
        before[end] = spread(prefix, 0, end)
    curve = np.zeros(k_max)
    curve[0] = before[size]
    for k in range(2, k_max + 1):
        if size > _NEAR * k * k:
            _divide(prefix, before, now, earlier, starts)
        else:
            _sweep(prefix, before, now, earlier, starts)
        before, now = now, before
        earlier, starts = starts, earlier
        curve[k - 1] = before[size]
    return curve


@njit(cache=True, nogil=True)
def _divide(prefix: Floats, before: Floats, now: Floats, earlier: Ints, starts: Ints) -> None:
    """Fill ``now`` and ``starts`` from the middle outwards: odd multiples of halving strides."""
    size = now.size - 1
    stride = 1
    while 2 * stride <= size:
        stride *= 2
    starts[0] = 0
    while stride > 0:
        for end in range(stride, size + 1, 2 * stride):
            low = max(earlier[end], starts[end - stride])
            high = min(starts[end + stride], end - 1) if end + stride <= size else end - 1
            now[end], starts[end] = _best(prefix, before, end, min(low, high), high)
        stride //= 2


@njit(cache=True, nogil=True)
def _sweep(prefix: Floats, before: Floats, now: Floats, earlier: Ints, starts: Ints) -> None:
    """Fill ``now`` and ``starts`` from the last end down.

    Most often four starts are enough. They are taken from the earlier layer's on, whatever the
    last end's was: a processor then need not wait for it.
    """
    high = now.size - 2
    for end in range(now.size - 1, 0, -1):
        low = earlier[end]
        if high - low < 4 and low + 4 <= end:
            now[end], high = _best_of_four(prefix, before, end, low)
        else:
            high = min(high, end - 1)
            now[end], high = _best(prefix, before, end, min(low, high), high)
        starts[end] = high


@njit(cache=True, nogil=True, inline="always")
def _best_of_four(prefix: Floats, before: Floats, end: int, low: int) -> tuple[float, int]:
    a = before[low] + spread(prefix, low, end)
    b = before[low + 1] + spread(prefix, low + 1, end)
    c = before[low + 2] + spread(prefix, low + 2, end)
    d = before[low + 3] + spread(prefix, low + 3, end)
    lower = low + (b <= a)
    upper = low + 2 + (d <= c)
    return min(a, b, c, d), upper if min(c, d) <= min(a, b) else lower


@njit(cache=True, nogil=True)
def _best(prefix: Floats, before: Floats, end: int, low: int, high: int) -> tuple[float, int]:
    """Give the least error of ``[0, end)`` with the last cluster's start in ``[low, high]``."""
    least, start = np.inf, high
    for first in range(high, low - 1, -1):
        last_cluster = spread(prefix, first, end)
        if last_cluster >= least:
            break  # It only grows from here.
        if before[first] + last_cluster < least:
            least, start = before[first] + last_cluster, first
    return least, start
