"""Masks of pruned weights, bit by bit, in the contexts that tell most of them.

Kept weights are far from evenly spread: some outputs, inputs and taps keep many more than others,
and so do kernels that have kept one already. A counter for the row, one for the input channel and
one for the tap add up, in the logistic domain, to a level; counters of that level alone, and of it
together with the neighbours, are mixed.
"""

from dataclasses import dataclass, field

import numpy as np
from numba import njit

from clusterpress.artifact.binary import (
    RATES,
    SQUASH,
    STRETCH,
    Bytes,
    Coder,
    Counters,
    Ints,
    Whole,
    adjust,
    begun,
    code_bit,
    counters,
    direct,
    learn,
    learned,
    logit,
    mixed,
    put_back,
    room,
    weight_sets,
)

_GROUPS = 16


@dataclass(frozen=True)
class MaskState:
    """What has been learned of masks, from one tensor of a lane to the next."""

    levels: Counters = field(default_factory=lambda: counters(64))
    pairs: Counters = field(default_factory=lambda: counters(1024))
    near: Counters = field(default_factory=lambda: counters(2048))
    past: Counters = field(default_factory=lambda: counters(8192))
    weights: Ints = field(default_factory=lambda: weight_sets(_GROUPS))


def code_mask(
    mask: Bytes, kernel: tuple[int, int], coder: tuple[Ints, Bytes], state: MaskState, form: "Form"
) -> Bytes:
    """Code a mask of shape (rows, columns): written into it where decoding, else read.

    Args:
        mask: 0 or 1, uint8, contiguous.
        kernel: Taps of a kernel, and those of one of its lines; (1, 1) where there are none.
        coder: State and bytes of the arithmetic coder.
        state: What is learned.
        form: Direction, and whether contexts are mixed.

    Returns:
        The coder's bytes, which may have moved.
    """
    taps, _ = kernel
    if not form.mixing:
        return _fast(mask, taps, *coder, state.pairs, form.decoding, STRETCH, RATES)
    own = (state.levels, state.pairs, state.near, state.past)
    tables = (SQUASH, STRETCH, RATES)
    return _mixed(mask, kernel, *coder, own, state.weights, form.decoding, tables)


@dataclass(frozen=True)
class Form:
    """How to run a model.

    Attributes:
        decoding: Whether bits are read, not written.
        mixing: Whether all contexts are mixed; else the one that tells most is taken alone.
    """

    decoding: bool
    mixing: bool


@njit(cache=True, nogil=True, inline="always")
def _pair(of_row: Whole, of_channel: Whole) -> Whole:
    """Give the context of two logits together."""
    return ((of_row + 2048) >> 7) * 32 + ((of_channel + 2048) >> 7)


