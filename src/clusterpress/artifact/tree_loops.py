"""The loops of the tree model, compiled: a symbol after another, a bit after another."""

import numpy as np
import numpy.typing as npt
from numba import njit

from clusterpress.artifact.binary import (
    Bytes,
    Coder,
    Counters,
    Ints,
    Whole,
    adjust,
    begun,
    code_bit,
    direct,
    learn,
    logit,
    mixed,
    put_back,
    room,
)

WIDE_BITS = 8
"""Above so many bits of a symbol contexts have half as many classes."""
Shorts = npt.NDArray[np.uint16]


@njit(cache=True, nogil=True, inline="always")
def _mean_class(total: Whole, count: Whole) -> Whole:
    """Class of a mean of numbers up to 255: 0 where there are none, else 1 to 15."""
    return 0 if count == 0 else 1 + (total * 15) // (count << 8)


@njit(cache=True, nogil=True, inline="always")
def _left_out(node: Whole, place: Whole, nodes: Whole, size: Whole) -> Whole:
    """Whether no symbol of the alphabet has a 1 after a node, ``place`` bits above the lowest."""
    return (((node << 1) | 1) << place) - nodes >= size


@njit(cache=True, nogil=True, inline="always")
def _even_bits(
    value: Whole, even: Whole, coder: Coder, data: Bytes, decoding: bool
) -> tuple[Whole, Coder]:
    """Code the lowest bits of a value, which are equally likely."""
    rest = np.int64(0)
    for place in range(even - 1, -1, -1):
        bit, coder = code_bit((value >> place) & 1, 32768, coder, data, decoding)
        rest = (rest << 1) | bit
    return rest, coder


