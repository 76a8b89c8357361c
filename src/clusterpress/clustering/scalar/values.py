"""Scalars as a caller gives them, checked, with the two ways to count them."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from clusterpress.clustering.checks import (
    check_clusters,
    check_tolerance,
    finite_between,
    positive_weights,
)
from clusterpress.clustering.clusters import Floats
from clusterpress.clustering.scalar.bins import CELLS, Bins
from clusterpress.clustering.scalar.histogram import Histogram
from clusterpress.clustering.scalar.sorted_values import SortedValues

EXACT_UP_TO = 2**19
_WORTH = 4  # Values a bin, below which sorting them is no slower.


@dataclass(frozen=True)
class Scalars:
    """Finite values, flat, shape (n,), the least and the largest of them, and their weights."""

    values: npt.NDArray[Any]
    low: float
    high: float
    weights: Floats | None

    @classmethod
    def of(
        cls, values: npt.ArrayLike, k: int, weights: npt.ArrayLike | None, tolerance: float
    ) -> Self:
        """Check everything that the clusterers of scalars take.

        Raises:
            ConfigError: ``k`` is below 1 or above n, or ``tolerance`` is not in [0, 1).
            DataError: A value is not finite, or a weight is not positive and finite.
        """
        array, low, high = finite_between(values, "values to cluster")
        check_clusters(k, array.size)
        check_tolerance(tolerance)
        checked = None if weights is None else positive_weights(weights, array.size)
        return cls(array.ravel(), low, high, checked)

    def sorted(self) -> SortedValues:
        """Sort them: exact, O(n log n)."""
        return SortedValues.from_finite(self.values, self.weights)

    def countable(self, bins: float) -> bool:
        """Whether a histogram of so many bins is possible and worth it."""
        reach = self.high - self.low
        with np.errstate(all="ignore"):
            usable = 0.0 < reach < np.inf and np.isfinite(CELLS / np.float64(reach))
        return bool(usable) and self.values.size > max(EXACT_UP_TO, bins * _WORTH)

    def histogram(self, bins: float) -> Histogram:
        """Count them in about so many bins: O(n), unsorted."""
        return Histogram.of(
            self.values, Bins.over(self.values, self.low, self.high, int(bins)), self.weights
        )
