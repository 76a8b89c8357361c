"""Read an artifact: into a network, or for inspection alone."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from clusterpress.artifact.architecture import build
from clusterpress.artifact.coders import FINITE_PARTS, Encoded, decode_stream
from clusterpress.artifact.container import BODY, read_bytes, unpack
from clusterpress.artifact.content import TensorContent
from clusterpress.artifact.counting import make_ledger
from clusterpress.artifact.directory import Directory, from_text
from clusterpress.artifact.entries import StreamEntry, TensorEntry
from clusterpress.artifact.floats import check_finite
from clusterpress.artifact.limits import check_alone
from clusterpress.artifact.resize import Rebuilt, checked_places, fill, in_memory, rebuild
from clusterpress.artifact.unpacking import Unpacked, Unpacker
from clusterpress.codes import Kernels, Stream
from clusterpress.errors import ArtifactError, ConfigError
from clusterpress.ledger import Ledger, Part

_LONGEST_REASON = 600


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
    payloads: Mapping[str, bytes]
    size: int

    @property
    def header_bytes(self) -> int:
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


def load(path: str | os.PathLike[str], into: nn.Module | None = None) -> nn.Module:
    """Read a network back, its codes attached and trainable.

    Weight, bias and sizes of each layer are checked against one another and against ``into``.
    Whether one layer's outputs are the next one's inputs is not: only the network's ``forward``
    knows which layer follows which, and it raises where a file's widths do not chain.

    Args:
        path: The file.
        into: A network of the same tensors with at least as many elements, changed in place: its
            linear, convolution and BatchNorm layers take the sizes that the file records. None
            builds the recorded architecture, where neither it nor the file may have more than
            ``FREE_ELEMENTS`` elements and ``ELEMENTS_PER_BYTE`` for each byte of the file.

    Returns:
        ``into``, or the network built.

    Raises:
        ArtifactError: The file is missing, damaged, hostile, of an unknown version, or does not
            fit the network. ``into`` is then unchanged.
        ConfigError: ``into`` is missing and the file records no architecture, or is not in memory.
    """
    file = _open(Path(path))
    if into is None and file.directory.architecture is None:
        raise ConfigError(f"The artifact {path} records no architecture: pass a network as into=.")
    try:
        network = _build(file) if into is None else in_memory(into)
        places = checked_places(network, file.directory)
        tensors: dict[str, Rebuilt] = {}
        for content in file.contents():
            tensors[content.name] = rebuild(content, tensors.get(content.codebook_of or ""))
    except ValueError as error:
        raise _refusal(path, "loaded", error) from error
    fill(places, tensors, file.directory.tied)
    return network


def read(path: str | os.PathLike[str]) -> Inspection:
    """Read what a file holds and count it, without building a network or a weight.

    Raises:
        ArtifactError: The file is missing, damaged, hostile or of an unknown version, or claims
            more than ``FREE_ELEMENTS`` and ``ELEMENTS_PER_BYTE`` for each byte.
    """
    file = _open(Path(path))
    try:
        check_alone(file.directory.elements(), file.size, "it")
        ledger = make_ledger(file.contents(), file.directory, file.header_bytes)
    except ValueError as error:
        raise _refusal(path, "read", error) from error
    tensors = _with_sizes(file.directory.tensors, ledger)
    return Inspection(file.directory.architecture, tensors, ledger)


def _with_sizes(tensors: Mapping[str, TensorEntry], ledger: Ledger) -> dict[str, TensorEntry]:
    """Give the streams' sizes as the ledger has them, with what lanes hold of them."""
    rows = ledger.tensors()
    return {
        name: replace(
            entry,
            streams=tuple(
                replace(one, size=rows[name][one.part].stored_bytes) for one in entry.streams
            ),
        )
        for name, entry in tensors.items()
    }


def state(path: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    """Read the dense tensors that a file gives, by state-dict name, without a network.

    Tensors of two names are there twice, each with memory of its own.

    Raises:
        ArtifactError: As ``read``.
    """
    file = _open(Path(path))
    dense: dict[str, torch.Tensor] = {}
    holders: dict[str, Rebuilt] = {}
    owners = set(file.directory.shared.values())
    try:
        check_alone(file.directory.elements(), file.size, "it")
        for content in file.contents():
            rebuilt = rebuild(content, holders.get(content.codebook_of or ""))
            dense[content.name] = rebuilt.dense()
            if content.name in owners:
                holders[content.name] = rebuilt
            del content, rebuilt  # The next tensor needs their memory.
    except ValueError as error:
        raise _refusal(path, "read", error) from error
    return dense | {name: dense[first].clone() for name, first in file.directory.tied.items()}


@dataclass(frozen=True)
class KernelBook:
    """The centroids that the kernels of some layers share.

    Attributes:
        centroids: As stored, float32, shape (K, h, w).
        uses: How many kernels are a copy of each, int64, shape (K,).
        layers: Names of the layers.
    """

    centroids: npt.NDArray[np.float32]
    uses: npt.NDArray[np.int64]
    layers: tuple[str, ...]


def read_kernels(path: str | os.PathLike[str]) -> list[KernelBook]:
    """Read the codebooks of shared kernels, without building a network; none where there is none.

    Raises:
        ArtifactError: As ``read``.
    """
    file = _open(Path(path))
    books: dict[str, KernelBook] = {}
    try:
        check_alone(file.directory.elements(), file.size, "it")
        for content in file.contents():
            if content.kind == Kernels.kind:
                owner = content.codebook_of or content.name
                books[owner] = _with_uses(books.get(owner), content)
    except ValueError as error:
        raise _refusal(path, "read", error) from error
    return list(books.values())


def _with_uses(book: KernelBook | None, content: TensorContent) -> KernelBook:
    """Add one tensor's uses to its set's codebook, which the first of the set brings along."""
    values = {stream.part: stream.values for stream in content.streams}
    if book is None:
        centroids = values["codebook"].astype(np.float32).reshape(-1, *content.shape[2:])
        book = KernelBook(centroids, np.zeros(len(centroids), np.int64), ())
    index = values["index"].ravel()
    if "scale" in values:
        index = index[values["scale"] != 0]  # Pruned kernels have an index too.
    uses = np.bincount(index, minlength=len(book.centroids))
    layer = content.name.rpartition(".")[0]
    return KernelBook(book.centroids, book.uses + uses, (*book.layers, layer))


def _open(path: Path) -> _File:
    """Check everything of a file that takes no more memory than the file."""
    data = read_bytes(path)
    try:
        text, payloads = unpack(data)
        directory = from_text(text)
        _check_payloads(directory, payloads)
    except (ValueError, RecursionError) as error:
        raise _refusal(path, "read", error) from error
    return _File(directory, payloads, len(data))


def _refusal(path: str | os.PathLike[str], what: str, error: Exception) -> ArtifactError:
    """Say why a file is refused, however long the names are that it brings along."""
    reason = str(error).rstrip(".")
    if len(reason) > _LONGEST_REASON:
        reason = f"{reason[:_LONGEST_REASON]}…"
    return ArtifactError(f"The artifact {path} cannot be {what}: {reason}.")


def _build(file: _File) -> nn.Module:
    """Build the recorded architecture, once its shapes alone are known to fit the file."""

    def check(skeleton: nn.Module) -> None:
        held = sum(value.numel() for value in skeleton.state_dict().values())
        check_alone(held, file.size, "the recorded architecture")
        checked_places(skeleton, file.directory)

    return build(file.directory.architecture or {}, check)


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
