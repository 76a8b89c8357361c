"""An adaptive binary arithmetic coder whose probabilities are mixed in the logistic domain.

The coder is the carry-less one of lpaq (Mahoney 2007, "Data Compression Explained", section 4.2):
an interval of 32-bit numbers is cut in proportion to the probability of a 1, and leading bytes
that no longer change are shifted out. Everything is whole numbers, so every machine decodes
alike; docs/format.md gives the arithmetic step by step.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Ints = npt.NDArray[np.int64]
Counters = npt.NDArray[np.uint32]
Bytes = npt.NDArray[np.uint8]
# An int or one of 64 bits: compiled code does not tell them apart.
Whole = Any
# The state of the arithmetic coder, as compiled loops hold it: low, high, code, place.
Coder = tuple[Whole, Whole, Whole, Whole]

# Probabilities have 16 bits, logits 8 fractional ones: squash(x) = 65536 / (1 + exp(-x / 256)).
_LOGITS = np.arange(4096) - 2048
SQUASH: Ints = np.rint(65536 / (1 + np.exp(-_LOGITS / 256))).clip(16, 65520).astype(np.int64)
_SHARES = (np.arange(4096) + 0.5) / 4096
STRETCH: Ints = np.rint(256 * np.log(_SHARES / (1 - _SHARES))).clip(-2047, 2047).astype(np.int64)
# A counter that has seen n bits moves by about 1 / (n + 1.6) of its error.
RATES: Ints = np.array([655360 // (10 * n + 16) for n in range(1024)], dtype=np.int64)
# A counter that has seen nothing, at 1/2. Tables hold counters XOR this, so that untouched ones are
# zeros, which take no memory.
EVEN = 1 << 31
SEEN_MOST = 255
INPUTS = 4
# Inputs of a set of weights, and how often it has been adjusted.
WEIGHTS = INPUTS + 1
_FULL = (1 << 32) - 1
# Bytes that 64 symbols of at most 28 decisions of at most 13 bits cannot fill.
MARGIN = 4096

LOW, HIGH, CODE, PLACE = range(4)


def encoder() -> tuple[Ints, Bytes]:
    """Give a coder's state ``(low, high, code, place)`` and what it has written, to encode."""
    return np.array([0, _FULL, 0, 0], dtype=np.int64), np.zeros(1 << 13, np.uint8)


def decoder(data: bytes) -> tuple[Ints, Bytes]:
    """Give a coder's state and its bytes, to decode; beyond their end there are zeros."""
    first = int.from_bytes(data[:4].ljust(4, b"\0"), "big")
    state = np.array([0, _FULL, first, 4], dtype=np.int64)
    return state, np.frombuffer(bytearray(data), np.uint8)