@njit(cache=True, nogil=True)
def _fast(
    mask: Bytes,
    taps: Whole,
    state: Ints,
    data: Bytes,
    pairs: Counters,
    decoding: bool,
    stretch: Ints,
    rates: Ints,
) -> Bytes:
    rows, columns = mask.shape
    channels = np.zeros(columns // taps, np.uint32)
    coder = begun(state)
    for r in range(rows):
        row = np.int64(0)
        channel, tap = 0, 0
        for j in range(columns):
            if not decoding and j & 63 == 0:
                data = room(data, coder[3])
            of_row = stretch[(row ^ 0x80000000) >> 20]
            pair = _pair(of_row, logit(channels, channel, stretch))
            bit, coder = code_bit(np.int64(mask[r, j]), direct(pairs, pair), coder, data, decoding)
            row = learned(row, bit, rates, 255)
            learn(channels, channel, bit, rates, 255)
            learn(pairs, pair, bit, rates, 1023)
            if decoding:
                mask[r, j] = bit
            tap += 1
            if tap == taps:
                tap = 0
                channel += 1
    put_back(state, coder)
    return data


@njit(cache=True, nogil=True, inline="always")
def _around(mask: Bytes, r: Whole, j: Whole, tap: Whole, taps: Whole, line: Whole) -> Whole:
    """Give the mask above, two above, a kernel before and a line of the kernel above."""
    above, second, before, up = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    if r > 0:
        above = np.int64(mask[r - 1, j])
    if r > 1:
        second = np.int64(mask[r - 2, j])
    if j >= taps:
        before = np.int64(mask[r, j - taps])
    if tap >= line:
        up = np.int64(mask[r, j - line])
    return above | (second << 1) | (before << 2) | (up << 3)


@njit(cache=True, nogil=True, inline="always")
def _group(seen: Whole, wide: Whole) -> Whole:
    """Give the set of weights: by the bits of how often the channel was seen."""
    group = 8 * wide
    while seen > 0 and group & 7 < 7:
        seen >>= 1
        group += 1
    return group


@njit(cache=True, nogil=True, inline="always")
def _coded(
    bit: Whole,
    at: tuple[Whole, Whole, Whole, Whole],
    group: Whole,
    coder: Coder,
    data: Bytes,
    own: tuple[Counters, Counters, Counters, Counters],
    weights: Ints,
    inputs: Ints,
    decoding: bool,
    tables: tuple[Ints, Ints, Ints],
) -> tuple[Whole, Coder]:
    """Code a bit by the mixed contexts ``at``, and let them learn."""
    squash, stretch, rates = tables
    inputs[0] = logit(own[0], at[0], stretch)
    inputs[1] = logit(own[1], at[1], stretch)
    inputs[2] = logit(own[2], at[2], stretch)
    inputs[3] = logit(own[3], at[3], stretch)
    chance = mixed(inputs, weights, group, squash)
    bit, coder = code_bit(bit, chance, coder, data, decoding)
    adjust(inputs, weights, group, bit, chance)
    learn(own[0], at[0], bit, rates, 1023)
    learn(own[1], at[1], bit, rates, 1023)
    learn(own[2], at[2], bit, rates, 1023)
    learn(own[3], at[3], bit, rates, 1023)
    return bit, coder


@njit(cache=True, nogil=True)
def _mixed(
    mask: Bytes,
    kernel: tuple[Whole, Whole],
    state: Ints,
    data: Bytes,
    own: tuple[Counters, Counters, Counters, Counters],
    weights: Ints,
    decoding: bool,
    tables: tuple[Ints, Ints, Ints],
) -> Bytes:
    (rows, columns), (taps, line), (_, stretch, rates) = mask.shape, kernel, tables
    whole, row = np.zeros(1, np.uint32), np.zeros(1, np.uint32)
    channels, places = np.zeros(columns // taps, np.uint32), np.zeros(taps, np.uint32)
    inputs, wide, coder = np.zeros(4, np.int64), np.int64(taps > 1), begun(state)
    for r in range(rows):
        row[0] = np.int64(whole[0]) & 0xFFFFFC00  # A row begins as the mask is so far.
        history, kept = np.int64(0), np.int64(0)
        channel, tap = 0, 0
        for j in range(columns):
            if not decoding and j & 63 == 0:
                data = room(data, coder[3])
            of_row, of_channel = logit(row, 0, stretch), logit(channels, channel, stretch)
            level = of_row + of_channel + logit(places, tap, stretch) - 2 * logit(whole, 0, stretch)
            level = min(max(level, -2047), 2047) + 2048
            near = ((history & 7) | (_around(mask, r, j, tap, taps, line) << 3)) * 16 + (level >> 8)
            past = (history & 255) * 16 + (level >> 8)
            if wide:
                past = (256 + min(kept, np.int64(7)) * 32 + min(tap, 31)) * 16 + (level >> 8)
            at = (level >> 6, _pair(of_row, of_channel), near, past)
            group = _group(np.int64(channels[channel]) & 1023, wide)
            bit = np.int64(mask[r, j])
            bit, coder = _coded(bit, at, group, coder, data, own, weights, inputs, decoding, tables)
            learn(whole, 0, bit, rates, 1023)
            learn(places, tap, bit, rates, 1023)
            learn(row, 0, bit, rates, 255)
            learn(channels, channel, bit, rates, 255)
            if decoding:
                mask[r, j] = bit
            history, kept = (history << 1) | bit, kept + bit
            tap += 1
            if tap == taps:
                tap, kept = 0, np.int64(0)
                channel += 1
    put_back(state, coder)
    return data
