"""Bins for scalars, narrow where many of them lie."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from clusterpress.clustering.clusters import Floats, Ints

CELLS = 2048
TICK_BITS = 16
TICKS = 2**TICK_BITS  # Places in a bin that are told apart.
_SAMPLE = 2**15
_LEAST_SHARE = 512  # Of all bins asked for; empty ones cost little.


@dataclass(frozen=True)
class Bins:
    """Cells of equal width from the least to the largest value, each cut into bins of equal width.

    Quantising costs the least where the density of bins goes with the cube root of the values'
    (Panter and Dite 1951), so cells get bins by the cube root of how often a sample falls there.

    Attributes:
        low: The least value.
        cells_per_unit: Cells in one unit of the values.
        first: First bin of every cell, then the number of bins, int64, shape (CELLS + 1,).
    """

    low: float
    cells_per_unit: float
    first: Ints

    @classmethod
    def over(cls, values: npt.NDArray[Any], low: float, high: float, count: int) -> Self:
        """Lay about ``count`` bins, and a few for cells without a sample, over ``[low, high]``."""
        cells_per_unit = CELLS / (high - low)
        stride = max(1, values.size // _SAMPLE) | 1  # Odd: not in step with rows of a layer.
        places = (values[::stride].astype(np.float64) - low) * cells_per_unit
        sampled = np.minimum(places.astype(np.int64), CELLS - 1)
        density = np.cbrt(np.bincount(sampled, minlength=CELLS))
        shares = np.rint(density * (count / density.sum())).astype(np.int64)
        shares = np.maximum(shares, 1 + count // _LEAST_SHARE)
        return cls(low, cells_per_unit, np.concatenate(([0], np.cumsum(shares))))

    @property
    def count(self) -> int:
        """Number of bins."""
        return int(self.first[-1])

    def tables(self) -> tuple[float, float, npt.NDArray[np.uint64], Floats, Floats]:
        """Give what turns a value into a tick: cell units; first tick, ticks and size of each."""
        ticks = np.diff(self.first) * float(TICKS)
        starts = (self.first[:-1] * TICKS).astype(np.uint64)
        return self.low, self.cells_per_unit, starts, ticks, 1.0 / ticks

    def edges(self, chosen: Ints) -> tuple[Floats, Floats]:
        """Give the left and right edges of some bins, ascending, in cells."""
        return _edges(self.first, chosen, 0), _edges(self.first, chosen, 1)

    def values(self, places: Floats) -> Floats:
        """Bring places in cells into the values' units."""
        return self.low + places / self.cells_per_unit


@njit(cache=True, nogil=True)
def _edges(first: Ints, chosen: Ints, after: int) -> Floats:
    """Give the edges ``after`` bins from the left ones; a shared edge comes out the same."""
    edges = np.empty(chosen.size)
    cell = 0
    for i in range(chosen.size):
        edge = chosen[i] + after
        while cell < first.size - 1 and first[cell + 1] <= edge:
            cell += 1
        share = first[cell + 1] - first[cell] if cell < first.size - 1 else 1
        edges[i] = cell + (edge - first[cell]) / share
    return edges
