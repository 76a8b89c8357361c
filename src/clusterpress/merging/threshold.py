"""Agglomerative clustering cut at a distance, where not the number of clusters is preset."""

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster
from scipy.cluster.hierarchy import linkage as build_tree

from clusterpress.clustering import condensed_distances

Linkage = Literal["average", "ward", "complete"]


def agglomerate_at(
    points: npt.NDArray[np.float64], distance: float, *, linkage: Linkage
) -> npt.NDArray[np.int64]:
    """Join clusters while their distance by the linkage is at most ``distance``.

    Args:
        points: float64, shape (n, d), finite.
        distance: Euclidean, in the points' unit (for ``ward`` as scipy scales it); 0 joins exact
            duplicates alone.
        linkage: ``average``, ``ward`` or ``complete``.

    Returns:
        int64 labels from 0, shape (n,).
    """
    if len(points) == 1:
        return np.zeros(1, dtype=np.int64)
    tree = build_tree(condensed_distances(points), method=linkage)
    return fcluster(tree, t=distance, criterion="distance").astype(np.int64) - 1
