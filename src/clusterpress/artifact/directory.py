"""The directory of an artifact: what its tensors are, checked before any memory is taken."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, cast, get_args

from clusterpress.artifact.architecture import checked_architecture
from clusterpress.artifact.coders import PLAIN_CODERS, RAW, SYMBOL_CODERS
from clusterpress.artifact.consistency import (
    check_casts,
    check_layers,
    check_shared,
    check_tensor,
    check_tied,
)
from clusterpress.artifact.content import BUFFER, DENSE
from clusterpress.artifact.entries import StreamEntry, TensorEntry
from clusterpress.artifact.floats import DTYPES, item_bytes
from clusterpress.artifact.lane_plan import LANE_CODERS
from clusterpress.artifact.limits import FREE_ELEMENTS, MAX_ALPHABET, MAX_ELEMENTS
from clusterpress.artifact.strict import parse
from clusterpress.artifact.tops import low_bytes
from clusterpress.codes import CODES
from clusterpress.ledger import LayerType, Part

VERSION = 2
_VERSIONS = (1, 2)
_READ = " and ".join(map(str, _VERSIONS))
_KEYS = {"version", "position_bits", "architecture", "reference", "shared", "tensors"}
_KEYS_OF_2 = {"lanes", "tied", "casts"}
MAX_DIMENSIONS = 8
MAX_POSITION_BITS = 16
_PARTS = get_args(Part)
_SYMBOL_PARTS = ("index", "position", "transform")
_SETTINGS = 2
"""Symbols that a transform may have of a single weight: some are of the whole tensor."""


@dataclass(frozen=True)
class Directory:
    """All that a file says about its network, apart from the streams' bytes.

    Attributes:
        architecture: ``{"name": ..., "args": {...}}``, or None.
        reference: Elements of a tensor of the uncompressed baseline, where they differ from own.
        position_bits: Width of a relative position by the paper's convention.
        tensors: Entries by state-dict name.
        shared: Tensors without a codebook of their own, and the tensor before them whose it is.
        tied: Further names of tensors, which are the same parameter or buffer.
        lanes: Bytes of every lane; none in a file of version 1.
        version: Of the file's format.
    """

    architecture: Mapping[str, Any] | None
    reference: Mapping[str, int]
    position_bits: int
    tensors: Mapping[str, TensorEntry]
    shared: Mapping[str, str] = field(default_factory=dict)
    tied: Mapping[str, str] = field(default_factory=dict)
    lanes: tuple[int, ...] = ()
    version: int = VERSION

    def elements(self) -> int:
        """Give the elements of all tensors together."""
        return sum(entry.elements for entry in self.tensors.values())

    def full_reference(self) -> dict[str, int]:
        """Give the elements of every tensor in the uncompressed baseline."""
        return {
            name: self.reference.get(name, entry.elements) for name, entry in self.tensors.items()
        }


def to_text(directory: Directory) -> str:
    """Write the directory as compact JSON."""
    fields: dict[str, Any] = {"version": VERSION, "position_bits": directory.position_bits}
    if directory.architecture is not None:
        fields["architecture"] = directory.architecture
    if directory.reference:
        fields["reference"] = dict(directory.reference)
    if directory.shared:
        fields["shared"] = dict(directory.shared)
    if directory.tied:
        fields["tied"] = dict(directory.tied)
    casts = {name: entry.cast for name, entry in directory.tensors.items() if entry.cast}
    if casts:
        fields["casts"] = casts
    fields["lanes"] = list(directory.lanes)
    fields["tensors"] = {name: _row(entry) for name, entry in directory.tensors.items()}
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _row(entry: TensorEntry) -> list[Any]:
    streams = [
        [
            one.part,
            one.coder,
            one.form,
            one.count,
            *([] if one.coder in LANE_CODERS else [one.size]),
        ]
        for one in entry.streams
    ]
    return [entry.layer_type, entry.kind, list(entry.shape), *streams]


def from_text(text: str) -> Directory:
    """Read and check a directory.

    Raises:
        ValueError: It is not JSON, of an unknown version, names or measures something that
            cannot be, or contradicts itself inside a tensor or a layer.
    """
    fields = parse(text)
    _expect(isinstance(fields, dict), "the directory is not an object")
    version = fields.get("version")
    known_version = type(version) is int and version in _VERSIONS
    _expect(known_version, f"its version is {version!r}, this clusterpress reads {_READ}")
    known = _KEYS | (_KEYS_OF_2 if version > 1 else set())
    _expect(set(fields) <= known, f"the directory has unknown keys {sorted(set(fields) - known)}")
    tensors = _mapping(fields.get("tensors"), "tensors")
    shared = _mapping(fields.get("shared", {}), "shared")
    casts = _mapping(fields.get("casts", {}), "casts")
    entries = {
        name: replace(_entry(name, row, name in shared), cast=casts.get(name))
        for name, row in tensors.items()
    }
    check_casts(casts, entries)
    check_layers(entries)
    check_shared(shared, entries)
    tied = _mapping(fields.get("tied", {}), "tied")
    check_tied(tied, entries)
    architecture = fields.get("architecture")
    directory = Directory(
        None if architecture is None else checked_architecture(architecture),
        checked_reference(_mapping(fields.get("reference", {}), "reference"), entries),
        _whole(fields.get("position_bits"), 1, MAX_POSITION_BITS, "position_bits"),
        entries,
        shared,
        tied,
        _lanes(fields.get("lanes", [])),
        version,
    )
    _check_claims(directory)
    return directory


def _lanes(rows: Any) -> tuple[int, ...]:
    _expect(isinstance(rows, list), "lanes is not a list")
    return tuple(_whole(size, 0, 1 << 40, "bytes of a lane") for size in rows)


def _check_claims(directory: Directory) -> None:
    """Check the values in all: those in lanes have next to no bytes of their own."""
    total = directory.elements()
    _expect(total <= MAX_ELEMENTS, f"{total} elements in all, at most {MAX_ELEMENTS} are allowed")
    for name, entry in directory.tensors.items():
        for one in entry.streams:
            most = total + FREE_ELEMENTS
            held = f"{one.part} of tensor {name!r} has {one.count} values, at most {most} are"
            in_lane = one.coder in LANE_CODERS
            _expect(not in_lane or one.count <= most, f"{held} allowed for {total} elements in all")
            second = (*LANE_CODERS, RAW, *PLAIN_CODERS)
            known = one.coder in second if directory.version > 1 else not in_lane
            _expect(known, f"{one.part} of tensor {name!r} has unknown coder {one.coder!r}")


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
    return {name: count for name, count in checked.items() if count != tensors[name].elements}


def _entry(name: str, row: Any, shares: bool) -> TensorEntry:
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
    entry = TensorEntry(layer_type, kind, sizes, entries)
    check_tensor(name, entry, shares)
    return entry


def _stream(where: str, row: Any, elements: int) -> StreamEntry:
    listed = isinstance(row, list) and len(row) in (4, 5)
    _expect(listed, f"a stream of {where} is not a list of 5, or of 4 in a lane")
    part, coder, form, count, *own = row
    _expect(part in _PARTS, f"{where} has unknown part {part!r}")
    where = f"{part} of {where}"
    floats = part not in _SYMBOL_PARTS
    _expect(coder in (RAW, *SYMBOL_CODERS, *LANE_CODERS), f"{where} has unknown coder {coder!r}")
    in_lane = coder in LANE_CODERS
    _expect(len(own) == 1 - in_lane, f"{where}, coded as {coder!r}, is a list of {len(row)}")
    fits = in_lane or (coder == RAW) == floats
    _expect(fits, f"{where} cannot be coded as {coder!r}")
    count = _whole(count, 0, MAX_ELEMENTS, f"count of {where}")
    if floats:
        _expect(form in DTYPES, f"{where} has unknown dtype {form!r}")
    else:
        # An index has a codebook, and that has bytes: the two are compared in check_tensor.
        most = MAX_ELEMENTS if part == "index" and not in_lane else MAX_ALPHABET
        _whole(form, 2 if in_lane else 0, most, f"alphabet of {where}")
        least = _SETTINGS if part == "transform" and elements else 0
        _expect(
            count <= max(elements, least), f"{where} has {count} symbols for {elements} weights"
        )
    if in_lane:
        size = low_bytes(count, form) if floats else 0
    else:
        size = _whole(own[0], 0, 1 << 40, f"bytes of {where}")
        stated = count * item_bytes(form) if floats else size
        _expect(size == stated, f"{where} has {size} bytes instead of {stated}")
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
