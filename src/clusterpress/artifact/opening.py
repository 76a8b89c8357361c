"""An artifact's file, opened: its directory checked, its tensors' contents decoded one by one."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from clusterpress.artifact.coders import FINITE_PARTS, Encoded, decode_stream
from clusterpress.artifact.container import BODY, read_bytes, unpack
from clusterpress.artifact.content import TensorContent
from clusterpress.artifact.directory import Directory, from_text
from clusterpress.artifact.entries import StreamEntry, TensorEntry
from clusterpress.artifact.floats import check_finite
from clusterpress.artifact.unpacking import Unpacked, Unpacker
from clusterpress.codes import Stream
from clusterpress.errors import ArtifactError
from clusterpress.ledger import Part

_LONGEST_REASON = 600


@dataclass(frozen=True)
class OpenedFile:
    """A file whose directory accounts for every byte; nothing of it is decoded yet."""

    directory: Directory
    payloads: Mapping[str, bytes]
    size: int

    @property
    def header_bytes(self) -> int:
        """Bytes before the contents."""
        return self.size - sum(map(len, self.payloads.values()))

    def contents(self) -> Iterator[TensorContent]:
        """Decode one tensor after another; ValueError where one is damaged."""
        tensors = self.directory.tensors
        if self.directory.version == 1:
            decoded: Iterator[tuple[str, Unpacked]] = (
                (name, _first(name, tensors[name], self.payloads[name])) for name in tensors
            )
        else:
            decoded = iter(Unpacker(self.directory, self.payloads[BODY]))
        for name, found in decoded:
            content = _content(name, tensors[name], found)
            one = [replace(content, codebook_of=self.directory.shared.get(name))]
            del found, content  # While the next tensor is decoded, this one belongs to the caller.
            yield one.pop()


def opened(path: str | os.PathLike[str]) -> OpenedFile:
    """Check everything of a file that takes no more memory than the file."""
    data = read_bytes(Path(path))
    try:
        text, payloads = unpack(data)
        directory = from_text(text)
        _check_payloads(directory, payloads)
    except (ValueError, RecursionError) as error:
        raise refusal(path, "read", error) from error
    return OpenedFile(directory, payloads, len(data))


def refusal(path: str | os.PathLike[str], what: str, error: Exception) -> ArtifactError:
    """Say why a file is refused, however long the names are that it brings along."""
    reason = str(error).rstrip(".")
    if len(reason) > _LONGEST_REASON:
        reason = f"{reason[:_LONGEST_REASON]}…"
    return ArtifactError(f"The artifact {path} cannot be {what}: {reason}.")


def _check_payloads(directory: Directory, payloads: Mapping[str, bytes]) -> None:
    """Check that the directory accounts for every byte before any of them is decoded."""
    if (directory.version > 1) != (set(payloads) == {BODY}):
        raise ValueError(f"its version is {directory.version}, which has another layout")
    if directory.version > 1:
        Unpacker(directory, payloads[BODY])
        return
    different = sorted(set(directory.tensors) ^ set(payloads))
    if different:
        raise ValueError(f"directory and content differ in tensors {different[:3]}")
    for name, entry in directory.tensors.items():
        stated = sum(stream.size for stream in entry.streams)
        if stated != len(payloads[name]):
            raise ValueError(f"tensor {name!r} has {len(payloads[name])} bytes instead of {stated}")


def _first(name: str, entry: TensorEntry, payload: bytes) -> Unpacked:
    """Decode a tensor's streams of a file of version 1."""
    values: list[npt.NDArray[Any]] = []
    start = 0
    for stream in entry.streams:
        data = payload[start : start + stream.size]
        start += stream.size
        shape = (stream.count,) if stream.part != "position" else entry.shape
        try:
            values.append(decode_stream(Encoded(stream.coder, stream.form, data), shape))
        except ValueError as error:
            raise ValueError(f"{stream.part} of tensor {name!r}: {error}") from error
    return Unpacked(tuple(values), tuple(stream.size for stream in entry.streams))


def _content(name: str, entry: TensorEntry, found: Unpacked) -> TensorContent:
    streams = tuple(
        _stream(name, stream, values)
        for stream, values in zip(entry.streams, found.values, strict=True)
    )
    _check_kept(name, {stream.part: stream.values for stream in streams})
    return TensorContent(
        name, entry.layer_type, entry.kind, entry.shape, streams, None, entry.cast, found.sizes
    )


def _check_kept(name: str, values: Mapping[Part, npt.NDArray[Any]]) -> None:
    position = values.get("position")
    if position is None:
        return
    kept = int(np.count_nonzero(position))
    for part in ("index", "dense"):
        if part in values and values[part].size != kept:
            found = values[part].size
            raise ValueError(f"{part} of tensor {name!r}: {found} for a mask that keeps {kept}")


def _stream(name: str, entry: StreamEntry, values: npt.NDArray[Any]) -> Stream:
    if entry.part in FINITE_PARTS:
        try:
            check_finite(values)
        except ValueError as error:
            raise ValueError(f"{entry.part} of tensor {name!r}: {error}") from error
    if entry.part == "position":
        values = values.astype(np.uint8, copy=False)
    return Stream(entry.part, values, None if isinstance(entry.form, str) else entry.form)
