"""The ledger's rows, counted from the same streams as the file."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterpress.artifact.content import BUFFER, TensorContent
from clusterpress.artifact.directory import Directory
from clusterpress.artifact.huffman import entropy_bits, fixed_width, huffman_bits
from clusterpress.artifact.limits import CHUNK
from clusterpress.codes import Stream
from clusterpress.ledger import Ledger, Row

# Kinds whose index, mask or values count the weights one by one.
_BY_WEIGHT = ("dense", BUFFER, "masked", "shared")
_COUNTED = 1 << 16


def make_ledger(
    contents: Iterable[TensorContent], directory: Directory, header_bytes: int
) -> Ledger:
    """Count the streams of ``contents``, one tensor at a time, each with its stored bytes."""
    rows = tuple(
        make_row(content, stream, size)
        for content in contents
        for stream, size in zip(content.streams, content.sizes, strict=True)
    )
    shapes = {name: entry.shape for name, entry in directory.tensors.items()}
    return Ledger(rows, header_bytes, directory.full_reference(), shapes, directory.position_bits)


def make_row(content: TensorContent, stream: Stream, stored_bytes: int) -> Row:
    """Count one stream."""
    values, alphabet = stream.values, stream.alphabet
    if alphabet is None:
        fixed = 8 * values.nbytes
        bits: tuple[int, float, int] = (fixed, float(fixed), fixed)
        histogram: tuple[int, ...] = ()
    else:
        present = count_symbols(values)
        counts = [present[symbol] for symbol in sorted(present)]
        bits = (values.size * fixed_width(alphabet), entropy_bits(counts), huffman_bits(counts))
        # Dense for an index alone: its alphabet is no larger than the codebook, which has bytes.
        symbols = range(alphabet) if stream.part == "index" else ()
        histogram = tuple(present[symbol] for symbol in symbols)
    return Row(
        content.name,
        content.name.rpartition(".")[0],
        content.layer_type,
        stream.part,
        values.size,
        alphabet,
        *bits,
        stored_bytes,
        histogram,
        gaps_of(values) if stream.part == "position" else (),
        content.kind == BUFFER,
        "" if content.kind in _BY_WEIGHT else content.kind,
    )


def count_symbols(values: npt.NDArray[Any]) -> Counter[int]:
    """Count the symbols that occur; memory grows with neither their number nor the alphabet."""
    flat = values.ravel()
    counter: Counter[int] = Counter()
    for start in range(0, flat.size, CHUNK):
        _tally(counter, flat[start : start + CHUNK])
    return counter


def gaps_of(mask: npt.NDArray[Any]) -> tuple[tuple[int, int], ...]:
    """Count the distances between kept weights in row-major order, the first from -1."""
    flat, last = mask.ravel(), -1
    counter: Counter[int] = Counter()
    for start in range(0, flat.size, CHUNK):
        kept = start + np.flatnonzero(flat[start : start + CHUNK])
        _tally(counter, np.diff(kept, prepend=last))
        last = int(kept[-1]) if kept.size else last
    return tuple(sorted(counter.items()))


def _tally(counter: Counter[int], values: npt.NDArray[Any]) -> None:
    if values.size and int(values.max()) < _COUNTED:  # Counting is many times faster than sorting.
        found = np.bincount(values)
        symbols = np.flatnonzero(found)
        counts = found[symbols]
    else:
        symbols, counts = np.unique(values, return_counts=True)
    counter.update(dict(zip(symbols.tolist(), counts.tolist(), strict=True)))
