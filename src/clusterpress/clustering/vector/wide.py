"""Vectors of many dimensions: distances from matrix products of the BLAS, chunk by chunk."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numba import njit

from clusterpress.clustering.clusters import Floats, Ints
from clusterpress.clustering.vector.rows import Names, Reals, Rows, Units

_CHUNK_PRODUCTS = 2**18  # 2 MiB of float64: stays in the cache.


@dataclass(frozen=True)
class WideRows(Rows):
    """Vectors of many dimensions.

    Attributes:
        centred: The vectors in normal units and in the precision of ``rows``, shape (n, d).
    """

    centred: Reals

    @classmethod
    def of(cls, rows: Reals, weights: Floats, units: Units) -> Self:
        """Centre vectors."""
        centred = rows * rows.dtype.type(units.scale)
        centred -= units.origin.astype(rows.dtype)
        return cls(rows, weights * units.share, units, centred)

    def nearest(self, candidates: Floats) -> Names:
        """Name the nearest candidate of every vector; their own norms do not matter for it."""
        table = candidates.astype(self.rows.dtype, order="C")
        halves = 0.5 * np.einsum("md,md->m", table, table)
        names = np.empty(len(self), np.int32)
        for chunk in _chunks(len(self), len(table)):
            _name(self.centred[chunk] @ table.T, halves, names[chunk])
        return names

    def field(self) -> "WideField":
        """Begin a seeding."""
        return WideField(self.centred, self.weights)


def _chunks(count: int, width: int) -> Iterator[slice]:
    step = max(1, _CHUNK_PRODUCTS // width)
    return (slice(start, start + step) for start in range(0, count, step))


@njit(cache=True, nogil=True)
def _name(products: Reals, halves: Reals, names: Names) -> None:
    """Write the place of the first least ``halves - products[i]`` into every ``names[i]``."""
    for i in range(len(products)):
        least = np.inf
        for c in range(halves.size):
            if halves[c] - products[i, c] < least:
                least = halves[c] - products[i, c]
                names[i] = c


class WideField:
    """Distances of vectors of many dimensions to the nearest seed."""

    def __init__(self, vectors: Reals, weights: Floats) -> None:
        self._vectors = vectors
        self._norms = np.einsum("nd,nd->n", vectors, vectors)
        self._weights = weights
        self._nearest = np.full(len(vectors), np.inf)
        self._mass = weights
        self._drawn = np.empty(0, np.int64)
        self._closer = np.empty((len(vectors), 0))

    def draw(self, uniforms: Floats) -> Ints:
        """Draw places of vectors; see ``Field``."""
        cumulative = np.cumsum(self._mass)
        places = np.searchsorted(cumulative, uniforms * cumulative[-1], side="right")
        self._drawn = np.minimum(places, len(self._mass) - 1)
        return self._drawn

    def potentials(self, candidates: Floats) -> Floats:
        """Measure the drawn candidates; see ``Field``."""
        count, transforms, width = candidates.shape
        vectors = candidates.reshape(-1, width).astype(self._vectors.dtype, order="C")
        norms = np.einsum("md,md->m", vectors, vectors)
        squares = self._norms[:, None] + norms - self._vectors @ (2.0 * vectors).T
        squares = squares.reshape(-1, count, transforms).min(axis=2)
        squares[self._drawn, np.arange(count)] = 0.0
        self._closer = np.minimum(self._nearest[:, None], np.maximum(squares, 0.0))
        total: Floats = (self._weights[:, None] * self._closer).sum(axis=0)
        return total

    def take(self, choice: int) -> None:
        """Make one of the drawn candidates a seed; see ``Field``."""
        self._nearest = self._closer[:, choice]
        self._mass = self._weights * self._nearest
