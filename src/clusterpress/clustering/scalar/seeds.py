"""First centroids for Lloyd's iterations on scalars (Han et al. 2016, section 3.2; k-means++)."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from numba import njit
from numpy.random import Generator

from clusterpress.clustering.checks import check_choice
from clusterpress.clustering.clusters import Floats, Ints
from clusterpress.clustering.scalar.points import Points
from clusterpress.clustering.scalar.sorted_values import SortedValues
from clusterpress.clustering.tensors import takes_tensors


@takes_tensors
def seed(values: npt.ArrayLike, k: int, *, init: str, rng: Generator) -> Floats:
    """Draw first centroids.

    Args:
        values: n real numbers of any shape; their order does not matter.
        k: Number of centroids.
        init: ``random``: k distinct values, each drawn as often as it occurs (Forgy).
            ``density``: equal steps of the cumulative distribution, at its (i + 1/2) / k.
            ``linear``: equal steps from the smallest to the largest value (k = 1: their middle).
            ``kmeans++``: greedy D^2 sampling, the best of 2 + ln k draws at every step (Arthur
            and Vassilvitskii 2007).
        rng: Source of the random draws.

    Returns:
        Seeds, float64, ascending, shape (k,); the distinct values where there are no more than k.

    Raises:
        ConfigError: ``init`` is unknown, or ``k`` is below 1 or above n.
        DataError: A value is not finite.
    """
    check_choice("init", init, SEEDINGS)
    return draw(SortedValues.of(values, k).points, k, init, rng)


def draw(points: Points, k: int, init: str, rng: Generator) -> Floats:
    """Draw first centroids from ascending values."""
    if points.size <= k:
        return points.distinct
    return np.sort(SEEDINGS[init](points, k, rng))


def _random(points: Points, k: int, rng: Generator) -> Floats:
    chances = points.weights / points.weights.sum()
    chosen: Floats = rng.choice(points.distinct, k, replace=False, p=chances)
    return chosen


def _density(points: Points, k: int, _rng: Generator) -> Floats:
    return density(points.distinct, points.weights, k)


def density(values: Floats, weights: Floats, k: int) -> Floats:
    """Give the ascending ``values`` at k equal steps of their cumulative weight."""
    cumulative = np.cumsum(weights)
    steps = (np.arange(k) + 0.5) / k * cumulative[-1]
    chosen: Floats = values[np.searchsorted(cumulative, steps)]
    return chosen


def _linear(points: Points, k: int, _rng: Generator) -> Floats:
    smallest, largest = points.distinct[[0, -1]]
    if k == 1:
        return np.array([smallest + (largest - smallest) / 2])
    return np.linspace(smallest, largest, k)


def _plus_plus(points: Points, k: int, rng: Generator) -> Floats:
    draws = rng.random((k, 2 + int(np.log(k))))
    return points.distinct[_greedy(points.normal, points.weights, draws)]


SEEDINGS: dict[str, Callable[[Points, int, Generator], Floats]] = {
    "random": _random,
    "density": _density,
    "linear": _linear,
    "kmeans++": _plus_plus,
}


@njit(cache=True, nogil=True)
def _greedy(values: Floats, weights: Floats, draws: Floats) -> Ints:
    """Choose one of the ascending ``values`` for every row of ``draws`` in [0, 1)."""
    chosen = np.empty(len(draws), np.int64)
    chosen[0] = _drawn(np.cumsum(weights), draws[0, :1])[0]
    nearest = (values - values[chosen[0]]) ** 2
    for step in range(1, chosen.size):
        candidates = _drawn(np.cumsum(weights * nearest), draws[step])
        most = -1.0
        for candidate in candidates:
            first, last, gain = _reach(values, weights, nearest, candidate)
            if gain > most:
                most, chosen[step], begin, end = gain, candidate, first, last
        nearest[begin:end] = (values[begin:end] - values[chosen[step]]) ** 2
    return chosen


@njit(cache=True, nogil=True)
def _drawn(cumulative: Floats, draws: Floats) -> Ints:
    places = np.searchsorted(cumulative, draws * cumulative[-1], side="right")
    within: Ints = np.minimum(places, cumulative.size - 1)
    return within


@njit(cache=True, nogil=True)
def _reach(
    values: Floats, weights: Floats, nearest: Floats, candidate: int
) -> tuple[int, int, float]:
    """Give the interval that is nearer to ``candidate`` than to any seed, and the SSE it saves."""
    gain = 0.0
    first, last = candidate, candidate
    while last < values.size and (values[last] - values[candidate]) ** 2 < nearest[last]:
        gain += weights[last] * (nearest[last] - (values[last] - values[candidate]) ** 2)
        last += 1
    while first > 0 and (values[first - 1] - values[candidate]) ** 2 < nearest[first - 1]:
        first -= 1
        gain += weights[first] * (nearest[first] - (values[first] - values[candidate]) ** 2)
    return first, last, gain
