"""Vectors to cluster, in normal units: totals, distances and errors from the rows as given."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from clusterpress.clustering.clusters import Floats, Ints
from clusterpress.clustering.threads import cut, on_threads
from clusterpress.clustering.vector.orbits import Orbit

Reals = npt.NDArray[Any]  # Float32 or float64.
Names = npt.NDArray[np.int32]  # Of candidates.

_PIECE = 2**14  # Rows whose pass is worth a thread.
_PIECES = 16  # So few tables of totals at a time.


@dataclass(frozen=True)
class Units:
    """Normal units: vectors ``x * scale - origin``, weights ``w * share``.

    The scales are powers of two that bring all numbers into [-1, 1], so that nothing overflows and
    nothing is rounded; the origin is near the mean, so that float32 keeps the differences.
    """

    scale: float
    share: float
    origin: Floats

    @classmethod
    def around(cls, rows: Reals, weights: Floats, orbit: Orbit) -> Self:
        """Fit the units to vectors; the origin is one that no transform moves."""
        scale = power_of_two(max(abs(float(rows.min())), abs(float(rows.max()))))
        parts = cut(len(rows), _PIECE, _PIECES)
        sums = on_threads(lambda i: _column_sums(rows[parts[i]], scale), len(parts))
        origin = orbit.mean(sum(sums[1:], sums[0]) / len(rows))
        return cls(scale, power_of_two(float(weights.max())), origin)

    def normal(self, vectors: npt.NDArray[Any]) -> Floats:
        """Bring vectors into these units, in float64."""
        return np.asarray(vectors, np.float64) * self.scale - self.origin

    def given(self, vectors: Floats) -> Floats:
        """Bring vectors back."""
        return (vectors + self.origin) / self.scale

    def error(self, weights: Floats, distances: Floats) -> float:
        """Sum up weighted squared distances, and bring the sum back."""
        return float((weights * distances).sum()) / self.share / self.scale / self.scale


def power_of_two(largest: float) -> float:
    """Give a factor that brings numbers of at most ``largest`` into [-1, 1]."""
    return float(np.ldexp(1.0, -max(int(np.frexp(largest)[1]), -1000)))


@dataclass(frozen=True)
class Rows:
    """n weighted vectors; all that is measured on them is measured in normal units, in float64.

    Attributes:
        rows: The vectors as given, contiguous float32 or float64, shape (n, d).
        weights: Weight of each in normal units, shape (n,).
        units: The normal units.
    """

    rows: Reals
    weights: Floats
    units: Units

    def __len__(self) -> int:
        """Number of vectors."""
        return len(self.rows)

    def at(self, places: Ints) -> Floats:
        """Give some of the vectors, shape (len(places), d)."""
        return self.units.normal(self.rows[places])

    def totals(self, names: Names, count: int) -> Floats:
        """Give the sum of the vectors and of the weights under every name, shape (count, d + 1)."""
        parts = cut(len(self), _PIECE, _PIECES)

        def totals(piece: int) -> Floats:
            part = parts[piece]
            return _totals(self.rows[part], *self._frame(), self.weights[part], names[part], count)

        first, *others = on_threads(totals, len(parts))
        for other in others:
            first += other
        return first

    def distances(self, names: Names, candidates: Floats) -> Floats:
        """Give every vector's squared distance to the candidate of its name, by differences."""
        parts = cut(len(self), _PIECE, len(self))
        found = np.empty(len(self))

        def measure(piece: int) -> None:
            part = parts[piece]
            _own_distances(self.rows[part], *self._frame(), names[part], candidates, found[part])

        on_threads(measure, len(parts))
        return found

    def error(self, names: Names, candidates: Floats) -> float:
        """Give the weighted sum of the squared distances, in the units of the vectors."""
        return self.units.error(self.weights, self.distances(names, candidates))

    def named(self, names: Ints) -> Names:
        """Give names that came from outside as those of the vectors."""
        return names.astype(np.int32)

    def _frame(self) -> tuple[float, Floats]:
        return self.units.scale, self.units.origin


@njit(cache=True, nogil=True)
def _column_sums(rows: Reals, scale: float) -> Floats:
    sums = np.zeros(rows.shape[1])
    for i in range(len(rows)):
        for j in range(sums.size):
            sums[j] += rows[i, j] * scale
    return sums


@njit(cache=True, nogil=True)
def _totals(
    rows: Reals, scale: float, origin: Floats, weights: Floats, names: Names, count: int
) -> Floats:
    width = origin.size
    totals = np.zeros((count, width + 1))
    for i in range(len(rows)):
        for j in range(width):
            totals[names[i], j] += weights[i] * (rows[i, j] * scale - origin[j])
        totals[names[i], width] += weights[i]
    return totals


@njit(cache=True, nogil=True)
def _own_distances(
    rows: Reals, scale: float, origin: Floats, names: Names, candidates: Floats, found: Floats
) -> None:
    for i in range(len(rows)):
        found[i] = 0.0
        for j in range(origin.size):
            found[i] += (rows[i, j] * scale - origin[j] - candidates[names[i], j]) ** 2
