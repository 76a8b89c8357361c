"""From checked vectors to the best of several descents."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from clusterpress.clustering.checks import check_clusters
from clusterpress.clustering.clusters import Floats, Ints, Labels, label_type
from clusterpress.clustering.tensors import host, is_tensor
from clusterpress.clustering.vector.contract import Vectors
from clusterpress.clustering.vector.distinct import distinct
from clusterpress.clustering.vector.lloyd import descend
from clusterpress.clustering.vector.options import Settings
from clusterpress.clustering.vector.orbits import Orbit
from clusterpress.clustering.vector.panels import PanelRows
from clusterpress.clustering.vector.rows import Reals, Units
from clusterpress.clustering.vector.seeds import SEEDINGS
from clusterpress.clustering.vector.tensors import TensorRows
from clusterpress.clustering.vector.wide import WideRows
from clusterpress.errors import DataError

_WIDEST_PANEL = 256  # Dimensions; beyond, the BLAS is as fast, and faster with many centers.


@dataclass(frozen=True)
class Fit:
    """A clustering up to transforms.

    Attributes:
        centers: Float64, shape (k, d).
        labels: Cluster of every vector, of ``label_type(k)``, shape (n,).
        transforms: The transform of its centre that is nearest, uint8, shape (n,).
        error: Weighted sum of squared distances.
    """

    centers: Floats
    labels: Labels
    transforms: npt.NDArray[np.uint8]
    error: float


def fit(rows: Any, k: int, orbit: Orbit, rng: Generator, settings: Settings) -> Fit:
    """Cluster rows; the best of the restarts.

    Args:
        rows: Finite, contiguous float32 or float64, shape (n, d): an array, or a torch tensor,
            which is then clustered where it is.
        k: Number of clusters.
        orbit: The transforms under which vectors are the same.
        rng: Source of the random draws.
        settings: Start and end of the iterations.

    Raises:
        ConfigError: ``k`` is below 1 or above the number of rows.
        DataError: The weights or the first centres do not fit the rows.
    """
    check_clusters(k, len(rows))
    if rows.shape[1] == 0:
        raise DataError("Points to cluster must have at least one dimension, but they have none.")
    weights = settings.weights_of(len(rows))
    given = settings.first_centers(k, rows.shape[1])
    few = _few(rows, orbit, k)
    if few is not None:
        return _fit(few[0].astype(np.float64), few[1], orbit, 0.0)
    vectors = _kept(rows, weights, orbit)
    starts: Iterator[Floats] = iter([] if given is None else [vectors.units.normal(given)])
    if given is None:
        seeding = SEEDINGS[settings.init]
        starts = (seeding(vectors, orbit, k, rng) for _ in range(settings.restarts))
    return _best(vectors, orbit, starts, settings.max_iterations)


def _few(rows: Any, orbit: Orbit, k: int) -> tuple[Reals, Ints] | None:
    """Look for few distinct vectors in ever more of a tensor, so that seldom much of it moves."""
    size = 8 * k if is_tensor(rows) else len(rows)
    while size < len(rows):
        if distinct(host(rows[:size]), orbit, k) is None:
            return None
        size *= 8
    return distinct(host(rows), orbit, k)


def _kept(rows: Any, weights: Floats, orbit: Orbit) -> Vectors:
    if is_tensor(rows):
        return TensorRows(rows, weights, orbit)
    kind = PanelRows if rows.shape[1] <= _WIDEST_PANEL else WideRows
    return kind.of(rows, weights, Units.around(rows, weights, orbit))


def _best(vectors: Vectors, orbit: Orbit, starts: Iterator[Floats], max_iterations: int) -> Fit:
    """Descend from every start; clusters that are empty at the end are dropped."""
    descents = (descend(vectors, orbit, start, max_iterations) for start in starts)
    best = min(descents, key=lambda descent: descent.error)
    clusters, transforms = np.divmod(host(best.names), orbit.size)
    numbers = np.cumsum(best.filled) - 1
    centers = vectors.units.given(best.centers[best.filled])
    return _fit(centers, numbers[clusters] * orbit.size + transforms, orbit, best.error)


def _fit(centers: Floats, names: Ints, orbit: Orbit, error: float) -> Fit:
    labels, transforms = np.divmod(names, orbit.size)
    narrow = labels.astype(label_type(len(centers)))
    return Fit(centers, narrow, transforms.astype(np.uint8), error)
