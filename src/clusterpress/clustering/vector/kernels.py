"""Kernels on panels of vectors: distances to many candidates, held in the vector registers.

A *panel* is as many vectors as fill a cache line with one column (16 of float32, 8 of float64),
transposed: shape (d, lanes). A *table* holds candidates four by four, shape (tiles, d, 4). As in
the micro-kernel of a matrix product (Goto and van de Geijn 2008), four times ``lanes`` sums stay
in registers while the d columns go by, and the minimum is taken before anything is written.
Compiled loops would spill these sums to memory at every step, so the kernels write their LLVM
instructions themselves; LLVM fits them to the processor.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import intrinsic

from clusterpress.clustering.clusters import Floats
from clusterpress.clustering.vector.writer import INT32, LINE, TILE, Value, Writer, ir

Reals = npt.NDArray[Any]  # Float32 or float64.
Written = tuple[Any, Callable[..., Value]]  # A signature, and what writes the instructions.


def lanes(dtype: npt.DTypeLike) -> int:
    """Give the number of vectors in a panel."""
    return LINE // np.dtype(dtype).itemsize


def table_of(candidates: Floats, dtype: npt.DTypeLike) -> tuple[Reals, Reals]:
    """Pack m candidates, shape (m, d), for panels of this ``dtype``.

    Returns:
        The table, shape (ceil(m / 4), d, 4), and half the squared norm of every candidate, shape
        (ceil(m / 4), 4): infinite where the last tile is not full.
    """
    count, width = candidates.shape
    tiles = -(-count // TILE)
    padded = np.zeros((tiles * TILE, width), dtype)
    padded[:count] = candidates
    halves = np.full(tiles * TILE, np.inf, dtype)
    halves[:count] = 0.5 * np.einsum("md,md->m", padded, padded, dtype=np.float64)[:count]
    table = padded.reshape(tiles, TILE, width).transpose(0, 2, 1)
    return np.ascontiguousarray(table), halves.reshape(tiles, TILE)


def _nearest_of_panel(_context: Any, panel: Any, table: Any, halves: Any, names: Any) -> Written:
    """Write the first nearest candidate of every vector in ``panel`` into ``names``, int32.

    It is where ``halves[c] - c.x`` is least; the vectors' own norms do not matter.
    """
    return types.void(panel, table, halves, names), _write_nearest


def _squares_of_panel(_context: Any, panel: Any, table: Any, squares: Any) -> Written:
    """Write the squared distances to all candidates into ``squares``, shape (4 tiles, lanes).

    They are sums of squared differences: exactly 0 for duplicates.
    """
    return types.void(panel, table, squares), _write_squares


def _fold_panel(
    _context: Any, squares: Any, seeds: Any, orbit: Any, state: Any, sums: Any
) -> Written:
    """Lower distances to the nearest seed, and add what each candidate leaves of them to ``sums``.

    Args:
        _context: Of numba's.
        squares: Distances to the table's rows, shape (4 tiles, lanes).
        seeds: So many rows are transforms of a new seed.
        orbit: So many rows for each of L candidates follow.
        state: Distance to the nearest seed, and weight, shape (2, lanes).
        sums: Float64, shape (L, lanes).
    """
    return types.void(squares, seeds, orbit, state, sums), _write_fold


nearest_of_panel: Any = intrinsic(_nearest_of_panel)
squares_of_panel: Any = intrinsic(_squares_of_panel)
fold_panel: Any = intrinsic(_fold_panel)


def _write_nearest(context: Any, builder: Any, signature: Any, args: Any) -> Value:
    write = Writer(context, builder, signature, args)
    panel, table, halves, names = write.operands
    integers = ir.VectorType(INT32, write.reals.count)
    least = write.variable(ir.Constant(write.reals, [np.inf] * write.reals.count))
    name = write.variable(ir.Constant(integers, [0] * write.reals.count))
    with write.tiles(table) as (first, begin):
        start = [write.spread(halves, write.plus(first, lane)) for lane in range(TILE)]
        for lane, total in enumerate(write.sums(panel, table, begin, start, write.less_product)):
            closer = builder.fcmp_ordered("<", total, builder.load(least))
            this = write.fill(builder.trunc(write.plus(first, lane), INT32), integers)
            builder.store(builder.select(closer, total, builder.load(least)), least)
            builder.store(builder.select(closer, this, builder.load(name)), name)
    write.store(builder.load(name), names, write.number(0))
    return context.get_dummy_value()


def _write_squares(context: Any, builder: Any, signature: Any, args: Any) -> Value:
    write = Writer(context, builder, signature, args)
    panel, table, squares = write.operands
    start = [ir.Constant(write.reals, [0.0] * write.reals.count)] * TILE
    with write.tiles(table) as (first, begin):
        for lane, total in enumerate(write.sums(panel, table, begin, start, write.plus_square)):
            write.store(total, squares, write.plus(first, lane))
    return context.get_dummy_value()


def _write_fold(context: Any, builder: Any, signature: Any, args: Any) -> Value:
    write = Writer(context, builder, signature, args)
    squares, seeds, orbit, state, sums = write.operands
    distances, weights = write.number(0), write.number(1)
    doubles = ir.VectorType(ir.DoubleType(), write.reals.count)
    lowered = write.least(write.load(state, distances), squares, write.number(0), seeds)
    write.store(lowered, state, distances)
    with write.rows(sums) as row:
        first = builder.add(seeds, builder.mul(row, orbit))
        closer = write.least(lowered, squares, first, orbit)
        left = write.widened(builder.fmul(closer, write.load(state, weights)), doubles)
        write.store(builder.fadd(write.load(sums, row, doubles), left), sums, row)
    return context.get_dummy_value()
