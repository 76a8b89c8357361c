"""Streams of a whole network -> lanes and bytes of their own, each stream by its smallest coder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from clusterpress.artifact.coders import FINITE_PARTS, PLAIN_CODERS, encode_stream
from clusterpress.artifact.content import TensorContent
from clusterpress.artifact.entries import StreamEntry, TensorEntry
from clusterpress.artifact.floats import check_finite, dtype_name, item_bytes
from clusterpress.artifact.huffman import fixed_width
from clusterpress.artifact.lane_plan import FAST, LANE, MIXED, Piece, coded, plan, streams_of
from clusterpress.artifact.lanes import Parts, run_lane
from clusterpress.artifact.limits import MAX_ALPHABET
from clusterpress.artifact.symbols import encode_constant
from clusterpress.artifact.tops import MOST_BYTES, is_float, low_bytes, split
from clusterpress.clustering.threads import on_threads
from clusterpress.codes import Stream

Coder = Literal["small", "fast"]
# From here on ``fast`` codes symbols in one context, and floats not at all.
_MANY_SYMBOLS, _MANY_FLOATS = 1 << 20, 1 << 16
# Bytes that a size of its own takes in the directory, about.
_SIZE_BYTES = 4


@dataclass(frozen=True)
class Packed:
    """A network's streams as bytes.

    Attributes:
        entries: What the directory says of every tensor.
        lanes: Bytes of every lane.
        body: The lanes, then the streams' own bytes in the order of the entries.
        sizes: Stored bytes of every stream by tensor.
    """

    entries: Mapping[str, TensorEntry]
    lanes: tuple[int, ...]
    body: bytes
    sizes: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class _Item:
    """A stream with its entry, the symbols for a lane, and its own bytes."""

    stream: Stream
    entry: StreamEntry
    symbols: npt.NDArray[Any]
    own: bytes


# Lanes by their pieces: what each piece took of every stream, and the bytes.
Lanes = dict[tuple[Piece, ...], tuple[list[tuple[Piece, Mapping[str, int]]], bytes]]


def packed(tensors: Sequence[TensorContent], coder: Coder) -> Packed:
    """Encode all streams.

    Raises:
        ValueError: A dtype cannot be stored, or a symbol is outside its alphabet.
    """
    items = {tensor.name: _items(tensor, coder) for tensor in tensors}
    entries = _entries(tensors, items)
    done = _coded(entries, items, {})
    in_lanes = _sizes(entries, done)
    better = {
        name: [_smaller(item, in_lanes[name]) for item in of_tensor]
        for name, of_tensor in items.items()
    }
    moved = {
        (name, old.entry.part)
        for name, of_tensor in items.items()
        for new, old in zip(better[name], of_tensor, strict=True)
        if new is not old
    }
    if moved:
        kept = {
            lane: one
            for lane, one in done.items()
            if not any(
                (p.tensor, s.part) in moved for p in lane for s in streams_of(entries[p.tensor], p)
            )
        }
        items, entries = better, _entries(tensors, better)
        done = _coded(entries, items, kept)
        in_lanes = _sizes(entries, done)
    lanes = [data for _, data in done.values()]
    sizes = {
        name: tuple(item.entry.size + in_lanes[name].get(item.entry.part, 0) for item in of_tensor)
        for name, of_tensor in items.items()
    }
    own = [item.own for of_tensor in items.values() for item in of_tensor]
    return Packed(entries, tuple(map(len, lanes)), b"".join([*lanes, *own]), sizes)


def _items(tensor: TensorContent, coder: Coder) -> list[_Item]:
    try:
        large = coder == "fast" and prod(tensor.shape) > LANE
        return [_item(stream, coder, large) for stream in tensor.streams]
    except ValueError as error:
        raise ValueError(f"tensor {tensor.name!r} has {error}") from error


def _item(stream: Stream, coder: Coder, large: bool = False) -> _Item:
    values, alphabet = stream.values, stream.alphabet
    if stream.part in FINITE_PARTS:
        check_finite(values)
    if alphabet is None:
        dtype = dtype_name(values.dtype)
        # A large tensor's codebook would have a lane of millions of symbols coded once more.
        many = coder == "fast" and (large or values.size > _MANY_FLOATS)
        if not values.size or many or (not is_float(dtype) and values.nbytes > MOST_BYTES):
            return _alone(stream)
        symbols, low = split(values, dtype)
        entry = StreamEntry(stream.part, MIXED, dtype, values.size, low_bytes(values.size, dtype))
        return _Item(stream, entry, symbols, low)
    if values.size and not 0 <= int(values.min()) <= int(values.max()) < alphabet:
        raise ValueError(
            f"symbols from {values.min()} to {values.max()} in an alphabet of {alphabet}"
        )
    constant = encode_constant(values, alphabet) is not None
    if not values.size or constant or alphabet > MAX_ALPHABET:
        return _alone(stream)
    how = FAST if coder == "fast" and values.size >= _MANY_SYMBOLS else MIXED
    entry = StreamEntry(stream.part, how, alphabet, values.size, 0)
    if stream.part == "position":
        mask = np.ascontiguousarray(values, np.uint8).reshape(
            len(values) if values.ndim > 1 else 1, -1
        )
        return _Item(stream, entry, mask, b"")
    return _Item(stream, entry, values.ravel().astype(np.uint16), b"")


def _alone(stream: Stream) -> _Item:
    """Give a stream bytes of its own, by a coder that needs no lane."""
    done = encode_stream(stream, PLAIN_CODERS)
    symbols = stream.values
    if stream.part == "position":
        symbols = np.ascontiguousarray(symbols, np.uint8)
    size = len(done.data)
    entry = StreamEntry(stream.part, done.coder, done.form, stream.values.size, size)
    return _Item(stream, entry, symbols, done.data)


def _smaller(item: _Item, in_lane: Mapping[str, int]) -> _Item:
    """Take a stream out of its lane where bytes of its own are fewer."""
    if not coded(item.entry):
        return item
    stored, values = item.entry.size + in_lane[item.entry.part], item.stream.values
    if item.stream.alphabet is None:
        least = values.size * item_bytes(str(item.entry.form))
    else:
        least = (values.size * fixed_width(item.stream.alphabet) + 7) // 8
    return _alone(item.stream) if least + _SIZE_BYTES < stored else item


def _entries(
    tensors: Sequence[TensorContent], items: Mapping[str, list[_Item]]
) -> dict[str, TensorEntry]:
    return {
        tensor.name: replace_streams(tensor, tuple(item.entry for item in items[tensor.name]))
        for tensor in tensors
    }


def replace_streams(tensor: TensorContent, streams: tuple[StreamEntry, ...]) -> TensorEntry:
    """Give what the directory says of a tensor."""
    return TensorEntry(tensor.layer_type, tensor.kind, tensor.shape, streams, tensor.cast)


def _coded(
    entries: Mapping[str, TensorEntry], items: Mapping[str, list[_Item]], known: Lanes
) -> Lanes:
    """Code all lanes but those that are known, in order, on threads."""
    lanes = [tuple(lane) for lane in plan(entries)]
    missing = [lane for lane in lanes if lane not in known]
    given: dict[str, Parts] = {
        name: {str(item.entry.part): item.symbols for item in of_tensor}
        for name, of_tensor in items.items()
    }

    def work(number: int) -> tuple[list[tuple[Piece, Mapping[str, int]]], bytes]:
        done, data = run_lane(missing[number], entries, given)
        return [(one.piece, one.sizes) for one in done], data

    found = dict(zip(missing, on_threads(work, len(missing)), strict=True))
    return {lane: known[lane] if lane in known else found[lane] for lane in lanes}


def _sizes(entries: Mapping[str, TensorEntry], lanes: Lanes) -> dict[str, dict[str, int]]:
    """Give the bytes that lanes hold of every stream."""
    sizes: dict[str, dict[str, int]] = {name: {} for name in entries}
    for pieces, _ in lanes.values():
        for piece, of_parts in pieces:
            own = sizes[piece.tensor]
            for part, size in of_parts.items():
                own[part] = own.get(part, 0) + size
    return sizes
