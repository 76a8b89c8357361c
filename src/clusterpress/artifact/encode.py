"""Write a network as an artifact."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from torch import nn

from clusterpress.artifact.architecture import checked_architecture
from clusterpress.artifact.container import BODY, pack
from clusterpress.artifact.content import contents, ties
from clusterpress.artifact.counting import make_ledger
from clusterpress.artifact.directory import Directory, checked_reference, from_text, to_text
from clusterpress.artifact.packing import Coder, Packed, packed
from clusterpress.durable import write_atomic
from clusterpress.errors import ConfigError
from clusterpress.ledger import Ledger


def save(
    network: nn.Module,
    path: str | os.PathLike[str],
    *,
    architecture: Mapping[str, Any] | None = None,
    reference: Mapping[str, int] | None = None,
    position_bits: int = 5,
    coder: Coder = "small",
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
        coder: ``small`` for the fewest bytes; ``fast`` codes streams of a million symbols and
            more in one context each, which takes about a third of the time.

    Returns:
        The ledger of the file.

    Raises:
        ConfigError: An argument is wrong, or the network holds what an artifact cannot.
        StoreError: The file cannot be written.
    """
    if coder not in get_args(Coder):
        raise ConfigError(f"coder={coder!r} is not one of {', '.join(get_args(Coder))}.")
    tensors = contents(network)
    try:
        coded = packed(tensors, coder)
        shared = {one.name: one.codebook_of for one in tensors if one.codebook_of is not None}
        directory = _directory(
            coded, architecture, reference or {}, position_bits, shared, ties(network)
        )
    except ValueError as error:
        raise ConfigError(f"The network cannot be written to {path}: {error}.") from error
    data = pack(to_text(directory), {BODY: coded.body})
    write_atomic(Path(path), data)
    counted = (replace(tensor, sizes=coded.sizes[tensor.name]) for tensor in tensors)
    return make_ledger(counted, directory, len(data) - len(coded.body))


def _directory(
    coded: Packed,
    architecture: Mapping[str, Any] | None,
    reference: Mapping[str, int],
    position_bits: int,
    shared: Mapping[str, str],
    tied: Mapping[str, str],
) -> Directory:
    directory = Directory(
        None if architecture is None else checked_architecture(architecture),
        checked_reference(reference, coded.entries),
        position_bits,
        coded.entries,
        shared,
        tied,
        coded.lanes,
    )
    # What is written must pass the reader's own checks.
    return from_text(to_text(directory))
