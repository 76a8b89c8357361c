"""Write a network as an artifact."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from clusterpress.artifact.architecture import checked_architecture
from clusterpress.artifact.coders import Encoded, encode_stream
from clusterpress.artifact.container import pack
from clusterpress.artifact.content import TensorContent, contents, ties
from clusterpress.artifact.directory import Directory, checked_reference, from_text, to_text
from clusterpress.artifact.entries import StreamEntry, TensorEntry
from clusterpress.artifact.ledger import Ledger, make_ledger
from clusterpress.durable import write_atomic
from clusterpress.errors import ConfigError


def save(
    network: nn.Module,
    path: str | os.PathLike[str],
    *,
    architecture: Mapping[str, Any] | None = None,
    reference: Mapping[str, int] | None = None,
    position_bits: int = 5,
) -> Ledger:
    """Write a network to one file, whole or not at all.

    Args:
        network: Dense or coded; every parameter and persistent buffer is stored without loss.
        path: The file; an older one is replaced.
        architecture: ``{"name": ..., "args": {...}}`` of ``clusterpress.models.MODELS``, for
            ``load`` without a network; None where the caller will supply one.
        reference: Elements of each tensor of the uncompressed baseline by state-dict name, where
            they differ from the network's own (merged networks are smaller).
        position_bits: Bits of a relative position by Han et al.'s convention; the file's own
            positions do not use it.

    Returns:
        The ledger of the file.

    Raises:
        ConfigError: An argument is wrong, or the network holds what an artifact cannot.
        StoreError: The file cannot be written.
    """
    tensors = contents(network)
    try:
        encoded = {tensor.name: _encode(tensor) for tensor in tensors}
        directory = _directory(
            {tensor.name: _entry(tensor, encoded[tensor.name]) for tensor in tensors},
            architecture,
            reference or {},
            position_bits,
            {one.name: one.codebook_of for one in tensors if one.codebook_of is not None},
            ties(network),
        )
    except ValueError as error:
        raise ConfigError(f"The network cannot be written to {path}: {error}.") from error
    payloads = {name: b"".join(one.data for one in streams) for name, streams in encoded.items()}
    data = pack(to_text(directory), payloads)
    write_atomic(Path(path), data)
    return make_ledger(tensors, directory, len(data) - sum(map(len, payloads.values())))


def _encode(tensor: TensorContent) -> list[Encoded]:
    try:
        return [encode_stream(stream) for stream in tensor.streams]
    except ValueError as error:
        raise ValueError(f"tensor {tensor.name!r} has {error}") from error


def _entry(tensor: TensorContent, encoded: list[Encoded]) -> TensorEntry:
    streams = tuple(
        StreamEntry(stream.part, one.coder, one.form, stream.values.size, len(one.data))
        for stream, one in zip(tensor.streams, encoded, strict=True)
    )
    return TensorEntry(tensor.layer_type, tensor.kind, tensor.shape, streams, tensor.cast)


def _directory(
    entries: dict[str, TensorEntry],
    architecture: Mapping[str, Any] | None,
    reference: Mapping[str, int],
    position_bits: int,
    shared: Mapping[str, str],
    tied: Mapping[str, str],
) -> Directory:
    directory = Directory(
        None if architecture is None else checked_architecture(architecture),
        checked_reference(reference, entries),
        position_bits,
        entries,
        shared,
        tied,
    )
    # What is written must pass the reader's own checks.
    return from_text(to_text(directory))
