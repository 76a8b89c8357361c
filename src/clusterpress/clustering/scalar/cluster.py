"""Cluster scalars by name of the initialisation."""

import numpy.typing as npt
from numpy.random import Generator

from clusterpress.clustering.checks import check_choice
from clusterpress.clustering.clusters import Clusters
from clusterpress.clustering.scalar.lloyd import converge
from clusterpress.clustering.scalar.optimal import optimal
from clusterpress.clustering.scalar.seeds import SEEDINGS, draw
from clusterpress.clustering.scalar.sorted_values import SortedValues
from clusterpress.clustering.tensors import takes_tensors

OPTIMAL = "optimal"
INITS = (*SEEDINGS, OPTIMAL)


@takes_tensors
def cluster(values: npt.ArrayLike, k: int, *, init: str, rng: Generator) -> Clusters:
    """Cluster scalars: Lloyd's iterations from the seeds that ``init`` gives, or the optimum.

    Args:
        values: n real numbers of any shape; taken in row-major order.
        k: Number of clusters. Where there are no more than k distinct values, they themselves are
            the centroids.
        init: One of ``INITS``: a seeding (see ``seed``), or ``optimal``, which draws nothing.
        rng: Source of the random draws.

    Raises:
        ConfigError: ``init`` is unknown, or ``k`` is below 1 or above n.
        DataError: A value is not finite.
    """
    check_choice("init", init, INITS)
    if init == OPTIMAL:
        return optimal(values, k)
    ordered = SortedValues.of(values, k)
    return converge(ordered, draw(ordered.points, k, init, rng))
