"""Which coders there are, and the choice of the smallest for a stream."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from clusterpress.artifact.floats import check_finite, decode_raw, dtype_name, encode_raw
from clusterpress.artifact.positions import decode_grid, encode_grid
from clusterpress.artifact.symbols import (
    Symbols,
    decode_ans,
    decode_constant,
    decode_packed,
    encode_ans,
    encode_constant,
    encode_packed,
)
from clusterpress.codes import Stream

RAW = "raw"
# Of these every weight of a tensor is made; other floats are stored whatever they are.
FINITE_PARTS = ("codebook", "scale")
# What a file of version 2 may have beside its lanes.
PLAIN_CODERS = ("constant", "packed")


@dataclass(frozen=True)
class SymbolCoder:
    """How symbols become bytes and come back; lossless.

    Attributes:
        encode: ``(values, alphabet) -> bytes``, or None where the coder does not apply.
        decode: ``(bytes, shape, alphabet) -> values`` in the smallest unsigned dtype; ValueError
            where they do not fit.
    """

    encode: Callable[[Symbols, int], bytes | None]
    decode: Callable[[bytes, tuple[int, ...], int], Symbols]


SYMBOL_CODERS: dict[str, SymbolCoder] = {
    "constant": SymbolCoder(encode_constant, decode_constant),
    "packed": SymbolCoder(encode_packed, decode_packed),
    "ans": SymbolCoder(encode_ans, decode_ans),
    "grid": SymbolCoder(encode_grid, decode_grid),
}


@dataclass(frozen=True)
class Encoded:
    """A stream's bytes and what it takes to read them; ``form`` is an alphabet or a dtype."""

    coder: str
    form: int | str
    data: bytes


def encode_stream(stream: Stream, names: Iterable[str] | None = None) -> Encoded:
    """Encode a stream by the coder of ``names``, or of all, that makes it smallest.

    Raises:
        ValueError: The values' dtype cannot be stored, a symbol is outside the alphabet, or a
            codebook or a scale is not finite.
    """
    values, alphabet = stream.values, stream.alphabet
    if stream.part in FINITE_PARTS:
        check_finite(values)
    if alphabet is None:
        return Encoded(RAW, dtype_name(values.dtype), encode_raw(values))
    if values.size and not 0 <= int(values.min()) <= int(values.max()) < alphabet:
        raise ValueError(
            f"symbols from {values.min()} to {values.max()} in an alphabet of {alphabet}"
        )
    among = SYMBOL_CODERS if names is None else names
    tried = ((name, SYMBOL_CODERS[name].encode(values, alphabet)) for name in among)
    fitting = [Encoded(name, alphabet, data) for name, data in tried if data is not None]
    return min(fitting, key=lambda encoded: len(encoded.data))


def decode_stream(encoded: Encoded, shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Decode a stream's values in ``shape``: narrow symbols, or values of their dtype.

    Raises:
        ValueError: The bytes do not fit the shape, the alphabet or the dtype.
    """
    if isinstance(encoded.form, str):
        (count,) = shape
        return decode_raw(encoded.data, count, encoded.form)
    return SYMBOL_CODERS[encoded.coder].decode(encoded.data, shape, encoded.form)
