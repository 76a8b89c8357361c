"""Labels of scalars: the nearest of ascending centres, in one pass."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from clusterpress.clustering.checks import check_clusters, finite
from clusterpress.clustering.clusters import Floats, Labels, label_type
from clusterpress.clustering.scalar.sums import sum_of_squares
from clusterpress.clustering.tensors import takes_tensors
from clusterpress.clustering.threads import cut, on_threads
from clusterpress.errors import DataError

_CELLS = 4096
_BLOCK = 2048
_PIECE = 2**18
_PIECES = 64
_CROWD = 4


@takes_tensors
def assign(values: npt.ArrayLike, centers: npt.ArrayLike) -> Labels:
    """Give every scalar the label of its nearest centre; halfway, of the lower one.

    One pass over the values: a table over equal cells says which centres can be nearest. Time is
    O(n + k), or O(n log k) where many centres crowd in one cell; memory beyond the labels is O(k).

    Args:
        values: n finite real numbers of any shape; taken in row-major order.
        centers: Ascending centres, shape (k,).

    Returns:
        Labels of ``label_type(k)``, shape (n,).

    Raises:
        ConfigError: There are no centres.
        DataError: A number is not finite, or the centres do not ascend.
    """
    given = finite(values, "values to cluster").ravel()
    ascending = finite(centers, "centers").ravel().astype(np.float64)
    check_clusters(ascending.size, max(ascending.size, 1))
    if (np.diff(ascending) < 0).any():
        raise DataError("Centers must ascend, but these do not; sort them first.")
    return labelled(given, ascending)[0]


def labelled(
    values: npt.NDArray[Any],
    centers: Floats,
    weights: Floats | None = None,
    thresholds: Floats | None = None,
) -> tuple[Labels, float]:
    """Give the labels of finite values, shape (n,), and their weighted squared error.

    A label is the number of ``thresholds`` below the value: halfway between the centres, unless
    they are given, ascending, shape (k - 1,).
    """
    if thresholds is None:
        thresholds = centers[:-1] + np.diff(centers) / 2
    reach = np.finfo(values.dtype)
    narrow = np.clip(thresholds, reach.min, reach.max).astype(values.dtype)
    low, cells_per_unit = _cell_units(narrow)
    cells = np.empty(thresholds.size, np.int32)
    _write_cells(narrow, low, cells_per_unit, cells)
    # A value in a later cell than a threshold's lies above it, since rounding keeps the order.
    table = np.searchsorted(cells, np.arange(_CELLS + 1)).astype(np.uint32)
    crowd = int(np.diff(table).max())
    padded = np.append(thresholds, np.full(crowd + 1, np.inf))
    labels = np.empty(values.size, label_type(centers.size))

    parts = cut(values.size, _PIECE, _PIECES)

    def label(piece: int) -> float:
        part = parts[piece]
        own = np.empty(0) if weights is None else weights[part]
        tables = (centers, padded, table, low, cells_per_unit, crowd)
        return float(_label(values[part], own, tables, labels[part]))

    return labels, sum(on_threads(label, len(parts)))


def _cell_units(thresholds: npt.NDArray[Any]) -> tuple[Any, Any]:
    """Give the lower end of the cells and the cells in one unit, in the thresholds' dtype."""
    dtype = thresholds.dtype
    low, high = thresholds[[0, -1]] if thresholds.size else (dtype.type(0),) * 2
    with np.errstate(all="ignore"):
        cells_per_unit = _CELLS / (high - low)
    # Where the thresholds are too near or too far for this dtype, one cell holds them all.
    usable = np.finfo(dtype).tiny < cells_per_unit < np.inf
    return low, dtype.type(cells_per_unit if usable else np.finfo(dtype).tiny)


@njit(cache=True, nogil=True)
def _write_cells(
    values: npt.NDArray[Any], low: Any, cells_per_unit: Any, cells: npt.NDArray[np.int32]
) -> None:
    """Write each value's cell; a loop of nothing else, so that it runs on whole vectors."""
    top = values.dtype.type(_CELLS - 1)
    bottom = values.dtype.type(0)
    for i in range(values.size):
        cells[i] = np.int32(min(max((values[i] - low) * cells_per_unit, bottom), top))


@njit(cache=True, nogil=True)
def _label(
    values: npt.NDArray[Any], weights: Floats, tables: tuple[Any, ...], labels: Labels
) -> float:
    """Write the labels and give the squared error; no weights stand for ones."""
    low, cells_per_unit, crowd = tables[3:]
    cells = np.empty(_BLOCK, np.int32)
    gaps = np.empty(_BLOCK)
    error = 0.0
    for start in range(0, values.size, _BLOCK):
        block = values[start : start + _BLOCK]
        _write_cells(block, low, cells_per_unit, cells)
        if crowd <= _CROWD:
            _step(block, cells, tables, labels[start : start + _BLOCK], gaps)
        else:
            _bisect(block, cells, tables, labels[start : start + _BLOCK], gaps)
        error += sum_of_squares(gaps[: block.size], weights[start : start + _BLOCK])
    return error


@njit(cache=True, nogil=True)
def _step(
    block: npt.NDArray[Any],
    cells: npt.NDArray[np.int32],
    tables: tuple[Any, ...],
    labels: Labels,
    gaps: Floats,
) -> None:
    """Count the thresholds below each value without a branch: those of its cell one by one."""
    centers, thresholds, table, _, _, crowd = tables
    for i in range(block.size):
        value = np.float64(block[i])
        label = table[np.uint32(cells[i])]
        for _ in range(crowd):
            label += np.uint32(value > thresholds[label])
        labels[i] = label
        gaps[i] = value - centers[label]


@njit(cache=True, nogil=True)
def _bisect(
    block: npt.NDArray[Any],
    cells: npt.NDArray[np.int32],
    tables: tuple[Any, ...],
    labels: Labels,
    gaps: Floats,
) -> None:
    centers, thresholds, table = tables[:3]
    for i in range(block.size):
        value = np.float64(block[i])
        first, last = table[cells[i]], table[cells[i] + 1]
        while first < last:
            middle = (first + last) // np.uint32(2)
            if value > thresholds[middle]:
                first = middle + np.uint32(1)
            else:
                last = middle
        labels[i] = first
        gaps[i] = value - centers[first]
