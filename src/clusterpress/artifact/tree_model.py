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
from numba import njit

from clusterpress.artifact.binary import (
    RATES,
    SQUASH,
    STRETCH,
    Bytes,
    Counters,
    Ints,
    Whole,
    adjust,
    code_bit,
    counters,
    direct,
    learn,
    logit,
    mixed,
    room,
    weight_sets,
)
from clusterpress.artifact.mask_model import Form

MAX_TREE_BITS = 12
_WIDE_BITS = 8
Shorts = npt.NDArray[np.uint16]


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
        nodes, pairs = 1 << bits, 64 if bits > _WIDE_BITS else 256
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
    own = (state.alone, state.means, state.near, state.last)
    sizes = (alphabet.bits, alphabet.size, alphabet.even)
    return _code(
        values,
        mask,
        (grid.columns, grid.taps, grid.line),
        sizes,
        alphabet.levels,
        alphabet.magnitudes,
        *coder,
        *own,
        state.weights,
        form.decoding,
        form.mixing,
        SQUASH,
        STRETCH,
        RATES,
    )


@njit(cache=True, nogil=True, inline="always")
def _mean_class(total: Whole, count: Whole) -> Whole:
    """Class of a mean of numbers up to 255: 0 where there are none, else 1 to 15."""
    return 0 if count == 0 else 1 + (total * 15) // (count << 8)


@njit(cache=True, nogil=True)
def _code(
    values: Shorts,
    mask: Bytes,
    layout: tuple[Whole, Whole, Whole],
    sizes: tuple[Whole, Whole, Whole],
    levels: Bytes,
    magnitudes: Bytes,
    coder: Ints,
    data: Bytes,
    alone: Counters,
    means: Counters,
    near: Counters,
    last: Counters,
    weights: Ints,
    decoding: bool,
    mixing: bool,
    squash: Ints,
    stretch: Ints,
    rates: Ints,
) -> Bytes:
    columns, taps, line = layout
    bits, size, even = sizes
    rows = mask.shape[0]
    masked = mask.shape[1] > 0
    nodes = 1 << bits
    narrow = 1 if bits > 8 else 0  # Half as many classes where there are many nodes.
    side = 16 >> narrow
    totals = np.zeros(columns // taps, np.int64)
    counts = np.zeros(columns // taps, np.int64)
    held = np.zeros(columns, np.int64)
    inputs = np.zeros(4, np.int64)
    i = 0
    for r in range(rows):
        total, count, previous = np.int64(0), np.int64(0), np.int64(0)
        channel, tap = 0, 0
        for j in range(columns):
            if i == values.size:
                break
            if masked and mask[r, j] == 0:
                held[j] = 0
            else:
                if not decoding and i & 63 == 0:
                    data = room(data, coder[3])
                of_row = _mean_class(total, count)
                of_channel = _mean_class(totals[channel], counts[channel])
                left, up = np.int64(0), np.int64(0)
                if tap > 0 or (taps == 1 and j > 0):
                    left = held[j - 1]
                if taps == 1 and j > 1:
                    up = held[j - 2]
                if taps > 1 and tap >= line:
                    up = held[j - line]
                third = (of_row + of_channel) >> 3
                mean = (of_row >> narrow) * side + (of_channel >> narrow)
                beside = ((left >> narrow) * side + (up >> narrow)) * 4 + third
                before = (previous >> narrow) * side + (of_row >> narrow)
                mean, beside, before = mean * nodes, beside * nodes, before * nodes
                value = np.int64(values[i])
                node = np.int64(1)
                for depth in range(bits):
                    place = bits - 1 - depth
                    if (((node << 1) | 1) << place) - nodes >= size:
                        node <<= 1  # No symbol of the alphabet has a 1 here.
                        continue
                    bit = (value >> (even + place)) & 1
                    if not mixing:
                        at = mean + node
                        chance = direct(means, at)
                        bit = code_bit(bit, chance, coder, data, decoding)
                        learn(means, at, bit, rates, 255)
                    else:
                        inputs[0] = logit(alone, node, stretch)
                        inputs[1] = logit(means, mean + node, stretch)
                        inputs[2] = logit(near, beside + node, stretch)
                        inputs[3] = logit(last, before + node, stretch)
                        chance = mixed(inputs, weights, depth, squash)
                        bit = code_bit(bit, chance, coder, data, decoding)
                        adjust(inputs, weights, depth, bit, chance)
                        learn(alone, node, bit, rates, 255)
                        learn(means, mean + node, bit, rates, 255)
                        learn(near, beside + node, bit, rates, 255)
                        learn(last, before + node, bit, rates, 255)
                    node = (node << 1) | bit
                symbol = node - nodes
                rest = np.int64(0)
                for place in range(even - 1, -1, -1):
                    rest = (rest << 1) | code_bit(
                        (value >> place) & 1, 32768, coder, data, decoding
                    )
                if decoding:
                    values[i] = (symbol << even) | rest
                previous = np.int64(levels[symbol])
                held[j] = previous
                magnitude = np.int64(magnitudes[symbol])
                total += magnitude
                count += 1
                totals[channel] += magnitude
                counts[channel] += 1
                i += 1
            tap += 1
            if tap == taps:
                tap = 0
                channel += 1
    return data
