"""The optimal clustering of scalars into k clusters: exact, or with a certificate.

Optimal clusters of scalars are intervals of the sorted values. Up to ``EXACT_UP_TO`` values, or
with a tolerance of 0, the values are sorted and the optimum is found exactly (``penalty``). More
values are counted in a histogram, unsorted, whose bins are as fine as the tolerance asks for
(``approximate``); the clustering comes with an upper bound of what it loses to the optimum.
"""

import numpy.typing as npt

from clusterpress.clustering.clusters import OptimalCenters, OptimalClusters
from clusterpress.clustering.scalar.approximate import approximate
from clusterpress.clustering.scalar.assign import labelled
from clusterpress.clustering.scalar.penalty import best_bounds
from clusterpress.clustering.scalar.values import Scalars
from clusterpress.clustering.tensors import takes_tensors

TOLERANCE = 1e-5


@takes_tensors
def optimal(
    values: npt.ArrayLike,
    k: int,
    weights: npt.ArrayLike | None = None,
    *,
    tolerance: float = TOLERANCE,
) -> OptimalClusters:
    """Cluster scalars with the least possible squared error.

    Exactly, time is O(n log n) and memory O(n), hardly depending on k. By histogram, time is
    O(n + b log b) with b about k / sqrt(tolerance) bins, and memory beyond labels is O(b).

    Args:
        values: n real numbers of any shape, taken in row-major order; float16 and bfloat16 too.
        k: Number of clusters. Where there are no more than k distinct values, they themselves are
            the centres.
        weights: Positive weight of every value; a weight of 3 counts like 3 equal values.
        tolerance: Largest ``gap`` relative to the error, for more than ``EXACT_UP_TO`` values; 0
            for the exact optimum of any number. Values for which that takes more bins than a
            quarter of their number (few distinct ones, or outliers at a million times the
            spread of the rest) are sorted.

    Returns:
        The clustering; where several are optimal, always the same one. Exactly, ``gap`` is what
        the rounding of float64 sums allows: about 1e-15 of the values' total squared distance to
        their mean, which matters where they lie apart by more than a million times their spread.
        By histogram, ``labels`` are those of the nearest centre, ``centers`` the means up to the
        width of a bin, and the order of the values may choose other bins, within the gap.

    Raises:
        ConfigError: ``k`` is below 1 or above n, or ``tolerance`` is not in [0, 1).
        DataError: A value is not finite, or a weight is not positive.
    """
    scalars = Scalars.of(values, k, weights, tolerance)
    near = approximate(scalars, k, tolerance)
    if near is None:
        ordered = scalars.sorted()
        exact = ordered.clusters(best_bounds(ordered.points, min(k, ordered.points.size))[0])
        rounding = ordered.points.rounding(exact.error)
        return OptimalClusters(exact.centers, exact.labels, exact.error, rounding)
    found, _ = near
    labels, error = labelled(scalars.values, found.centers, scalars.weights)
    least = found.error - found.gap
    return OptimalClusters(found.centers, labels, error, max(error - least, 0.0))


@takes_tensors
def optimal_centers(
    values: npt.ArrayLike,
    k: int,
    weights: npt.ArrayLike | None = None,
    *,
    tolerance: float = TOLERANCE,
) -> OptimalCenters:
    """Give the centres of ``optimal`` without labels: one pass over values that are not sorted.

    Arguments, complexity and errors are those of ``optimal``; memory by histogram is O(b).
    """
    scalars = Scalars.of(values, k, weights, tolerance)
    near = approximate(scalars, k, tolerance)
    if near is not None:
        return near[0]
    points = scalars.sorted().points
    centers, error = points.centers(best_bounds(points, min(k, points.size))[0])
    return OptimalCenters(centers, error, points.rounding(error))
