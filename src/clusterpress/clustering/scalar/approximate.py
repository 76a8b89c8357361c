"""Clusters of scalars from a histogram, with a certificate of how far from the optimum they are.

Let ``phi(x)`` be the least of ``c**2 - 2 c x`` over the centres c: the squared error of values x is
the sum of ``x**2 + phi(x)``, and phi is concave, whatever the centres. So by Jensen's inequality
the error of no centres shrinks by more than a known amount where the values of a bin are moved to
its two edges with their mean kept, and it does not grow by more than a known amount where they are
moved to their mean. Both moved sets are small and are clustered optimally; their errors bracket
the least error of the values themselves. With b bins the bracket is about 4 (k / b)**2 wide,
relative to the error.
"""

import numpy as np

from clusterpress.clustering.clusters import OptimalCenters
from clusterpress.clustering.scalar.histogram import Histogram
from clusterpress.clustering.scalar.penalty import best_bounds
from clusterpress.clustering.scalar.values import Scalars

_BINS = 1.4  # Times k / sqrt(tolerance): enough for smooth densities.
_GROWTH = 1.3
_MOST_GROWTH = 16


def first_bins(k: int, tolerance: float) -> float:
    """Give how many bins reach a relative gap of ``tolerance`` where the density is smooth."""
    return float(_BINS * k / np.sqrt(tolerance))


def approximate(
    scalars: Scalars, k: int, tolerance: float
) -> tuple[OptimalCenters, Histogram] | None:
    """Cluster by histograms to a gap of at most ``tolerance`` times the error.

    Gives the last histogram too, or None where the tolerance is 0 or sorting the values is better.
    """
    bins = first_bins(k, tolerance) if tolerance else np.inf
    while scalars.countable(bins):
        histogram = scalars.histogram(bins)
        found = bracketed(histogram, k)
        allowed = tolerance * found.error
        if found.gap <= allowed:
            return found, histogram
        growth = np.sqrt(found.gap / allowed) if allowed > 0.0 else np.inf
        bins *= min(_GROWTH * growth, _MOST_GROWTH)
    return None


def bracketed(histogram: Histogram, k: int) -> OptimalCenters:
    """Cluster the contracted bins; the stretched ones tell how much less the error could be."""
    contracted = histogram.contracted()
    bounds, penalty = best_bounds(contracted, min(k, contracted.size))
    centers, between = contracted.centers(bounds)
    within = histogram.spread
    stretched = histogram.stretched(contracted.frame)
    bounds, _ = best_bounds(stretched, min(k, stretched.size), penalty)
    apart = stretched.error(bounds)
    least = max(apart + within - histogram.stretch(), 0.0)
    # That was of ticks. Values lie off them, and distances obey the triangle inequality.
    off = np.sqrt(histogram.rounding)
    least = max(np.sqrt(least) - off, 0.0) ** 2
    error = (np.sqrt(between + within) + off) ** 2
    unit = histogram.bins.cells_per_unit**-2.0
    gap = max(error - least, 0.0)
    return OptimalCenters(histogram.bins.values(centers), float(error * unit), float(gap * unit))
