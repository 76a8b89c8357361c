"""The least squared error of scalars for every number of clusters, in one run."""

import numpy as np
import numpy.typing as npt

from clusterpress.clustering.clusters import Floats
from clusterpress.clustering.scalar.approximate import approximate
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
        tolerance: Largest gap at k_max clusters, relative to the error, for more than
            ``EXACT_UP_TO`` values. With fewer clusters it shrinks about with k**2. 0 for the
            exact curve; values that ``optimal`` would sort are sorted here too.

    Returns:
        Errors, float64, shape (k_max,), never rising. By histogram they are those of clusterings
        that exist, so never below the optimum up to rounding; the gap is certified at k_max
        alone, and ``optimal_centers`` certifies another k. Exactly, they are 0 from the number of
        distinct values on.

    Raises:
        ConfigError: ``k_max`` is below 1 or above n, or ``tolerance`` is not in [0, 1).
        DataError: A value is not finite, or a weight is not positive.
    """
    scalars = Scalars.of(values, k_max, weights, tolerance)
    near = approximate(scalars, k_max, tolerance)
    if near is None:
        return _curve(scalars.sorted().points, k_max)
    _, histogram = near
    ticks = np.sqrt(_curve(histogram.contracted(), k_max) + histogram.spread)
    between = (ticks + np.sqrt(histogram.rounding)) ** 2
    errors: Floats = between / histogram.bins.cells_per_unit**2
    return errors


def _curve(points: Points, k_max: int) -> Floats:
    curve = np.zeros(k_max)
    own = min(k_max, points.size - 1)
    if own:
        curve[:own] = points.frame.error(layers(points.prefix, own))
    return np.minimum.accumulate(curve)