def written(state: Ints, out: Bytes) -> bytes:
    """End an encoding: the bytes so far, and the fewest that name a number of the interval."""
    low, high, place = int(state[LOW]), int(state[HIGH]), int(state[PLACE])
    for count in range(5):
        unit = 1 << (32 - 8 * count)
        value = -(-low // unit) * unit
        if value <= high:
            return out[:place].tobytes() + value.to_bytes(4, "big")[:count]
    raise AssertionError("an interval of the coder holds no number")


def check_used_up(state: Ints, size: int) -> None:
    """Check that decoding took all of its bytes and none beyond those of its last number.

    Raises:
        ValueError: It did not.
    """
    taken = int(state[PLACE]) - 4
    if not taken <= size <= taken + 4:
        raise ValueError(f"decoding ended after {taken} bytes instead of {size}")


def shifted(state: Ints, *, decoding: bool) -> int:
    """Give how many bytes have been shifted out: the same number on both sides."""
    return int(state[PLACE]) - (4 if decoding else 0)


@njit(cache=True, nogil=True)
def room(out: Bytes, place: Whole) -> Bytes:
    """Give a buffer with room for 64 more symbols, twice as large where it had none."""
    if place + MARGIN <= out.size:
        return out
    grown = np.zeros(2 * out.size, np.uint8)
    grown[: out.size] = out
    return grown


@njit(cache=True, nogil=True, inline="always")
def begun(state: Ints) -> Coder:
    """Give a coder's state as four numbers, which compiled loops keep in registers."""
    return state[0], state[1], state[2], state[3]


@njit(cache=True, nogil=True, inline="always")
def put_back(state: Ints, coder: Coder) -> None:
    """Keep what ``begun`` gave, and ``code_bit`` changed, for the next loop."""
    for i in range(4):
        state[i] = coder[i]


@njit(cache=True, nogil=True, inline="always")
def code_bit(
    bit: Whole, chance: Whole, coder: Coder, data: Bytes, decoding: bool
) -> tuple[Whole, Coder]:
    """Code one bit of which 1 has ``chance`` / 65536; give it, and the coder's new state."""
    low, high, code, place = coder
    middle = low + (((high - low) * chance) >> 16)
    if decoding:
        bit = np.int64(code <= middle)
    if bit:
        high = middle
    else:
        low = middle + 1
    while ((low ^ high) & 0xFF000000) == 0:
        if decoding:
            byte = np.int64(0)
            if place < data.size:
                byte = np.int64(data[place])
            code = ((code << 8) & 0xFFFFFFFF) | byte
        else:
            data[place] = high >> 24
        place += 1
        low = (low << 8) & 0xFFFFFFFF
        high = ((high << 8) & 0xFFFFFFFF) | 255
    return bit, (low, high, code, place)


@njit(cache=True, nogil=True, inline="always")
def learned(counter: Whole, bit: Whole, rates: Ints, most: Whole) -> Whole:
    """Move a counter, 22 bits of probability and 10 of how often it was, towards a bit.

    The counter is as tables hold it, XOR ``EVEN``.
    """
    counter = counter ^ 0x80000000
    seen, share = counter & 1023, counter >> 10
    share += (((bit << 22) - share) * rates[seen]) >> 16
    share = min(max(share, np.int64(0)), np.int64((1 << 22) - 1))
    if seen < most:
        seen += 1
    return ((share << 10) | seen) ^ 0x80000000


@njit(cache=True, nogil=True, inline="always")
def learn(counters: Counters, at: Whole, bit: Whole, rates: Ints, most: Whole) -> None:
    """Move the counter of a table towards a bit."""
    counters[at] = learned(np.int64(counters[at]), bit, rates, most)


@njit(cache=True, nogil=True, inline="always")
def logit(counters: Counters, at: Whole, stretch: Ints) -> Whole:
    """Give a counter's probability in the logistic domain."""
    return stretch[(np.int64(counters[at]) ^ 0x80000000) >> 20]


@njit(cache=True, nogil=True, inline="always")
def direct(counters: Counters, at: Whole) -> Whole:
    """Give a counter's probability as it is coded without mixing."""
    return min(max((np.int64(counters[at]) ^ 0x80000000) >> 16, 16), 65520)


@njit(cache=True, nogil=True, inline="always")
def mixed(inputs: Ints, weights: Ints, group: Whole, squash: Ints) -> Whole:
    """Give the probability whose logit is the weighted sum of the inputs."""
    total = 0
    for i in range(4):
        total += weights[group, i] * inputs[i]
    return squash[min(max(total >> 16, -2047), 2047) + 2048]


@njit(cache=True, nogil=True, inline="always")
def adjust(inputs: Ints, weights: Ints, group: Whole, bit: Whole, chance: Whole) -> None:
    """Move weights down the gradient of the coding cost; fast at first."""
    seen = weights[group, 4]
    error = ((bit << 16) - chance) * (8 + 16384 // (seen + 20))
    for i in range(4):
        weights[group, i] += (inputs[i] * error + (1 << 21)) >> 22
    weights[group, 4] = seen + 1


def counters(count: int) -> Counters:
    """Give counters that have seen nothing."""
    return np.zeros(count, dtype=np.uint32)


def weight_sets(groups: int) -> Ints:
    """Give sets of weights that begin slightly above the mean of their inputs."""
    sets = np.full((groups, WEIGHTS), 18000, dtype=np.int64)
    sets[:, -1] = 0
    return sets