@njit(cache=True, nogil=True)
def code_fast(
    values: Shorts,
    mask: Bytes,
    layout: tuple[Whole, Whole, Whole],
    sizes: tuple[Whole, Whole, Whole],
    magnitudes: Bytes,
    state: Ints,
    data: Bytes,
    means: Counters,
    decoding: bool,
    rates: Ints,
) -> Bytes:
    """Code a grid in the context of its rows' and channels' means; arguments as ``code_tree``'s."""
    (columns, taps, _), (bits, size, even) = layout, sizes
    nodes, narrow = 1 << bits, 1 if bits > WIDE_BITS else 0
    totals, counts = np.zeros(columns // taps, np.int64), np.zeros(columns // taps, np.int64)
    coder, i = begun(state), 0
    for r in range(mask.shape[0]):
        total, count, channel, tap = np.int64(0), np.int64(0), -1, taps - 1
        for j in range(columns):
            tap += 1
            if tap == taps:
                tap = 0
                channel += 1
            if i == values.size:
                break
            if mask.shape[1] > 0 and mask[r, j] == 0:
                continue
            if not decoding and i & 63 == 0:
                data = room(data, coder[3])
            of_channel = _mean_class(totals[channel], counts[channel])
            at = (_mean_class(total, count) >> narrow) * (16 >> narrow) + (of_channel >> narrow)
            value, node = np.int64(values[i]), np.int64(1)
            for place in range(bits - 1, -1, -1):
                if _left_out(node, place, nodes, size):
                    node <<= 1
                    continue
                here = at * nodes + node
                bit = (value >> (even + place)) & 1
                bit, coder = code_bit(bit, direct(means, here), coder, data, decoding)
                learn(means, here, bit, rates, 255)
                node = (node << 1) | bit
            rest, coder = _even_bits(value, even, coder, data, decoding)
            if decoding:
                values[i] = ((node - nodes) << even) | rest
            magnitude = np.int64(magnitudes[node - nodes])
            total, count = total + magnitude, count + 1
            totals[channel] += magnitude
            counts[channel] += 1
            i += 1
    put_back(state, coder)
    return data


@njit(cache=True, nogil=True, inline="always")
def _beside(held: Ints, j: Whole, tap: Whole, taps: Whole, line: Whole) -> tuple[Whole, Whole]:
    """Give the levels beside a place: of the one before it, and of one above or two before."""
    left, up = np.int64(0), np.int64(0)
    if tap > 0 or (taps == 1 and j > 0):
        left = held[j - 1]
    if taps == 1 and j > 1:
        up = held[j - 2]
    if taps > 1 and tap >= line:
        up = held[j - line]
    return left, up


@njit(cache=True, nogil=True, inline="always")
def _contexts(
    of_row: Whole, of_channel: Whole, beside: tuple[Whole, Whole], previous: Whole, bits: Whole
) -> tuple[Whole, Whole, Whole]:
    """Give where the counters begin: of the means, of the neighbours, of the last symbol."""
    narrow = 1 if bits > WIDE_BITS else 0  # Half as many classes where there are many nodes.
    side, (left, up) = 16 >> narrow, beside
    mean = (of_row >> narrow) * side + (of_channel >> narrow)
    near = ((left >> narrow) * side + (up >> narrow)) * 4 + ((of_row + of_channel) >> 3)
    last = (previous >> narrow) * side + (of_row >> narrow)
    return mean << bits, near << bits, last << bits


@njit(cache=True, nogil=True, inline="always")
def _coded(
    value: Whole,
    at: tuple[Whole, Whole, Whole],
    sizes: tuple[Whole, Whole, Whole],
    coder: Coder,
    data: Bytes,
    own: tuple[Counters, Counters, Counters, Counters],
    weights: Ints,
    inputs: Ints,
    decoding: bool,
    tables: tuple[Ints, Ints, Ints],
) -> tuple[Whole, Coder]:
    """Code a symbol by the mixed contexts ``at``, and let them learn."""
    (bits, size, even), (squash, stretch, rates) = sizes, tables
    alone, means, near, last = own
    node = np.int64(1)
    for depth in range(bits):
        place = bits - 1 - depth
        if _left_out(node, place, 1 << bits, size):
            node <<= 1
            continue
        inputs[0] = logit(alone, node, stretch)
        inputs[1] = logit(means, at[0] + node, stretch)
        inputs[2] = logit(near, at[1] + node, stretch)
        inputs[3] = logit(last, at[2] + node, stretch)
        chance = mixed(inputs, weights, depth, squash)
        bit, coder = code_bit((value >> (even + place)) & 1, chance, coder, data, decoding)
        adjust(inputs, weights, depth, bit, chance)
        learn(alone, node, bit, rates, 255)
        learn(means, at[0] + node, bit, rates, 255)
        learn(near, at[1] + node, bit, rates, 255)
        learn(last, at[2] + node, bit, rates, 255)
        node = (node << 1) | bit
    return node - (1 << bits), coder


@njit(cache=True, nogil=True)
def code_mixed(
    values: Shorts,
    mask: Bytes,
    layout: tuple[Whole, Whole, Whole],
    sizes: tuple[Whole, Whole, Whole],
    classes: tuple[Bytes, Bytes],
    state: Ints,
    data: Bytes,
    own: tuple[Counters, Counters, Counters, Counters],
    weights: Ints,
    decoding: bool,
    tables: tuple[Ints, Ints, Ints],
) -> Bytes:
    """Code a grid in all contexts, mixed; arguments as ``code_tree``'s."""
    (columns, taps, line), (bits, _, even), (levels, magnitudes) = layout, sizes, classes
    totals, counts = np.zeros(columns // taps, np.int64), np.zeros(columns // taps, np.int64)
    held, inputs = np.zeros(columns, np.int64), np.zeros(4, np.int64)
    coder, i = begun(state), 0
    for r in range(mask.shape[0]):
        total, count, previous = np.int64(0), np.int64(0), np.int64(0)
        channel, tap = -1, taps - 1
        for j in range(columns):
            tap += 1
            if tap == taps:
                tap = 0
                channel += 1
            if i == values.size:
                break
            if mask.shape[1] > 0 and mask[r, j] == 0:
                held[j] = 0
                continue
            if not decoding and i & 63 == 0:
                data = room(data, coder[3])
            of_row = _mean_class(total, count)
            of_channel = _mean_class(totals[channel], counts[channel])
            beside = _beside(held, j, tap, taps, line)
            at = _contexts(of_row, of_channel, beside, previous, bits)
            value = np.int64(values[i])
            symbol, coder = _coded(
                value, at, sizes, coder, data, own, weights, inputs, decoding, tables
            )
            rest, coder = _even_bits(value, even, coder, data, decoding)
            if decoding:
                values[i] = (symbol << even) | rest
            held[j] = previous = np.int64(levels[symbol])
            magnitude = np.int64(magnitudes[symbol])
            total, count = total + magnitude, count + 1
            totals[channel] += magnitude
            counts[channel] += 1
            i += 1
    put_back(state, coder)
    return data
