"""Symbols on a grid, as paths down a binary tree, in the contexts that tell most of them.

A symbol's bits are coded from the highest down, each under the node that those before it lead to:
with sorted codebooks the first bit is about the sign and the next ones are about the magnitude.
Contexts are the magnitudes in the row and in the column so far, and the symbols beside it in the
kernel or row; pruned places hold none.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterpress.artifact.binary import (
    RATES,
    SQUASH,
    STRETCH,
    Bytes,
    Ints,
    counters,
    weight_sets,
)
from clusterpress.artifact.mask_model import Form
from clusterpress.artifact.tree_loops import WIDE_BITS, code_fast, code_mixed

MAX_TREE_BITS = 12


@dataclass(frozen=True)
class Alphabet:
    """How symbols are cut into bits, and what they are as contexts.

    Attributes:
        bits: Of a symbol that the tree codes, 1 to ``MAX_TREE_BITS``.
        size: Number of symbols of the tree, at most ``2**bits``.
        even: Bits below them that are coded as equally likely.
        levels: Class of every symbol of the tree as a neighbour, 1 to 15, uint8.
        magnitudes: What it adds to the means of its row and column, 0 to 255, uint8.
    """

    bits: int
    size: int
    even: int
    levels: Bytes
    magnitudes: Bytes


def ordinal(size: int) -> Alphabet:
    """Give the alphabet of the labels of a sorted codebook of ``size`` values, at least 2."""
    even = max(0, (size - 1).bit_length() - MAX_TREE_BITS)
    size = ((size - 1) >> even) + 1
    symbols = np.arange(size)
    levels = 1 + symbols * 15 // size
    magnitudes = abs(2 * symbols - (size - 1)) * 255 // max(1, size - 1)
    bits = max(1, (size - 1).bit_length())
    return Alphabet(bits, size, even, levels.astype(np.uint8), magnitudes.astype(np.uint8))


class TreeState:
    """What has been learned of one kind of symbols, from one tensor of a lane to the next.

    Args:
        bits: Of a symbol.
    """

    def __init__(self, bits: int) -> None:
        nodes, pairs = 1 << bits, 64 if bits > WIDE_BITS else 256
        self.alone = counters(nodes)
        self.means = counters(pairs * nodes)
        self.near = counters(4 * pairs * nodes)
        self.last = counters(pairs * nodes)
        self.weights = weight_sets(MAX_TREE_BITS)


@dataclass(frozen=True)
class Grid:
    """Where symbols lie.

    Attributes:
        columns: Places of a row.
        taps: Places of a kernel, which divide a row.
        line: Places of a kernel's line.
        mask: Which places hold a symbol, uint8, shape (rows, columns); None where all do.
    """

    columns: int
    taps: int = 1
    line: int = 1
    mask: Bytes | None = field(default=None)


def code_tree(
    values: npt.NDArray[Any],
    grid: Grid,
    alphabet: Alphabet,
    coder: tuple[Ints, Bytes],
    state: TreeState,
    form: Form,
) -> Bytes:
    """Code symbols in row-major order, uint16, shape (n,): written where decoding, else read.

    Returns:
        The coder's bytes, which may have moved.
    """
    rows = -(-values.size // grid.columns)
    mask = np.zeros((rows, 0), np.uint8) if grid.mask is None else grid.mask
    layout = (grid.columns, grid.taps, grid.line)
    sizes = (alphabet.bits, alphabet.size, alphabet.even)
    if not form.mixing:
        means, adds = state.means, alphabet.magnitudes
        return code_fast(values, mask, layout, sizes, adds, *coder, means, form.decoding, RATES)
    own = (state.alone, state.means, state.near, state.last)
    tables = (SQUASH, STRETCH, RATES)
    classes = (alphabet.levels, alphabet.magnitudes)
    learned = (own, state.weights)
    return code_mixed(values, mask, layout, sizes, classes, *coder, *learned, form.decoding, tables)
