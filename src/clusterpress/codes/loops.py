"""Compiled loops over the weights of a layer: one pass on one thread, in row-major order.

A thread reads a label of one byte and its gradient in less than a nanosecond, so that a pass over
VGG-16 is a hundredth of its training step. Several threads would have to add their sums up, in
another order than the one that fixes the bits.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[Any]
_NARROW = (np.uint8, np.uint16)


def narrowed(labels: Array) -> Array:
    """Give non-negative integers in the narrowest unsigned dtype of up to two bytes.

    Those that do not fit, or are so already, stay as they are.
    """
    most = int(labels.max(initial=0))
    fitting = (dtype for dtype in _NARROW if most <= np.iinfo(dtype).max)
    dtype = next(fitting, None)
    return labels if dtype is None else labels.astype(dtype, copy=False)


@njit(cache=True, nogil=True)
def places(mask: Array, found: Array) -> None:
    """Write the places of all that a flat mask keeps into ``found``, of just their number."""
    i = 0
    for place in range(mask.size):
        if mask[place]:
            found[i] = place
            i += 1


@njit(cache=True, nogil=True)
def take(codebook: Array, labels: Array, dense: Array) -> None:
    """Write every entry's centre into ``dense``, shape (n,)."""
    for i in range(labels.size):
        dense[i] = codebook[labels[i]]


@njit(cache=True, nogil=True)
def take_at(codebook: Array, labels: Array, positions: Array, dense: Array) -> None:
    """Write the centres of the kept entries into ``dense``, and zeros elsewhere."""
    dense[:] = 0
    for i in range(labels.size):
        dense[positions[i]] = codebook[labels[i]]


@njit(cache=True, nogil=True)
def add(values: Array, labels: Array, sums: Array) -> None:
    """Add ``values``, shape (n,), to the float64 ``sums``, shape (k,), of their labels."""
    for i in range(labels.size):
        sums[labels[i]] += values[i]


@njit(cache=True, nogil=True)
def add_at(values: Array, labels: Array, positions: Array, sums: Array) -> None:
    """Add the values of the kept entries to the float64 ``sums`` of their labels."""
    for i in range(labels.size):
        sums[labels[i]] += values[positions[i]]


@njit(cache=True, nogil=True)
def keep(values: Array, mask: Array, kept: Array) -> None:
    """Write ``values`` times ``mask`` (0 or 1, uint8) into ``kept``, in the dtype of both."""
    one = values.dtype.type(1)
    zero = values.dtype.type(0)
    for i in range(values.size):
        kept[i] = values[i] * (one if mask[i] else zero)
