"""What a clusterer of the benchmark is, and how far its clustering is from the data."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from clusterpress.bench.data import Array

_CHUNK = 2**18


@dataclass(frozen=True)
class Found:
    """Centres, shape (k,) or (k, d), and labels, shape (n,); None where only centres were asked."""

    centers: Array
    labels: Array | None = None


@dataclass(frozen=True)
class ScalarMethod:
    """A clusterer of scalars.

    Attributes:
        name: As in the table.
        packages: The distributions that do the work; their versions are recorded.
        fit: Clusters float32 values, shape (n,), into k clusters; peers are imported in it.
        warm_up: How many values compile and import all that many values take.
    """

    name: str
    packages: tuple[str, ...]
    fit: Callable[[Array, int], Found]
    warm_up: int = 5000


@dataclass(frozen=True)
class VectorMethod:
    """A clusterer of vectors.

    Attributes:
        name: As in the table.
        packages: The distributions that do the work; their versions are recorded.
        fit: Clusters float32 rows, shape (n, d), from a number of clusters or from first centres,
            shape (k, d), in so many iterations of Lloyd's; peers are imported in it.
    """

    name: str
    packages: tuple[str, ...]
    fit: Callable[[Array, int | Array, int], Found]


def squared_error(points: Array, found: Found) -> float:
    """Give the sum of squared distances to the centres, in float64, chunk by chunk.

    Every point counts with its own label; where there are no labels, with the nearest centre.
    """
    rows = points.reshape(len(points), -1)
    centers = np.asarray(found.centers, np.float64).reshape(-1, rows.shape[1])
    total = 0.0
    for start in range(0, len(rows), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        piece = rows[chunk].astype(np.float64)
        labels = _nearest(piece, centers) if found.labels is None else found.labels[chunk]
        total += float(((piece - centers[labels]) ** 2).sum())
    return total


def _nearest(rows: Array, centers: Array) -> Array:
    if rows.shape[1] > 1:
        halves = 0.5 * (centers**2).sum(axis=1)
        step = max(1, 2**24 // len(centers))
        parts = [
            np.argmin(halves - rows[start : start + step] @ centers.T, axis=1)
            for start in range(0, len(rows), step)
        ]
        return np.concatenate(parts)
    order = np.argsort(centers[:, 0])
    ascending = centers[order, 0]
    between = (ascending[1:] + ascending[:-1]) / 2
    return order[np.searchsorted(between, rows[:, 0])]
