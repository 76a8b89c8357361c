"""Scalars made ready to cluster exactly: checked, sorted, distinct, weighted."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from clusterpress.clustering.checks import check_clusters, finite, positive_weights
from clusterpress.clustering.clusters import Clusters, Floats, Ints, label_type
from clusterpress.clustering.scalar.points import Points


@dataclass(frozen=True)
class SortedValues:
    """Scalars as they were given, shape (n,), and their distinct values, each with its weight."""

    given: npt.NDArray[Any]
    points: Points

    @classmethod
    def of(cls, values: npt.ArrayLike, k: int, weights: npt.ArrayLike | None = None) -> Self:
        """Check, sort and sum up ``values`` for k clusters.

        Raises:
            ConfigError: ``k`` is below 1 or above the number of values.
            DataError: A value is not finite, or a weight is not positive and finite.
        """
        given = finite(values, "values to cluster").ravel()
        check_clusters(k, given.size)
        checked = None if weights is None else positive_weights(weights, given.size)
        return cls.from_finite(given, checked)

    @classmethod
    def from_finite(cls, given: npt.NDArray[Any], weights: Floats | None) -> Self:
        """Sort and sum up flat values that are checked already."""
        return cls(given, Points.of(*_distinct(given, weights)))

    def clusters(self, bounds: Ints) -> Clusters:
        """Give the clustering with these ``bounds``, its centres and error from the raw values."""
        centers, error = self.points.centers(bounds)
        starts = self.points.distinct[bounds[1:-1]]
        labels = np.searchsorted(starts, self.given, side="right")
        return Clusters(centers, labels.astype(label_type(centers.size)), error)

    def singletons(self) -> Clusters:
        """Give every distinct value a cluster of its own."""
        return self.clusters(np.arange(self.points.size + 1))


def _distinct(given: npt.NDArray[Any], weights: Floats | None) -> tuple[Floats, Floats]:
    """Give the distinct values in ascending order and the total weight of each."""
    if weights is None:
        ordered = np.sort(given)
        starts = _run_starts(ordered)
        total = np.diff(starts, append=ordered.size).astype(np.float64)
    else:
        order = np.argsort(given, kind="stable")
        ordered = given[order]
        starts = _run_starts(ordered)
        total = np.add.reduceat(weights[order], starts)
    return ordered[starts].astype(np.float64), total


def _run_starts(ordered: npt.NDArray[Any]) -> Ints:
    return np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
