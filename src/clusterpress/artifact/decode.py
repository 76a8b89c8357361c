"""Read an artifact: into a network, or for inspection alone."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from clusterpress.artifact.architecture import build
from clusterpress.artifact.counting import make_ledger
from clusterpress.artifact.entries import TensorEntry
from clusterpress.artifact.limits import check_alone
from clusterpress.artifact.opening import OpenedFile, opened, refusal
from clusterpress.artifact.resize import Rebuilt, checked_places, fill, in_memory, rebuild
from clusterpress.errors import ConfigError
from clusterpress.ledger import Ledger


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
    file = opened(path)
    if into is None and file.directory.architecture is None:
        raise ConfigError(f"The artifact {path} records no architecture: pass a network as into=.")
    try:
        network = _build(file) if into is None else in_memory(into)
        places = checked_places(network, file.directory)
        tensors: dict[str, Rebuilt] = {}
        for content in file.contents():
            tensors[content.name] = rebuild(content, tensors.get(content.codebook_of or ""))
    except ValueError as error:
        raise refusal(path, "loaded", error) from error
    fill(places, tensors, file.directory.tied)
    return network


def read(path: str | os.PathLike[str]) -> Inspection:
    """Read what a file holds and count it, without building a network or a weight.

    Raises:
        ArtifactError: The file is missing, damaged, hostile or of an unknown version, or claims
            more than ``FREE_ELEMENTS`` and ``ELEMENTS_PER_BYTE`` for each byte.
    """
    file = opened(path)
    try:
        check_alone(file.directory.elements(), file.size, "it")
        ledger = make_ledger(file.contents(), file.directory, file.header_bytes)
    except ValueError as error:
        raise refusal(path, "read", error) from error
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
    file = opened(path)
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
        raise refusal(path, "read", error) from error
    return dense | {name: dense[first].clone() for name, first in file.directory.tied.items()}


def _build(file: OpenedFile) -> nn.Module:
    """Build the recorded architecture, once its shapes alone are known to fit the file."""

    def check(skeleton: nn.Module) -> None:
        held = sum(value.numel() for value in skeleton.state_dict().values())
        check_alone(held, file.size, "the recorded architecture")
        checked_places(skeleton, file.directory)

    return build(file.directory.architecture or {}, check)
