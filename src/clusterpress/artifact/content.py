"""What an artifact holds of a network: every tensor of its state, as streams."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.utils import parametrize

from clusterpress.codes import Stream, code_of, original_of
from clusterpress.codes.base import Part
from clusterpress.errors import ConfigError

LayerType = Literal["conv", "fc", "other"]
DENSE, BUFFER = "dense", "buffer"
_NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm)


@dataclass(frozen=True)
class TensorContent:
    """One tensor of a network.

    Attributes:
        name: Name in the state dict of the dense network, as ``conv1.weight``.
        layer_type: ``conv``, ``fc`` or ``other``.
        kind: Kind of its code; ``dense`` for a plain parameter, ``buffer`` for a buffer.
        shape: Shape of the dense tensor.
        streams: Its parts.
    """

    name: str
    layer_type: LayerType
    kind: str
    shape: tuple[int, ...]
    streams: tuple[Stream, ...]


@dataclass(frozen=True)
class Place:
    """Where a tensor lives in a network."""

    module: nn.Module
    tensor: str


def places(network: nn.Module) -> dict[str, Place]:
    """Give the place of every parameter and persistent buffer by its dense state-dict name."""
    return {
        f"{name}.{tensor}" if name else tensor: Place(module, tensor)
        for name, module in _plain_modules(network)
        for tensor in _tensors(module)
    }


def contents(network: nn.Module) -> list[TensorContent]:
    """List every parameter and persistent buffer of a network, coded ones by their streams.

    Raises:
        ConfigError: A tensor is held by something that is no code, or has a dtype that numpy
            does not know (bfloat16).
    """
    return [_content(name, place.module, place.tensor) for name, place in places(network).items()]


def layer_type_of(module: nn.Module) -> LayerType:
    """Give ``conv``, ``fc``, or ``other`` for what is neither."""
    if isinstance(module, nn.Conv2d):
        return "conv"
    return "fc" if isinstance(module, nn.Linear) else "other"


def _plain_modules(network: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Yield the network's modules without the codes inside them."""
    inside: set[nn.Module] = set()
    for name, module in network.named_modules():
        if parametrize.is_parametrized(module):
            inside.update(cast(nn.ModuleDict, module.parametrizations).modules())
        if module not in inside:
            yield name, module


def _tensors(module: nn.Module) -> list[str]:
    coded: list[str] = []
    if parametrize.is_parametrized(module):
        coded = list(cast(nn.ModuleDict, module.parametrizations))
    plain = [name for name, _ in module.named_parameters(recurse=False)]
    passing = module._non_persistent_buffers_set
    buffers = [name for name, _ in module.named_buffers(recurse=False) if name not in passing]
    return [*coded, *plain, *buffers]


def _content(name: str, module: nn.Module, tensor: str) -> TensorContent:
    kind = _kind(module, name, tensor)
    value = cast(torch.Tensor, getattr(module, tensor)).detach()
    try:
        streams = _streams(module, tensor, kind, value)
    except TypeError as error:
        raise ConfigError(
            f"Tensor {name!r} of dtype {value.dtype} cannot be stored ({error}); "
            "convert the network with .float() first."
        ) from error
    return TensorContent(name, layer_type_of(module), kind, tuple(value.shape), tuple(streams))


def _streams(module: nn.Module, tensor: str, kind: str, value: torch.Tensor) -> list[Stream]:
    code = code_of(module, tensor)
    if code is not None:
        return code.streams(original_of(module, tensor))
    return [Stream(_part(module, tensor, kind), value.cpu().flatten().numpy())]


def _kind(module: nn.Module, name: str, tensor: str) -> str:
    if tensor in module._buffers:
        return BUFFER
    if not parametrize.is_parametrized(module, tensor):
        return DENSE
    code = code_of(module, tensor)
    holder = cast(nn.ModuleDict, module.parametrizations)[tensor]
    if code is None or len(cast(nn.ModuleList, holder)) != 1:
        found = ", ".join(type(one).__name__ for one in holder.children())
        raise ConfigError(
            f"Tensor {name!r} is parametrized by {found}; "
            "an artifact can hold one code of clusterpress.codes.CODES per tensor."
        )
    return code.kind


def _part(module: nn.Module, tensor: str, kind: str) -> Part:
    """Give the part of a plain tensor; every buffer counts with the norms, which own most."""
    if kind == BUFFER or isinstance(module, _NORMS):
        return "norm"
    return "bias" if tensor.endswith("bias") else "dense"
