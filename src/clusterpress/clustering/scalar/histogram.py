"""One pass over scalars into bins that know how many there are and their mean.

Every value is taken to one of 2**16 ticks of its bin, so that without weights counts and sums are
integers: for given bins they do not depend on the order of the values or on the number of threads,
and a bin's count and sum travel in one 64-bit word.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from numba import njit

from clusterpress.clustering.clusters import Floats, Ints
from clusterpress.clustering.scalar.bins import CELLS, TICK_BITS, TICKS, Bins
from clusterpress.clustering.scalar.points import Frame, Points
from clusterpress.clustering.scalar.sums import sum_of_squares
from clusterpress.clustering.threads import cut, on_threads

_PIECES = 8  # Each holds a histogram of its own until all are done.
_PIECE = 2**18  # Values that are worth a thread,
_WORTH = 4  # and values a bin that are worth a histogram of its own.
_BLOCK = 2048
_UNSIGNED = np.uint64  # Shifts and masks of it need no care for signs.
_TICK_BITS, _WITHIN = _UNSIGNED(TICK_BITS), _UNSIGNED(TICKS - 1)
_COUNT_AT, _ONE = _UNSIGNED(40), _UNSIGNED(2**40)  # A word: 24 bits of count over 40 of ticks,
_BELOW_ONE = 1.0 - 2.0**-40
_WORDS = 2**22  # emptied after so many values that neither overflows.


@dataclass(frozen=True)
class Histogram:
    """The bins in which values lie, in ascending order; places and widths are in cells.

    Attributes:
        bins: All bins.
        weights: Total weight of the values in each, float64, shape (b,).
        left: Left edge of each, float64, shape (b,).
        right: Right edge of each, float64, shape (b,).
        means: Mean place of each one's values, float64, shape (b,).
        spread: Weighted squared distances of all values' ticks to the means of their bins.
        rounding: The most that the weighted squared distances of all values to their ticks can be.
    """

    bins: Bins
    weights: Floats
    left: Floats
    right: Floats
    means: Floats
    spread: float
    rounding: float

    @classmethod
    def of(cls, values: npt.NDArray[Any], bins: Bins, weights: Floats | None = None) -> Self:
        """Count finite values, shape (n,), that lie in the bins' range, in O(n + bins)."""
        totals, moments, squares = _summed(values, bins, weights)
        kept = np.flatnonzero(totals)
        left, right = bins.edges(kept)
        total = totals[kept].astype(np.float64)
        off_middle = ((moments[kept] / total + 0.5) / TICKS - 0.5) * (right - left)
        means = (left + right) / 2 + off_middle
        spread = max(squares - float((total * off_middle**2).sum()), 0.0)
        rounding = float((total * ((right - left) / (2 * TICKS)) ** 2).sum())
        if weights is None:  # A lone value is where it is, not anywhere in its bin.
            alone = total == 1.0
            left[alone] = right[alone] = means[alone]
        return cls(bins, total, left, right, means, spread, rounding)

    def contracted(self) -> Points:
        """Give every bin's values as one point at their mean."""
        return Points.of(self.means, self.weights)

    def stretched(self, frame: Frame) -> Points:
        """Give every bin's values as two points at its edges, with the same mean."""
        upper = self.weights * self._upper_share()
        weights = np.stack((self.weights - upper, upper), axis=1)
        shared = np.flatnonzero(self.right[:-1] == self.left[1:])
        weights[shared + 1, 0] += weights[shared, 1]
        weights[shared, 1] = 0.0
        kept = weights > 0.0
        return Points.of(np.stack((self.left, self.right), axis=1)[kept], weights[kept], frame)

    def stretch(self) -> float:
        """Give how much farther apart the stretched points are than the contracted, squared."""
        share = self._upper_share()
        widths = self.right - self.left
        return float((self.weights * share * (1.0 - share) * widths**2).sum())

    def _upper_share(self) -> Floats:
        widths = self.right - self.left
        return np.divide(
            self.means - self.left, widths, out=np.zeros_like(widths), where=widths > 0
        )


