"""Scalars made ready to cluster: checked, sorted, distinct, weighted, with prefix sums."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from clusterpress.clustering.checks import check_clusters, finite
from clusterpress.clustering.clusters import Clusters, Floats, Ints, label_type
from clusterpress.errors import DataError


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

    def sse(self, normal_sse: Floats) -> Floats:
        """Bring an SSE back into the values' units."""
        return np.ldexp(normal_sse, 2 * (self.exponent + self.zoom))


def _exponent(values: Floats) -> int:
    return int(np.frexp(np.abs(values).max())[1])


@dataclass(frozen=True)
class SortedValues:
    """Distinct values in ascending order, weighted by how often they occur.

    A cluster of scalars is an interval of them, so k clusters are k + 1 ascending ``bounds``:
    cluster c is ``distinct[bounds[c]:bounds[c + 1]]``.

    Attributes:
        given: The values as they were given, flat, shape (n,).
        distinct: Distinct values, ascending, shape (d,).
        weights: Total weight of each distinct value, shape (d,).
        frame: The normal units of these values.
        normal: The distinct values in normal units, shape (d,).
        prefix: Sums of weight, weight * normal and weight * normal**2 before each distinct value,
            shape (d + 1, 3).
    """

    given: npt.NDArray[Any]
    distinct: Floats
    weights: Floats
    frame: Frame
    normal: Floats
    prefix: Floats

    @classmethod
    def of(cls, values: npt.ArrayLike, k: int, weights: npt.ArrayLike | None = None) -> Self:
        """Check, sort and sum up ``values`` for k clusters.

        Raises:
            ConfigError: ``k`` is below 1 or above the number of values.
            DataError: A value is not finite, or a weight is not positive and finite.
        """
        given = finite(values, "values to cluster").ravel()
        check_clusters(k, given.size)
        distinct, total = _distinct(given, weights)
        frame = Frame.around(distinct, total)
        normal = frame.normal(distinct)
        return cls(given, distinct, total, frame, normal, _prefix_sums(normal, total))

    def clusters(self, bounds: Ints) -> Clusters:
        """Give the clustering with these ``bounds``, its centroids and SSE from the raw values."""
        centroids, sse = _centroids(self.distinct, self.weights, bounds)
        starts = self.distinct[bounds[1:-1]]
        labels = np.searchsorted(starts, self.given, side="right")
        return Clusters(centroids, labels.astype(label_type(centroids.size)), float(sse))

    def singletons(self) -> Clusters:
        """Give every distinct value a cluster of its own."""
        return self.clusters(np.arange(self.distinct.size + 1))


def _distinct(given: npt.NDArray[Any], weights: npt.ArrayLike | None) -> tuple[Floats, Floats]:
    """Give the distinct values in ascending order and the total weight of each."""
    if weights is None:
        ordered = np.sort(given)
        starts = _run_starts(ordered)
        total = np.diff(starts, append=ordered.size).astype(np.float64)
    else:
        checked = _checked_weights(weights, given.size)
        order = np.argsort(given, kind="stable")
        ordered = given[order]
        starts = _run_starts(ordered)
        total = np.add.reduceat(checked[order], starts)
    return ordered[starts].astype(np.float64), total


def _run_starts(ordered: npt.NDArray[Any]) -> Ints:
    return np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))


def _checked_weights(weights: npt.ArrayLike, size: int) -> Floats:
    checked = finite(weights, "weights of the values to cluster").ravel().astype(np.float64)
    if checked.size != size:
        raise DataError(f"{checked.size} weights were given for {size} values; give one per value.")
    if not (checked > 0).all():
        raise DataError(
            f"Weights of the values to cluster must be positive, but the smallest is "
            f"{checked.min()}; leave out the values that should not count."
        )
    return checked


@njit(cache=True)
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


@njit(cache=True)
def _centroids(distinct: Floats, weights: Floats, bounds: Ints) -> tuple[Floats, float]:
    """Give each interval's mean, measured from its first value, and the SSE around the means."""
    centroids = np.empty(bounds.size - 1)
    sse = 0.0
    for c in range(centroids.size):
        first, last = bounds[c], bounds[c + 1]
        origin = distinct[first]
        weight = 0.0
        moment = 0.0
        for i in range(first, last):
            weight += weights[i]
            moment += weights[i] * (distinct[i] - origin)
        centre = min(origin + moment / weight, distinct[last - 1])
        for i in range(first, last):
            sse += weights[i] * (distinct[i] - centre) ** 2
        centroids[c] = centre
    return centroids, sse


@njit(cache=True, inline="always")
def spread(prefix: Floats, first: int, last: int) -> float:
    """Give the SSE of ``distinct[first:last]`` around its mean, in normal units."""
    weight = prefix[last, 0] - prefix[first, 0]
    moment = prefix[last, 1] - prefix[first, 1]
    square = prefix[last, 2] - prefix[first, 2]
    return float(max(square - moment * moment / weight, 0.0))
