"""Ascending weighted points with prefix sums: what every clusterer of scalars works on."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numba import njit

from clusterpress.clustering.clusters import Floats, Ints

_SUMS = 8  # Rounded terms of a difference of two clusterings' errors.


@dataclass(frozen=True)
class Frame:
    """Normal units: shifted to the values' mean and scaled by powers of two into [-2, 2].

    Prefix sums in these units cancel as little as they can, wherever the values lie.
    """

    exponent: int
    mean: float
    zoom: int

    @classmethod
    def around(cls, distinct: Floats, weights: Floats) -> Self:
        """Fit the units to weighted values."""
        exponent = _exponent(distinct)
        scaled = np.ldexp(distinct, -exponent)
        mean = float(np.average(scaled, weights=weights))
        return cls(exponent, mean, _exponent(scaled - mean))

    def normal(self, values: Floats) -> Floats:
        """Bring values into normal units."""
        return np.ldexp(np.ldexp(values, -self.exponent) - self.mean, -self.zoom)

    def error(self, normal_error: Floats) -> Floats:
        """Bring a squared error back into the values' units."""
        return np.ldexp(normal_error, 2 * (self.exponent + self.zoom))


def _exponent(values: Floats) -> int:
    return int(np.frexp(np.abs(values).max())[1])


@dataclass(frozen=True)
class Points:
    """Weighted scalars in ascending order, all of them different.

    A cluster of scalars is an interval of them, so k clusters are k + 1 ascending ``bounds``:
    cluster c is ``distinct[bounds[c]:bounds[c + 1]]``.

    Attributes:
        distinct: The scalars, ascending, shape (d,).
        weights: Weight of each, positive, shape (d,).
        frame: The normal units of these scalars.
        normal: The scalars in normal units, shape (d,).
        prefix: Sums of weight, weight * normal and weight * normal**2 before each scalar, shape
            (d + 1, 3).
    """

    distinct: Floats
    weights: Floats
    frame: Frame
    normal: Floats
    prefix: Floats

    @classmethod
    def of(cls, distinct: Floats, weights: Floats, frame: Frame | None = None) -> Self:
        """Sum up ascending scalars."""
        frame = frame or Frame.around(distinct, weights)
        normal = frame.normal(distinct)
        return cls(distinct, weights, frame, normal, _prefix_sums(normal, weights))

    @property
    def size(self) -> int:
        """Number of different scalars."""
        return int(self.distinct.size)

    def error(self, bounds: Ints) -> float:
        """Give the squared error of the intervals around their means, from prefix sums."""
        return float(self.frame.error(np.array([total_error(self.prefix, bounds)]))[0])

    def rounding(self, error: float) -> float:
        """Give how far prefix sums can make ``error`` miss the optimum: no more than all of it."""
        whole = self.error(np.array([0, self.size]))
        return min(error, _SUMS * float(np.finfo(np.float64).eps) * whole)

    def centers(self, bounds: Ints) -> tuple[Floats, float]:
        """Give each interval's mean and the squared error around the means."""
        centers, error = _centers(self.distinct, self.weights, bounds)
        return centers, float(error)


@njit(cache=True, nogil=True)
def _prefix_sums(normal: Floats, weights: Floats) -> Floats:
    """Sum with compensation (Neumaier 1974): the error does not grow with the number of values."""
    prefix = np.zeros((normal.size + 1, 3))
    total = np.zeros(3)
    lost = np.zeros(3)
    for i in range(normal.size):
        term = weights[i]
        for moment in range(3):
            summed = total[moment] + term
            if abs(total[moment]) >= abs(term):
                lost[moment] += (total[moment] - summed) + term
            else:
                lost[moment] += (term - summed) + total[moment]
            total[moment] = summed
            prefix[i + 1, moment] = summed + lost[moment]
            term *= normal[i]
    return prefix


@njit(cache=True, nogil=True)
def _centers(distinct: Floats, weights: Floats, bounds: Ints) -> tuple[Floats, float]:
    """Measure each mean from the interval's first scalar, and the error around the means."""
    centers = np.empty(bounds.size - 1)
    error = 0.0
    for c in range(centers.size):
        first, last = bounds[c], bounds[c + 1]
        origin = distinct[first]
        weight = 0.0
        moment = 0.0
        for i in range(first, last):
            weight += weights[i]
            moment += weights[i] * (distinct[i] - origin)
        center = min(origin + moment / weight, distinct[last - 1])
        for i in range(first, last):
            error += weights[i] * (distinct[i] - center) ** 2
        centers[c] = center
    return centers, error


@njit(cache=True, nogil=True, inline="always")
def spread(prefix: Floats, first: int, last: int) -> float:
    """Give the squared error of ``distinct[first:last]`` around its mean, in normal units."""
    weight = prefix[last, 0] - prefix[first, 0]
    moment = prefix[last, 1] - prefix[first, 1]
    square = prefix[last, 2] - prefix[first, 2]
    return float(max(square - moment * moment / weight, 0.0))


@njit(cache=True, nogil=True)
def total_error(prefix: Floats, bounds: Ints) -> float:
    """Give the squared error of the intervals around their means, in normal units."""
    total = 0.0
    for c in range(bounds.size - 1):
        total += spread(prefix, bounds[c], bounds[c + 1])
    return total