def _summed(
    values: npt.NDArray[Any], bins: Bins, weights: Floats | None
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], float]:
    """Give every bin's weight and sum of ticks, and all squared distances to bins' middles."""
    parts = cut(values.size, max(_PIECE, _WORTH * bins.count), _PIECES)

    def count(piece: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any], float]:
        part = parts[piece]
        if weights is None:
            return _count(values[part], bins.tables(), bins.count)
        return _weigh(values[part], weights[part], bins.tables(), bins.count)

    (totals, moments, squares), *others = on_threads(count, len(parts))
    for other in others:
        totals += other[0]
        moments += other[1]
        squares += other[2]
    return totals, moments, squares


@njit(cache=True, nogil=True)
def _count(
    values: npt.NDArray[Any], tables: tuple[Any, ...], bins: int
) -> tuple[Ints, Ints, float]:
    totals, moments = np.zeros(bins, np.int64), np.zeros(bins, np.int64)
    words = np.zeros(bins, np.uint64)
    ticks, places = np.empty(_BLOCK, np.uint64), np.empty(_BLOCK)
    squares = 0.0
    for begin in range(0, values.size, _WORDS):
        end = min(begin + _WORDS, values.size)
        for start in range(begin, end, _BLOCK):
            size = min(_BLOCK, end - start)
            _write_ticks(values[start : start + size], tables, ticks, places)
            squares += sum_of_squares(places[:size], places[:0])
            for i in range(size):
                words[ticks[i] >> _TICK_BITS] += _ONE | (ticks[i] & _WITHIN)
        for b in range(bins):
            totals[b] += np.int64(words[b] >> _COUNT_AT)
            moments[b] += np.int64(words[b] & (_ONE - _UNSIGNED(1)))
            words[b] = 0
    return totals, moments, squares


@njit(cache=True, nogil=True)
def _weigh(
    values: npt.NDArray[Any], weights: Floats, tables: tuple[Any, ...], bins: int
) -> tuple[Floats, Floats, float]:
    totals, moments = np.zeros(bins), np.zeros(bins)
    ticks, places = np.empty(_BLOCK, np.uint64), np.empty(_BLOCK)
    squares = 0.0
    for start in range(0, values.size, _BLOCK):
        block = values[start : start + _BLOCK]
        own = weights[start : start + _BLOCK]
        _write_ticks(block, tables, ticks, places)
        squares += sum_of_squares(places[: block.size], own)
        for i in range(block.size):
            totals[ticks[i] >> _TICK_BITS] += own[i]
            moments[ticks[i] >> _TICK_BITS] += own[i] * (ticks[i] & _WITHIN)
    return totals, moments, squares


@njit(cache=True, nogil=True)
def _write_ticks(
    values: npt.NDArray[Any], tables: tuple[Any, ...], ticks: npt.NDArray[np.uint64], places: Floats
) -> None:
    """Write each value's tick, counted over all bins, and its distance from its bin's middle."""
    low, cells_per_unit, starts, scales, sizes = tables
    cells = np.empty(_BLOCK, np.int32)
    top = np.float64(CELLS - 1)
    for i in range(values.size):  # Nothing but arithmetic here, so that it runs on whole vectors.
        place = (np.float64(values[i]) - low) * cells_per_unit
        cells[i] = np.int32(min(place, top))
        places[i] = min(place - np.float64(cells[i]), _BELOW_ONE)
    for i in range(values.size):
        cell = np.uint32(cells[i])
        tick = np.uint64(np.int64(places[i] * scales[cell]))
        ticks[i] = starts[cell] + tick
        places[i] = (np.float64(np.int64(tick & _WITHIN)) - (TICKS - 1) / 2) * sizes[cell]
