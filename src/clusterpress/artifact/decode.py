"""Read an artifact: into a network, or for inspection alone."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from clusterpress.artifact.architecture import build
from clusterpress.artifact.coders import RAW, Encoded, decode_stream
from clusterpress.artifact.container import read_bytes, unpack
from clusterpress.artifact.content import TensorContent
from clusterpress.artifact.directory import Directory, StreamEntry, TensorEntry, from_text
from clusterpress.artifact.ledger import Ledger, make_ledger
from clusterpress.artifact.resize import Rebuilt, checked_places, fill, rebuild
from clusterpress.codes import Stream
from clusterpress.errors import ArtifactError, ConfigError


@dataclass(frozen=True)
class Inspection:
    """What a file says of itself, without a network built.

    Attributes:
        architecture: ``{"name": ..., "args": {...}}``, or None.
        directory: Code, shape and streams of every tensor, by state-dict name.
        ledger: Every byte.
    """

    architecture: Mapping[str, Any] | None
    directory: Mapping[str, TensorEntry]
    ledger: Ledger


@dataclass(frozen=True)
class _File:
    directory: Directory
    contents: list[TensorContent]
    tensors: dict[str, Rebuilt]
    header_bytes: int


def load(path: str | os.PathLike[str], into: nn.Module | None = None) -> nn.Module:
    """Read a network back, its codes attached and trainable.

    Args:
        path: The file.
        into: A network of the same tensors, changed in place: its linear and convolution layers
            take the sizes that the file records. None builds the recorded architecture.

    Returns:
        ``into``, or the network built.

    Raises:
        ArtifactError: The file is missing, damaged, hostile, of an unknown version, or does not
            fit the network. ``into`` is then unchanged.
        ConfigError: ``into`` is missing and the file records no architecture.
    """
    file = _read(Path(path))
    if into is None and file.directory.architecture is None:
        raise ConfigError(f"The artifact {path} records no architecture: pass a network as into=.")
    try:
        network = build(file.directory.architecture or {}) if into is None else into
        places = checked_places(network, file.directory.tensors)
    except ValueError as error:
        raise ArtifactError(f"The artifact {path} cannot be loaded: {error}.") from error
    fill(places, file.tensors)
    return network


def read(path: str | os.PathLike[str]) -> Inspection:
    """Read what a file holds and count it, without building a network.

    Raises:
        ArtifactError: The file is missing, damaged, hostile or of an unknown version.
    """
    file = _read(Path(path))
    ledger = make_ledger(file.contents, file.directory, file.header_bytes)
    return Inspection(file.directory.architecture, file.directory.tensors, ledger)


def _read(path: Path) -> _File:
    data = read_bytes(path)
    try:
        text, payloads = unpack(data)
        directory = from_text(text)
        _check_payloads(directory, payloads)
        contents = [
            _content(name, entry, payloads[name]) for name, entry in directory.tensors.items()
        ]
        tensors = {content.name: rebuild(content) for content in contents}
    except (ValueError, RecursionError) as error:
        raise ArtifactError(f"The artifact {path} cannot be read: {error}.") from error
    return _File(directory, contents, tensors, len(data) - sum(map(len, payloads.values())))


def _check_payloads(directory: Directory, payloads: Mapping[str, bytes]) -> None:
    """Check that the directory accounts for every byte before any of them is decoded."""
    different = sorted(set(directory.tensors) ^ set(payloads))
    if different:
        raise ValueError(f"directory and content differ in tensors {different[:3]}")
    for name, entry in directory.tensors.items():
        stated = sum(stream.size for stream in entry.streams)
        if stated != len(payloads[name]):
            raise ValueError(f"tensor {name!r} has {len(payloads[name])} bytes instead of {stated}")


def _content(name: str, entry: TensorEntry, payload: bytes) -> TensorContent:
    streams: list[Stream] = []
    start = 0
    for stream in entry.streams:
        data = payload[start : start + stream.size]
        start += stream.size
        try:
            streams.append(_stream(stream, entry.shape, data))
        except ValueError as error:
            raise ValueError(f"{stream.part} of tensor {name!r}: {error}") from error
    return TensorContent(name, entry.layer_type, entry.kind, entry.shape, tuple(streams))


def _stream(entry: StreamEntry, shape: tuple[int, ...], data: bytes) -> Stream:
    form = (entry.count,) if entry.part != "position" else shape
    values = decode_stream(Encoded(entry.coder, entry.form, data), form)
    if entry.part == "position":
        values = values.astype(np.uint8)
    return Stream(entry.part, values, None if entry.coder == RAW else int(entry.form))
