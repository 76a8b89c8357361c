"""Floats as symbols: sign, exponent and first digits by a tree, the rest as they are.

The upper 16 bits of a float are one symbol of a lane; the lower ones, which no context tells
anything of, are stored as plain bytes. Whole numbers are symbols byte by byte.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterpress.artifact.binary import Bytes
from clusterpress.artifact.floats import item_bytes, numpy_dtype
from clusterpress.artifact.tree_loops import Shorts
from clusterpress.artifact.tree_model import Alphabet

# Bytes of whole numbers that a lane holds at most.
MOST_BYTES = 4096


@dataclass(frozen=True)
class _Top:
    """Bits of the upper half: exponent, leading digits; and the exponent of the lowest class."""

    exponent: int
    digits: int
    lowest: int


_TOPS = {
    "f2": _Top(5, 3, 1),
    "f4": _Top(8, 1, 113),
    "bf2": _Top(8, 1, 113),
    "f8": _Top(11, 0, 1009),
}


def is_float(dtype: str) -> bool:
    """Whether a lane holds values of a dtype by their upper halves, not byte by byte."""
    return dtype in _TOPS


def top_alphabet(dtype: str) -> Alphabet:
    """Give the alphabet of upper halves: exponent and digits before the sign in the tree."""
    if dtype not in _TOPS:
        symbols = np.arange(256)
        levels = 1 + symbols * 15 // 256
        return Alphabet(8, 256, 0, levels.astype(np.uint8), symbols.astype(np.uint8))
    top = _TOPS[dtype]
    bits = top.exponent + top.digits + 1
    exponents = np.arange(1 << bits) >> (top.digits + 1)
    levels = 1 + (exponents - top.lowest).clip(0, 14)
    magnitudes = 17 * (levels - 1)
    return Alphabet(
        bits, 1 << bits, 16 - bits, levels.astype(np.uint8), magnitudes.astype(np.uint8)
    )


def low_bytes(count: int, dtype: str) -> int:
    """Give the bytes that ``count`` values of a dtype have beside their symbols."""
    return count * (item_bytes(dtype) - 2) if is_float(dtype) else 0


def tops_values(symbols: int, dtype: str) -> int:
    """Give the number of values of which there are so many symbols."""
    return symbols if is_float(dtype) else symbols // item_bytes(dtype)


def split(values: npt.NDArray[Any], dtype: str) -> tuple[Shorts, bytes]:
    """Cut values, shape (n,), into symbols of ``top_alphabet`` and the bytes beside them."""
    raw = np.ascontiguousarray(values.astype(numpy_dtype(dtype).newbyteorder("<"), copy=False))
    parts = raw.view(np.uint8).reshape(values.size, -1)
    if not is_float(dtype):
        return parts.astype(np.uint16).ravel(), b""
    tops = np.ascontiguousarray(parts[:, -2:]).view("<u2").ravel().astype(np.uint16)
    return _sign_moved(tops, top_alphabet(dtype).even, back=False), parts[:, :-2].tobytes()


def join(symbols: Shorts, low: bytes, dtype: str) -> npt.NDArray[Any]:
    """Give back what ``split`` cut.

    Raises:
        ValueError: A bool is neither 0 nor 1.
    """
    if not is_float(dtype):
        parts: Bytes = symbols.astype(np.uint8)
        if dtype == "b1" and parts.size and int(parts.max()) > 1:
            raise ValueError("a bool is stored as neither 0 nor 1")
    else:
        tops = _sign_moved(symbols, top_alphabet(dtype).even, back=True)
        parts = np.empty((symbols.size, item_bytes(dtype)), np.uint8)
        parts[:, -2:] = tops.astype("<u2").view(np.uint8).reshape(-1, 2)
        parts[:, :-2] = np.frombuffer(low, np.uint8).reshape(symbols.size, -1)
    little = parts.reshape(-1).view(numpy_dtype(dtype).newbyteorder("<"))
    return little.astype(numpy_dtype(dtype), copy=False)


def _sign_moved(tops: Shorts, even: int, *, back: bool) -> Shorts:
    """Move the sign from the top of 16 bits to just above the ``even`` lowest, or back."""
    wide = tops.astype(np.uint32)
    below = wide & ((1 << even) - 1)
    if back:
        upper = ((wide >> (even + 1)) << even) | (((wide >> even) & 1) << 15)
    else:
        upper = (((wide & 0x7FFF) >> even) << (even + 1)) | ((wide >> 15) << even)
    return (upper | below).astype(np.uint16)
