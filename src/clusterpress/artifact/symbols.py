"""Coders of symbols that know nothing of their place: constant, bit-packed, and ANS.

ANS needs the frequency of every symbol. Its table holds one byte a symbol, a small float with a
4-bit exponent and a 4-bit mantissa: a frequency to within 3 %, over five decades, which costs
about 0.0003 bits a symbol. Integers alone rebuild it, so every machine decodes alike.
"""

from typing import Any

import constriction
import numpy as np
import numpy.typing as npt

from clusterpress.artifact.huffman import fixed_width
from clusterpress.artifact.limits import CHUNK

MAX_ANS_ALPHABET = 4096
_LEVELS = np.array([0, *((16 + b % 16) << (b // 16) for b in range(1, 256))], dtype=np.float64)

Symbols = npt.NDArray[Any]
Frequencies = npt.NDArray[np.uint8]


def encode_constant(values: Symbols, alphabet: int) -> bytes | None:
    """Encode symbols that are all the same: nothing for 0, else the symbol; None for others."""
    if values.size == 0 or alphabet < 1 or np.any(values != values.flat[0]):
        return None
    symbol = int(values.flat[0])
    return symbol.to_bytes((symbol.bit_length() + 7) // 8, "little")


def decode_constant(data: bytes, shape: tuple[int, ...], alphabet: int) -> Symbols:
    """Give the one symbol, everywhere."""
    symbol = int.from_bytes(data[:8], "little")
    if len(data) > 8 or symbol >= alphabet:
        raise ValueError(f"the constant symbol is not below the alphabet's {alphabet}")
    return np.full(shape, symbol, dtype=narrow_dtype(alphabet))


def encode_packed(values: Symbols, alphabet: int) -> bytes:
    """Pack symbols at a fixed width, bit plane after bit plane, lowest plane first."""
    narrow = values.ravel().astype(np.uint32)
    planes = [((narrow >> bit) & 1).astype(np.uint8) for bit in range(fixed_width(alphabet))]
    return np.packbits(np.concatenate(planes)).tobytes() if planes else b""


def decode_packed(data: bytes, shape: tuple[int, ...], alphabet: int) -> Symbols:
    """Unpack symbols of a fixed width."""
    count, width = int(np.prod(shape)), fixed_width(alphabet)
    if len(data) != (count * width + 7) // 8:
        raise ValueError(f"{len(data)} bytes for {count} symbols of {width} bits")
    values = np.zeros(count, dtype=narrow_dtype(alphabet))
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=count * width)
    for bit in range(width):
        values |= bits[bit * count : (bit + 1) * count].astype(values.dtype) << bit
    if count and int(values.max()) >= alphabet:
        raise ValueError(f"symbol {int(values.max())} in an alphabet of {alphabet}")
    return values.reshape(shape)


def encode_ans(values: Symbols, alphabet: int) -> bytes | None:
    """Encode symbols at about their entropy, the table of frequencies first."""
    if values.size == 0 or not 2 <= alphabet <= MAX_ANS_ALPHABET:
        return None
    table = quantise(np.bincount(values.ravel(), minlength=alphabet))
    coder = constriction.stream.stack.AnsCoder()
    coder.encode_reverse(as_symbols(values), categorical(table))
    return table.tobytes() + words_out(coder)


def decode_ans(data: bytes, shape: tuple[int, ...], alphabet: int) -> Symbols:
    """Decode a table of frequencies and the symbols that follow it."""
    if not 2 <= alphabet <= MAX_ANS_ALPHABET or len(data) < alphabet:
        raise ValueError(f"{len(data)} bytes cannot hold frequencies of {alphabet} symbols")
    coder = words_in(data[alphabet:])
    model = categorical(np.frombuffer(data[:alphabet], np.uint8))
    values = pop(coder, model, int(np.prod(shape)), narrow_dtype(alphabet))
    finished(coder)
    return values.reshape(shape)


def narrow_dtype(alphabet: int) -> np.dtype[Any]:
    """Give the smallest unsigned dtype that holds every symbol of an alphabet."""
    return np.min_scalar_type(max(0, alphabet - 1))


def pop(coder: Any, model: Any, count: int, dtype: npt.DTypeLike) -> Symbols:
    """Decode the next ``count`` symbols, shape (count,), without wide copies of them all."""
    values = np.empty(count, dtype=dtype)
    for start in range(0, count, CHUNK):
        part = values[start : start + CHUNK]
        part[:] = coder.decode(model, part.size)
    return values


def quantise(counts: npt.NDArray[np.int64]) -> Frequencies:
    """Round frequencies to one byte each, relative to the largest; 0 only where a count is 0."""
    scaled = counts * (_LEVELS[-1] / max(1, int(counts.max())))
    middle = (_LEVELS[1:-1] + _LEVELS[2:]) / 2
    return np.where(counts > 0, 1 + np.searchsorted(middle, scaled), 0).astype(np.uint8)


def categorical(table: Frequencies) -> Any:
    """Give the coder's model of at least two symbols with the frequencies of ``table``."""
    frequencies = _LEVELS[table]
    if not frequencies.sum() > 0:
        raise ValueError("the table of frequencies is all zero")
    return constriction.stream.model.Categorical(frequencies / frequencies.sum(), perfect=False)


def as_symbols(values: Symbols) -> npt.NDArray[np.int32]:
    """Give symbols in the flat int32 array that constriction takes."""
    return np.ascontiguousarray(values.ravel(), dtype=np.int32)


def words_out(coder: Any) -> bytes:
    """Give the coder's 32-bit words as little-endian bytes without the zeros at their end."""
    words = np.asarray(coder.get_compressed(), dtype=np.uint32)
    return words.astype("<u4").tobytes().rstrip(b"\0")


def words_in(data: bytes) -> Any:
    """Give a coder that holds what ``words_out`` wrote."""
    if data.endswith(b"\0"):
        raise ValueError("entropy-coded bytes end in a zero byte")
    words = np.frombuffer(data + bytes(-len(data) % 4), "<u4").astype(np.uint32)
    return constriction.stream.stack.AnsCoder(words) if words.size else empty_coder()


def empty_coder() -> Any:
    """Give a coder without content."""
    return constriction.stream.stack.AnsCoder()


def finished(coder: Any) -> None:
    """Check that decoding used up every bit."""
    if not coder.is_empty():
        raise ValueError("entropy-coded bits are left over after the last symbol")
