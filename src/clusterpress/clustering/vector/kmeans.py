"""k-means on vectors."""

from typing import Unpack

import numpy.typing as npt
from numpy.random import Generator

from clusterpress.clustering.clusters import Clusters
from clusterpress.clustering.vector.fit import fit
from clusterpress.clustering.vector.input import checked_rows, returned
from clusterpress.clustering.vector.options import Options, settings
from clusterpress.clustering.vector.orbits import identity


def kmeans(
    points: npt.ArrayLike, k: int, *, rng: Generator, **options: Unpack[Options]
) -> Clusters:
    """Cluster vectors by Lloyd's iterations until no label changes; the best of the restarts.

    An iteration takes O(n k d) time, greedy k-means++ before it O(n k d log k), on as many threads
    as numba is set to use; their number does not change the result. Beyond the points it takes a
    copy of them, 16 bytes for each, and 64 k (d + 1) numbers. Distances are measured in the
    points' own precision, around their mean; means and the error are summed in float64.

    Ties go to the lowest label. An empty cluster takes the vector that is farthest from its own
    centre (several: the farthest, the second farthest, …), but never the last of another; a
    cluster that is still empty at the end is dropped. Where there are no more than k distinct
    vectors, they themselves are the centres, in lexicographic order: so with constant vectors, and
    with a single one.

    Args:
        points: Vectors, real and finite, shape (n, d), contiguous or not. Float64 and float32 keep
            their precision, float16 and bfloat16 become float32, anything else float64. A tensor
            on a GPU is clustered there.
        k: Number of clusters, from 1 to n.
        rng: Source of the random draws.
        **options: See ``Options``: ``init``, ``restarts``, ``max_iterations``, ``weights``.

    Returns:
        The clusters; their centres have the shape (k, d).

    Raises:
        ConfigError: A setting is outside its range, or ``k`` is above n.
        DataError: A vector is not finite, ``points`` is not of shape (n, d), or the weights or
            first centres do not fit it.
    """
    rows = checked_rows(points)
    found = fit(rows, k, identity(rows.shape[1]), rng, settings(options))
    return returned(Clusters(found.centers, found.labels, found.error), points)
