"""Lloyd's iterations on vectors, up to transforms; empty clusters repaired."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from clusterpress.clustering.clusters import Floats, Ints
from clusterpress.clustering.tensors import host
from clusterpress.clustering.vector.contract import Names, Vectors
from clusterpress.clustering.vector.orbits import Orbit


@dataclass(frozen=True)
class Descent:
    """Where Lloyd's iterations ended.

    Attributes:
        centers: In normal units, shape (k, d); those of empty clusters mean nothing.
        names: Of the candidates: cluster c and transform t make c T + t, shape (n,).
        filled: Whether a cluster has members, shape (k,).
        error: Weighted sum of squared distances in the units of the vectors.
    """

    centers: Floats
    names: Names
    filled: npt.NDArray[np.bool_]
    error: float


def descend(vectors: Vectors, orbit: Orbit, seeds: Floats, max_iterations: int) -> Descent:
    """Assign and average until no vector changes its cluster or transform.

    Every transform of every centre is a candidate; the vectors themselves are never transformed.
    A centre is the mean of its members, each of them transformed back.
    """
    centers = seeds
    names = vectors.nearest(orbit.candidates(centers))
    for _ in range(max_iterations):
        centers = _moved(vectors, orbit, names, centers)
        moved = vectors.nearest(orbit.candidates(centers))
        if bool((moved == names).all()):
            break
        names = moved
    sums, weights = orbit.gathered(vectors.totals(names, len(seeds) * orbit.size))
    centers = _means(sums, weights, centers)
    error = vectors.error(names, orbit.candidates(centers))
    return Descent(centers, names, weights > 0, error)


def _moved(vectors: Vectors, orbit: Orbit, names: Names, centers: Floats) -> Floats:
    """Give the mean of every cluster, after empty ones have taken vectors of others."""
    count = len(centers) * orbit.size
    sums, weights = orbit.gathered(vectors.totals(names, count))
    if not weights.all():
        distances = vectors.distances(names, orbit.candidates(centers))
        refilled = _refilled(host(names), distances, len(centers), orbit.size)
        sums, weights = orbit.gathered(vectors.totals(vectors.named(refilled), count))
    return _means(sums, weights, centers)


def _means(sums: Floats, weights: Floats, centers: Floats) -> Floats:
    """Divide; a cluster without members stays where it is."""
    filled = weights > 0
    means = centers.copy()
    means[filled] = sums[filled] / weights[filled, None]
    return means


def _refilled(names: Ints, distances: Floats, k: int, transforms: int) -> Ints:
    """Give names without empty clusters, where enough vectors lie off their candidates."""
    clusters = names // transforms
    counts = np.bincount(clusters, minlength=k)
    empty = list(np.flatnonzero(counts == 0))
    names = names.copy()
    for i in _farthest(distances, 2 * k):
        if not empty or distances[i] == 0.0:
            break
        if counts[clusters[i]] > 1:
            counts[clusters[i]] -= 1
            names[i] = empty.pop(0) * transforms
    return names


def _farthest(distances: Floats, most: int) -> Ints:
    """Give the places of at least the ``most`` largest distances, falling; equal ones in order.

    2 k are enough for a repair: every vector that is looked at fills an empty cluster, or is the
    last of its own.
    """
    places = np.arange(distances.size)
    if most < distances.size:
        places = np.flatnonzero(distances >= np.partition(distances, -most)[-most])
    falling: Ints = places[np.argsort(-distances[places], kind="stable")]
    return falling
