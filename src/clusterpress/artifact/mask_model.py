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
    taps, line = kernel
    own = (state.levels, state.pairs, state.near, state.past)
    flags = (form.decoding, form.mixing)
    return _code(mask, taps, line, *coder, *own, state.weights, *flags, SQUASH, STRETCH, RATES)


@dataclass(frozen=True)
class Form:
    """How to run a model.

    Attributes:
        decoding: Whether bits are read, not written.
        mixing: Whether all contexts are mixed; else the one that tells most is taken alone.
    """

    decoding: bool
    mixing: bool


@njit(cache=True, nogil=True)
def _code(
    mask: Bytes,
    taps: Whole,
    line: Whole,
    coder: Ints,
    data: Bytes,
    levels: Counters,
    pairs: Counters,
    near: Counters,
    past: Counters,
    weights: Ints,
    decoding: bool,
    mixing: bool,
    squash: Ints,
    stretch: Ints,
    rates: Ints,
) -> Bytes:
    rows, columns = mask.shape
    whole, row = np.zeros(1, np.uint32), np.zeros(1, np.uint32)
    channels = np.zeros(columns // taps, np.uint32)
    places = np.zeros(taps, np.uint32)
    inputs = np.zeros(4, np.int64)
    wide = np.int64(taps > 1)
    for r in range(rows):
        row[0] = np.int64(whole[0]) & 0xFFFFFC00  # A row begins as the mask is so far.
        history = np.int64(0)
        kept = np.int64(0)
        channel, tap = 0, 0
        for j in range(columns):
            if not decoding and j & 63 == 0:
                data = room(data, coder[3])
            of_row, of_channel = logit(row, 0, stretch), logit(channels, channel, stretch)
            pair = ((of_row + 2048) >> 7) * 32 + ((of_channel + 2048) >> 7)
            bit = np.int64(mask[r, j])
            if not mixing:
                chance = direct(pairs, pair)
                bit = code_bit(bit, chance, coder, data, decoding)
            else:
                of_all = logit(whole, 0, stretch)
                level = of_row + of_channel + logit(places, tap, stretch) - 2 * of_all
                level = min(max(level, -2047), 2047) + 2048
                above, second, before, up = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
                if r > 0:
                    above = np.int64(mask[r - 1, j])
                if r > 1:
                    second = np.int64(mask[r - 2, j])
                if j >= taps:
                    before = np.int64(mask[r, j - taps])
                if tap >= line:
                    up = np.int64(mask[r, j - line])
                around = (history & 7) | (above << 3) | (second << 4) | (before << 5) | (up << 6)
                a = around * 16 + (level >> 8)
                if wide:
                    b = (256 + min(kept, np.int64(7)) * 32 + min(tap, 31)) * 16 + (level >> 8)
                else:
                    b = (history & 255) * 16 + (level >> 8)
                inputs[0] = logit(levels, level >> 6, stretch)
                inputs[1] = logit(pairs, pair, stretch)
                inputs[2] = logit(near, a, stretch)
                inputs[3] = logit(past, b, stretch)
                seen = np.int64(channels[channel]) & 1023
                group = 8 * wide
                while seen > 0 and group & 7 < 7:
                    seen >>= 1
                    group += 1
                chance = mixed(inputs, weights, group, squash)
                bit = code_bit(bit, chance, coder, data, decoding)
                adjust(inputs, weights, group, bit, chance)
                learn(whole, 0, bit, rates, 1023)
                learn(places, tap, bit, rates, 1023)
                learn(levels, level >> 6, bit, rates, 1023)
                learn(near, a, bit, rates, 1023)
                learn(past, b, bit, rates, 1023)
            learn(row, 0, bit, rates, 255)
            learn(channels, channel, bit, rates, 255)
            learn(pairs, pair, bit, rates, 1023)
            if decoding:
                mask[r, j] = bit
            history = (history << 1) | bit
            kept += bit
            tap += 1
            if tap == taps:
                tap, kept = 0, np.int64(0)
                channel += 1
    return data
