"""The least squared error of scalars for every number of clusters, in one run."""

import numpy as np
import numpy.typing as npt

from clusterpress.clustering.clusters import Floats
from clusterpress.clustering.scalar.approximate import first_bins
from clusterpress.clustering.scalar.layers import layers
from clusterpress.clustering.scalar.points import Points
from clusterpress.clustering.scalar.values import Scalars
from clusterpress.clustering.tensors import takes_tensors

CURVE_TOLERANCE = 1e-3


@takes_tensors
def optimal_curve(
    values: npt.ArrayLike,
    k_max: int,
    weights: npt.ArrayLike | None = None,
    *,
    tolerance: float = CURVE_TOLERANCE,
) -> Floats:
    """Give the least squared error of 1, 2, … k_max clusters.

    Exactly, over the d sorted distinct values, time is O(n log n + k_max d) after a few layers of
    O(d log d), and memory O(n). By histogram, d is about k_max / sqrt(tolerance) bins.

    Args:
        values: n real numbers of any shape.
        k_max: Largest number of clusters.
        weights: Positive weight of every value.
        tolerance: How fine the histogram of more than ``EXACT_UP_TO`` values is: as fine as
            ``optimal`` takes first for this largest gap at k_max clusters. With fewer clusters
            the loss shrinks about with k**2. 0 for the exact curve.

    Returns:
        Errors, float64, shape (k_max,), never rising. By histogram they are those of clusterings
        that exist, so never below the optimum up to rounding, but no gap is certified:
        ``optimal_centers`` does that for one k. Exactly, they are 0 from the number of distinct
        values on.

    Raises:
        ConfigError: ``k_max`` is below 1 or above n, or ``tolerance`` is not in [0, 1).
        DataError: A value is not finite, or a weight is not positive.
    """
    scalars = Scalars.of(values, k_max, weights, tolerance)
    if tolerance == 0.0 or not scalars.countable(first_bins(k_max, tolerance)):
        return _curve(scalars.sorted().points, k_max)
    histogram = scalars.histogram(first_bins(k_max, tolerance))
    between = _curve(histogram.contracted(), k_max)
    errors: Floats = (between + histogram.spread) / histogram.bins.cells_per_unit**2
    return errors


def _curve(points: Points, k_max: int) -> Floats:
    curve = np.zeros(k_max)
    own = min(k_max, points.size - 1)
    if own:
        curve[:own] = points.frame.error(layers(points.prefix, own))
    return np.minimum.accumulate(curve)
