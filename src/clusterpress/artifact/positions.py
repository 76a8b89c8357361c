"""Masks: a grid of row and column classes, each cell with its own share of kept weights.

Pruned weights are far from evenly spread: inputs that are always dark (the border of MNIST's
images) lose all their weights, some neurons keep many more than others. Rows (outputs) and
columns (inputs, and kernel taps) are sorted into a few classes by how many weights they keep, and
every cell of classes is coded as Bernoulli variables. Cells that keep nothing, or all, cost one
byte together. The two label lists and the cells share one ANS stream.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import constriction
import numpy as np
import numpy.typing as npt

from clusterpress.artifact.limits import CHUNK
from clusterpress.artifact.symbols import (
    Symbols,
    as_symbols,
    categorical,
    empty_coder,
    finished,
    pop,
    quantise,
    words_in,
    words_out,
)

MAX_CLASSES = 17
_ROW_STEPS = (0, 1, 2, 3, 4, 6, 8, 12)
_COLUMN_STEPS = (0, 1, 2, 3, 4, 6, 8, 12, 16)
# Level 0 is "none kept", 255 "all kept". Between them steps grow with the standard deviation of a
# share, and products alone give them, so that every machine decodes alike.
_U = np.arange(256, dtype=np.float64) / 255
_SHARES = _U * _U * (3 - 2 * _U)

Labels = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class _Grid:
    rows: Labels
    columns: Labels
    levels: npt.NDArray[np.uint8]

    def members(self) -> Iterator[tuple[tuple[Labels, Labels], int]]:
        """Yield the rows and columns, and the level, of every cell."""
        of_rows, of_columns = (
            [np.flatnonzero(labels == label) for label in range(classes)]
            for labels, classes in zip((self.rows, self.columns), self.levels.shape, strict=True)
        )
        yield from zip(product(of_rows, of_columns), map(int, self.levels.flat), strict=True)

    def cells(self) -> list[tuple[Any, int]]:
        """List the index (usable on a 2-D mask) and the level of every cell."""
        return [(np.ix_(*pair), level) for pair, level in self.members()]


def encode_grid(mask: Symbols, alphabet: int) -> bytes | None:
    """Encode a 0/1 mask of shape (out, in...); None where it is no such mask."""
    if alphabet != 2 or mask.ndim < 1 or mask.size == 0:
        return None
    flat = mask.reshape(mask.shape[0], -1)
    grid = _best_grid(flat)
    coder = empty_coder()
    for cell, level in reversed(grid.cells()):
        if 0 < level < 255:
            coder.encode_reverse(as_symbols(flat[cell]), _bernoulli(level))
    tables = b"".join(_push_labels(coder, labels) for labels in (grid.columns, grid.rows))
    return bytes(grid.levels.shape) + grid.levels.tobytes() + tables + words_out(coder)


def decode_grid(data: bytes, shape: tuple[int, ...], alphabet: int) -> Symbols:
    """Decode a mask.

    Raises:
        ValueError: The bytes are no grid that fits ``shape``.
    """
    if alphabet != 2 or not shape or 0 in shape:
        raise ValueError(f"a mask of shape {shape} with {alphabet} symbols is no grid")
    flat = np.zeros((shape[0], int(np.prod(shape[1:]))), dtype=np.uint8)
    grid, coder = _read_grid(data, flat.shape)
    for members, level in grid.members():
        for block in _blocks(*members):
            if 0 < level < 255:
                size = (block[0].size, block[1].size)
                values = pop(coder, _bernoulli(level), size[0] * size[1], np.uint8)
                flat[np.ix_(*block)] = values.reshape(size)
            elif level == 255:
                flat[np.ix_(*block)] = 1
    finished(coder)
    return flat.reshape(shape)


def _blocks(rows: Labels, columns: Labels) -> Iterator[tuple[Labels, Labels]]:
    """Cut a cell into blocks of at most ``CHUNK`` entries that follow in row-major order."""
    height = max(1, CHUNK // max(1, columns.size))
    for top, left in product(range(0, rows.size, height), range(0, columns.size, CHUNK)):
        yield rows[top : top + height], columns[left : left + CHUNK]


def _read_grid(data: bytes, shape: tuple[int, ...]) -> tuple[_Grid, Any]:
    if len(data) < 2 or not all(1 <= classes <= MAX_CLASSES for classes in data[:2]):
        raise ValueError(f"the numbers of classes are not between 1 and {MAX_CLASSES}")
    rows, columns = data[0], data[1]
    tables = [0 if classes == 1 else classes for classes in (columns, rows)]
    ends = np.cumsum([2, rows * columns, *tables])
    if len(data) < ends[-1]:
        raise ValueError(f"{len(data)} bytes cannot hold a grid of {rows} x {columns} classes")
    levels, of_columns, of_rows = (
        np.frombuffer(data[start:end], np.uint8) for start, end in pairwise(ends)
    )
    coder = words_in(data[int(ends[-1]) :])
    row_labels = _pop_labels(coder, of_rows, shape[0])
    column_labels = _pop_labels(coder, of_columns, shape[1])
    return _Grid(row_labels, column_labels, levels.reshape(rows, columns)), coder


def _push_labels(coder: Any, labels: Labels) -> bytes:
    counts = np.bincount(labels)
    if counts.size == 1:
        return b""
    table = quantise(counts)
    coder.encode_reverse(as_symbols(labels), categorical(table))
    return table.tobytes()


def _pop_labels(coder: Any, table: npt.NDArray[np.uint8], count: int) -> Labels:
    if table.size == 0:
        return np.zeros(count, dtype=np.uint8)
    return pop(coder, categorical(table), count, np.uint8)


def _bernoulli(level: int) -> Any:
    share = float(_SHARES[level])
    return constriction.stream.model.Categorical(np.array([1 - share, share]), perfect=False)


def _best_grid(mask: Symbols) -> _Grid:
    """Choose the numbers of classes whose grid should take the fewest bytes."""
    dense = mask.astype(np.float32)
    by_row = _labellings(mask.sum(axis=1, dtype=np.int64), mask.shape[1], _ROW_STEPS)
    by_column = _labellings(mask.sum(axis=0, dtype=np.int64), mask.shape[0], _COLUMN_STEPS)
    kept = [(_members(rows).T @ dense).astype(np.float64) for rows in by_row]
    _, rows, columns = min(
        (
            (_estimated_bits(of_rows @ _members(columns), rows, columns), rows, columns)
            for (rows, of_rows), columns in product(zip(by_row, kept, strict=True), by_column)
        ),
        key=lambda candidate: candidate[0],
    )
    return _Grid(rows, columns, _levels(mask, rows, columns))


def _labellings(counts: Labels, total: int, steps: tuple[int, ...]) -> list[Labels]:
    """Sort rows or columns into classes of equal width where binomial noise is even (arcsine)."""
    angle = np.arcsin(np.sqrt(counts / total))
    kept = angle[counts > 0]
    low, width = (kept.min(), np.ptp(kept) or 1.0) if kept.size else (0.0, 1.0)
    labellings: list[Labels] = [np.zeros(counts.size, dtype=np.int64)]
    for step in steps[1:]:
        rank = np.minimum(step - 1, ((angle - low) / width * step).astype(np.int64))
        labels = np.unique(np.where(counts > 0, 1 + rank, 0), return_inverse=True)[1]
        labellings.append(labels.astype(np.int64))
    return labellings


def _members(labels: Labels) -> npt.NDArray[np.float32]:
    return np.eye(int(labels.max()) + 1, dtype=np.float32)[labels]


def _estimated_bits(kept: npt.NDArray[np.float64], rows: Labels, columns: Labels) -> float:
    per_row, per_column = np.bincount(rows), np.bincount(columns)
    sizes = np.outer(per_row, per_column)
    labels = _entropy(per_row, np.int64(rows.size)) + _entropy(per_column, np.int64(columns.size))
    cells = _entropy(kept, sizes) + _entropy(sizes - kept, sizes)
    return cells + labels + 8 * (kept.size + per_row.size + per_column.size)


def _entropy(counts: npt.NDArray[Any], totals: npt.NDArray[Any] | np.int64) -> float:
    shares = counts / totals
    return float(-(counts * np.log2(np.where(shares > 0, shares, 1))).sum())


def _levels(mask: Symbols, rows: Labels, columns: Labels) -> npt.NDArray[np.uint8]:
    shape = (int(rows.max()) + 1, int(columns.max()) + 1)
    levels = np.zeros(shape, dtype=np.uint8)
    middle = (_SHARES[1:-2] + _SHARES[2:-1]) / 2
    for place, (cell, _) in zip(
        np.ndindex(shape), _Grid(rows, columns, levels).cells(), strict=True
    ):
        share = mask[cell].mean()
        # An impure cell must stay off the two certain levels, however rare its exceptions.
        inner = 1 + int(np.searchsorted(middle, share))
        levels[place] = 0 if share == 0 else 255 if share == 1 else inner
    return levels
