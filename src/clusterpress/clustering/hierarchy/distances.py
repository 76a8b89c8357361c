"""Euclidean distances of all pairs of vectors, from one symmetric product of matrices."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.linalg import get_blas_funcs

from clusterpress.clustering.checks import finite
from clusterpress.clustering.clusters import Floats
from clusterpress.clustering.tensors import takes_tensors
from clusterpress.clustering.threads import on_threads
from clusterpress.errors import DataError

Rows = npt.NDArray[Any]
# A squared distance this far below the norms has lost too many digits in the product.
_CANCELLED_FLOAT32 = 1e-3
_CANCELLED_FLOAT64 = 1e-6
_CHUNK_BYTES = 2**26  # Centred columns held at a time.
_TILE = 16  # Pairs of so many rows at a time stay in the cache where they are measured again.


@takes_tensors
def condensed_distances(points: npt.ArrayLike) -> Floats:
    """Give the Euclidean distances of all pairs in scipy's condensed order.

    They come from the product of the centred points with themselves, ``|x - y|^2 = |x|^2 + |y|^2
    - 2 x.y``: O(n^2 d / 2) multiplications in the BLAS (``syrk``), in the points' own precision.
    Beyond the points and the result it takes n^2 numbers and 64 MiB. Pairs so close that this
    difference of large numbers loses its digits (squared, below 1e-6 of the norms in float64,
    1e-3 in float32) are measured again by differences in float64, so that duplicates are exactly
    0 apart. Where most pairs are that close, as around a far outlier, this is what takes the
    time: O(n^2 d) without the BLAS. Differences below 1e-154 of the largest value count as none.

    Args:
        points: Finite vectors, shape (n, d). Float64 and float32 keep their precision, float16
            and bfloat16 become float32, anything else float64.

    Returns:
        Distances, float64, shape (n * (n - 1) / 2,).

    Raises:
        DataError: A vector is not finite, or ``points`` is not of shape (n, d).
    """
    rows = real_rows(points)
    distances = np.empty(len(rows) * (len(rows) - 1) // 2)
    if distances.size == 0:
        return distances
    scale = _scale(rows)
    gram, norms = _products(rows, scale)

    def fill(piece: int) -> None:
        _fill(rows, scale, gram, norms, piece * _TILE, distances)

    on_threads(fill, -(-len(rows) // _TILE))
    return distances


def real_rows(points: npt.ArrayLike) -> Rows:
    """Give ``points`` as finite, contiguous rows of float32 or float64, shape (n, d).

    Raises:
        DataError: They are not real numbers of shape (n, d), or one of them is not finite.
    """
    array = np.asarray(points)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    rows = finite(array, "points to cluster")
    if rows.ndim != 2:
        raise DataError(
            f"Points to cluster must have the shape (n, d), but theirs is {rows.shape}."
        )
    return np.ascontiguousarray(rows)


def _scale(rows: Rows) -> float:
    """Give a power of two that brings the rows into [-1, 1]: it rounds nothing."""
    peak = max(float(rows.max(initial=0.0)), -float(rows.min(initial=0.0)))
    exponent = int(np.frexp(peak)[1])
    return float(np.ldexp(1.0, -max(exponent, int(np.finfo(rows.dtype).minexp))))


def _products(rows: Rows, scale: float) -> tuple[Rows, Floats]:
    """Give the lower triangle of the scaled and centred rows' products, and their squared norms.

    Column by column of chunks, so that no centred copy of all points is held.
    """
    syrk = get_blas_funcs("syrk", dtype=rows.dtype)
    gram = np.zeros((len(rows), len(rows)), rows.dtype, order="F")
    norms = np.zeros(len(rows))
    width = max(1, _CHUNK_BYTES // (rows.itemsize * len(rows)))
    for start in range(0, rows.shape[1], width):
        chunk = rows[:, start : start + width] * rows.dtype.type(scale)
        chunk -= chunk.mean(axis=0)
        norms += np.einsum("nd,nd->n", chunk, chunk, dtype=np.float64)
        gram = syrk(1.0, chunk.T, beta=1.0, c=gram, trans=1, lower=1, overwrite_c=1)
    return gram, norms


@njit(cache=True, nogil=True)
def _fill(
    rows: Rows, scale: float, gram: Rows, norms: Floats, start: int, distances: Floats
) -> None:
    """Write the distances of the rows from ``start``, a tile of them, to all later rows."""
    count = len(rows)
    cancelled = _CANCELLED_FLOAT32 if rows.itemsize == 4 else _CANCELLED_FLOAT64
    for tile in range(start, count, _TILE):
        for i in range(start, min(start + _TILE, count)):
            before = i * (2 * count - i - 1) // 2 - i - 1
            for j in range(max(tile, i + 1), min(tile + _TILE, count)):
                reach = norms[i] + norms[j]
                square = reach - 2.0 * gram[j, i]
                if square <= cancelled * reach:
                    square = _square(rows, i, j, scale)
                distances[before + j] = np.sqrt(square) / scale


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _square(rows: Rows, i: int, j: int, scale: float) -> float:
    total = 0.0
    for c in range(rows.shape[1]):
        gap = (np.float64(rows[i, c]) - np.float64(rows[j, c])) * scale
        total += gap * gap
    return total
