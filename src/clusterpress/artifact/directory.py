"""The directory of an artifact: what its tensors are, checked before any memory is taken."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, cast, get_args

from clusterpress.artifact.architecture import checked_architecture
from clusterpress.artifact.coders import RAW, SYMBOL_CODERS
from clusterpress.artifact.content import BUFFER, DENSE, LayerType
from clusterpress.artifact.floats import DTYPES
from clusterpress.codes import CODES
from clusterpress.codes.base import Part

VERSION = 1
MAX_ELEMENTS = 1 << 29
MAX_DIMENSIONS = 8
MAX_POSITION_BITS = 16
_PARTS = get_args(Part)
_SYMBOL_PARTS = ("index", "position", "transform")


@dataclass(frozen=True)
class StreamEntry:
    """Where a stream is coded: ``form`` is its alphabet or its dtype, ``size`` its bytes."""

    part: Part
    coder: str
    form: int | str
    count: int
    size: int


@dataclass(frozen=True)
class TensorEntry:
    """What one tensor is; its streams' bytes follow one another in this order."""

    layer_type: LayerType
    kind: str
    shape: tuple[int, ...]
    streams: tuple[StreamEntry, ...]


@dataclass(frozen=True)
class Directory:
    """All that a file says about its network, apart from the streams' bytes.

    Attributes:
        architecture: ``{"name": ..., "args": {...}}``, or None.
        reference: Elements of a tensor of the uncompressed baseline, where they differ from own.
        position_bits: Width of a relative position by the paper's convention.
        tensors: Entries by state-dict name.
    """

    architecture: Mapping[str, Any] | None
    reference: Mapping[str, int]
    position_bits: int
    tensors: Mapping[str, TensorEntry]

    def full_reference(self) -> dict[str, int]:
        """Give the elements of every tensor in the uncompressed baseline."""
        return {
            name: self.reference.get(name, prod(entry.shape))
            for name, entry in self.tensors.items()
        }


def to_text(directory: Directory) -> str:
    """Write the directory as compact JSON."""
    fields: dict[str, Any] = {"version": VERSION, "position_bits": directory.position_bits}
    if directory.architecture is not None:
        fields["architecture"] = directory.architecture
    if directory.reference:
        fields["reference"] = dict(directory.reference)
    fields["tensors"] = {name: _row(entry) for name, entry in directory.tensors.items()}
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _row(entry: TensorEntry) -> list[Any]:
    streams = [[s.part, s.coder, s.form, s.count, s.size] for s in entry.streams]
    return [entry.layer_type, entry.kind, list(entry.shape), *streams]


def from_text(text: str) -> Directory:
    """Read and check a directory.

    Raises:
        ValueError: It is not JSON, of an unknown version, or names or measures something that
            cannot be.
    """
    fields = json.loads(text)
    _expect(isinstance(fields, dict), "the directory is not an object")
    version = fields.get("version")
    known_version = type(version) is int and version == VERSION
    _expect(known_version, f"its version is {version!r}, this clusterpress reads {VERSION}")
    known = {"version", "position_bits", "architecture", "reference", "tensors"}
    _expect(set(fields) <= known, f"the directory has unknown keys {sorted(set(fields) - known)}")
    tensors = _mapping(fields.get("tensors"), "tensors")
    entries = {name: _entry(name, row) for name, row in tensors.items()}
    total = sum(prod(entry.shape) for entry in entries.values())
    _expect(total <= MAX_ELEMENTS, f"{total} elements in all, at most {MAX_ELEMENTS} are allowed")
    architecture = fields.get("architecture")
    return Directory(
        None if architecture is None else checked_architecture(architecture),
        checked_reference(_mapping(fields.get("reference", {}), "reference"), entries),
        _whole(fields.get("position_bits"), 1, MAX_POSITION_BITS, "position_bits"),
        entries,
    )


def checked_reference(
    reference: Mapping[str, Any], tensors: Mapping[str, TensorEntry]
) -> dict[str, int]:
    """Check reference counts and keep those that differ from the tensors' own sizes.

    Raises:
        ValueError: A name is no tensor, or a count is not a whole number of elements.
    """
    unknown = sorted(set(reference) - set(tensors))
    _expect(not unknown, f"the reference names {unknown}, which the network does not have")
    checked = {
        name: _whole(count, 0, 1 << 40, f"reference of {name!r}")
        for name, count in reference.items()
    }
    return {name: count for name, count in checked.items() if count != prod(tensors[name].shape)}


def _entry(name: str, row: Any) -> TensorEntry:
    where = f"tensor {name!r}"
    _expect(isinstance(row, list) and len(row) >= 4, f"{where} is not described by a full list")
    layer_type, kind, shape, *streams = row
    _expect(layer_type in get_args(LayerType), f"{where} has unknown layer type {layer_type!r}")
    _expect(kind in (DENSE, BUFFER, *CODES), f"{where} has unknown code {kind!r}")
    _expect(isinstance(shape, list) and len(shape) <= MAX_DIMENSIONS, f"{where} has no valid shape")
    sizes = tuple(_whole(size, 0, MAX_ELEMENTS, f"shape of {where}") for size in shape)
    _expect(
        prod(sizes) <= MAX_ELEMENTS, f"{where} of shape {sizes} is above {MAX_ELEMENTS} elements"
    )
    entries = tuple(_stream(where, stream, prod(sizes)) for stream in streams)
    parts = [stream.part for stream in entries]
    _expect(len(set(parts)) == len(parts), f"{where} has a part twice: {parts}")
    floats = kind == BUFFER or all(str(s.form).startswith("f") for s in entries if s.coder == RAW)
    _expect(floats, f"{where} learns and must hold floats")
    if kind in (DENSE, BUFFER):
        plain = len(entries) == 1 and entries[0].coder == RAW and entries[0].count == prod(sizes)
        _expect(plain, f"{where} is plain and must have one raw stream of {prod(sizes)} values")
    return TensorEntry(layer_type, kind, sizes, entries)


def _stream(where: str, row: Any, elements: int) -> StreamEntry:
    _expect(isinstance(row, list) and len(row) == 5, f"a stream of {where} is not a list of 5")
    part, coder, form, count, size = row
    _expect(part in _PARTS, f"{where} has unknown part {part!r}")
    where = f"{part} of {where}"
    _expect(coder in (RAW, *SYMBOL_CODERS), f"{where} has unknown coder {coder!r}")
    _expect((coder == RAW) != (part in _SYMBOL_PARTS), f"{where} cannot be coded as {coder!r}")
    count = _whole(count, 0, MAX_ELEMENTS, f"count of {where}")
    size = _whole(size, 0, 1 << 40, f"bytes of {where}")
    if coder == RAW:
        _expect(form in DTYPES, f"{where} has unknown dtype {form!r}")
    else:
        _whole(form, 0, 1 << 31, f"alphabet of {where}")
        _expect(count <= elements, f"{where} has {count} symbols for {elements} weights")
    if part == "position":
        _expect(form == 2 and count == elements, f"{where} is not a mask of {elements} weights")
    return StreamEntry(cast(Part, part), coder, form, count, size)


def _mapping(value: Any, what: str) -> dict[str, Any]:
    _expect(isinstance(value, dict), f"{what} is not an object")
    return cast(dict[str, Any], value)


def _whole(value: Any, least: int, most: int, what: str) -> int:
    fits = type(value) is int and least <= value <= most
    shown = repr(value)[:40]
    _expect(fits, f"{what} is {shown}, not a whole number from {least} to {most}")
    return cast(int, value)


def _expect(holds: bool, sentence: str) -> None:
    if not holds:
        raise ValueError(sentence)
