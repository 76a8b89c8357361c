"""Scalars clustered for the shortest file: squared error plus a price for every bit.

With an ideal entropy coder the labels of n scalars cost sum_c n_c log2(n / n_c) bits. The best
clusters are intervals (György and Linder 2002, "On the structure of optimal entropy-constrained
scalar quantizers"), so a dynamic programme over ascending scalars finds them (Muresan and Effros
2008, "Quantization as histogram segmentation"); the number of clusters comes out of it. The bits
of an interval lack the Monge property, so that takes O(d**2). Of many scalars, only some bounds
are tried, and the iteration of Chou, Lookabaugh and Gray (1989, "Entropy-constrained vector
quantization") goes on from there.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from numba import njit

from clusterpress.clustering.checks import check_not_negative
from clusterpress.clustering.clusters import EntropyClusters, Floats, Ints, Labels
from clusterpress.clustering.scalar.assign import labelled
from clusterpress.clustering.scalar.penalty import best_bounds, path
from clusterpress.clustering.scalar.points import Points, spread
from clusterpress.clustering.scalar.values import Scalars
from clusterpress.clustering.tensors import takes_tensors

EXACT_POINTS = 2048
_BINS = 2**16
_ITERATIONS = 100


@takes_tensors
def entropy_constrained(
    values: npt.ArrayLike,
    price: float,
    weights: npt.ArrayLike | None = None,
    *,
    center_bits: float = 0.0,
) -> EntropyClusters:
    """Cluster scalars with the least ``error + price * bits``.

    Up to ``EXACT_POINTS`` distinct ones among at most 2**19 values, this is the global optimum, in
    O(d**2). More are first grouped into that many clusters, whose unions are searched in the same
    way, and then moved one by one until no bound changes. Time is O(n log n), or O(n) for more
    than 2**19 values, which are counted in a histogram of about 2**16 bins: it does not tell
    values of a bin apart.

    Args:
        values: n real numbers of any shape, taken in row-major order.
        price: Squared error that one bit is worth, at least 0; 0 keeps every distinct value that
            the search tells apart.
        weights: Positive weight of every value; a weight of 3 counts like 3 equal values.
        center_bits: What every centre itself costs in bits, at least 0.

    Returns:
        The clustering; its ``bits`` are those of labels and centres.

    Raises:
        ConfigError: There are no values, or ``price`` or ``center_bits`` is negative.
        DataError: A value is not finite, or a weight is not positive.
    """
    check_not_negative("price", price)
    check_not_negative("center_bits", center_bits)
    scalars = Scalars.of(values, 1, weights, 0.0)
    ladder = _Ladder.of(scalars)
    bounds = _best_bounds(ladder.points, price * ladder.units_squared, center_bits)
    centers = ladder.values(ladder.points.centers(bounds)[0])
    thresholds = ladder.reach[bounds[1:-1] - 1]
    labels, error = labelled(scalars.values, centers, scalars.weights, thresholds)
    bits = _label_bits(labels, scalars.weights, centers.size) + center_bits * centers.size
    return EntropyClusters(centers, labels, error, bits)


@dataclass(frozen=True)
class _Ladder:
    """Ascending points, how far each of them reaches, and their units.

    Attributes:
        points: The distinct values, or the means of occupied bins in units of their own.
        reach: A value from which on there is no more of each point but the last.
        low: The value at place 0 of those units.
        per_unit: Units in one unit of the values.
    """

    points: Points
    reach: Floats
    low: float = 0.0
    per_unit: float = 1.0

    @classmethod
    def of(cls, scalars: Scalars) -> Self:
        if not scalars.countable(_BINS):
            points = scalars.sorted().points
            return cls(points, points.distinct[:-1])
        histogram = scalars.histogram(_BINS)
        bins = histogram.bins
        reach = bins.values((histogram.right[:-1] + histogram.left[1:]) / 2)
        return cls(histogram.contracted(), reach, bins.low, bins.cells_per_unit)

    @property
    def units_squared(self) -> float:
        return self.per_unit**2

    def values(self, places: Floats) -> Floats:
        return self.low + places / self.per_unit


def _best_bounds(points: Points, price: float, center_bits: float) -> Ints:
    groups, _ = best_bounds(points, min(points.size, EXACT_POINTS))
    unit = float(points.frame.error(np.ones(1))[0])
    normal_price = price / max(unit, float(np.finfo(np.float64).tiny))
    bounds = groups[_segmented(points.prefix[groups], normal_price, center_bits)]
    if points.size <= EXACT_POINTS:
        return bounds
    settled = _settled(points.normal, points.prefix, bounds, normal_price)
    costs = [_cost(points.prefix, each, normal_price, center_bits) for each in (bounds, settled)]
    return bounds if costs[0] <= costs[1] else settled


def _label_bits(labels: Labels, weights: Floats | None, k: int) -> float:
    counts = np.zeros(k)
    for start in range(0, labels.size, _BINS):
        part = slice(start, start + _BINS)
        counts += np.bincount(labels[part], None if weights is None else weights[part], k)
    shares = counts[counts > 0] / counts.sum()
    return float(-(counts[counts > 0] * np.log2(shares)).sum())


@njit(cache=True, nogil=True, inline="always")
def _bits(prefix: Floats, first: int, last: int) -> float:
    """Give the ideal bits of the labels in an interval."""
    weight = prefix[last, 0] - prefix[first, 0]
    return float(weight * np.log2(prefix[-1, 0] / weight))


@njit(cache=True, nogil=True)
def _cost(prefix: Floats, bounds: Ints, price: float, center_bits: float) -> float:
    cost = price * center_bits * (bounds.size - 1)
    for c in range(bounds.size - 1):
        cost += spread(prefix, bounds[c], bounds[c + 1])
        cost += price * _bits(prefix, bounds[c], bounds[c + 1])
    return cost


@njit(cache=True, nogil=True)
def _segmented(prefix: Floats, price: float, center_bits: float) -> Ints:
    """Give the bounds of the least cost, by trying every start of every last interval."""
    size = len(prefix) - 1
    value = np.zeros(size + 1)
    parent = np.zeros(size + 1, np.int64)
    for end in range(1, size + 1):
        value[end] = np.inf
        for first in range(end - 1, -1, -1):
            error = spread(prefix, first, end)
            if error >= value[end]:
                break  # It only grows from here, and bits are never negative.
            cost = value[first] + error + price * (_bits(prefix, first, end) + center_bits)
            if cost < value[end]:
                value[end], parent[end] = cost, first
    return path(parent)


@njit(cache=True, nogil=True)
def _settled(normal: Floats, prefix: Floats, bounds: Ints, price: float) -> Ints:
    """Move bounds to where both sides cost the same until none moves; clusters may vanish."""
    for _ in range(_ITERATIONS):
        sums = prefix[bounds[1:]] - prefix[bounds[:-1]]
        means = sums[:, 1] / sums[:, 0]
        rates = -np.log2(sums[:, 0] / prefix[-1, 0])
        gaps = means[1:] - means[:-1]
        even = 0.5 * (means[1:] + means[:-1]) + 0.5 * price * (rates[1:] - rates[:-1]) / gaps
        moved = bounds.copy()
        moved[1:-1] = np.searchsorted(normal, even, side="right")
        for c in range(1, moved.size):
            moved[c] = max(moved[c], moved[c - 1])
        moved = np.unique(moved)
        if np.array_equal(moved, bounds):
            break
        bounds = moved
    return bounds
