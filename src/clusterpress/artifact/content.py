"""What an artifact holds of a network: every tensor of its state, as streams."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.utils import parametrize

from clusterpress.artifact.floats import dtype_name, to_numpy
from clusterpress.codes import (
    Cast,
    Kernels,
    Stream,
    code_of,
    dtype_of_cast,
    kind_of,
    original_of,
)
from clusterpress.errors import ConfigError
from clusterpress.ledger import LayerType, Part

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
        codebook_of: The tensor before it whose codebook is its own too; None where it holds one.
        cast: The dtype that the code's dense weight is given in; None for the code's own.
        sizes: Stored bytes of every stream, once they are known.
    """

    name: str
    layer_type: LayerType
    kind: str
    shape: tuple[int, ...]
    streams: tuple[Stream, ...]
    codebook_of: str | None = None
    cast: str | None = None
    sizes: tuple[int, ...] = ()


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

    Tensors that are another one under a second name (tied) are left out: ``ties`` has them.

    Raises:
        ConfigError: A tensor is held by something that is no code, has a dtype that an artifact
            does not hold, or is a part or another view of another one; or a module keeps state
            that is neither parameter nor buffer.
    """
    _require_only_tensors(network)
    holders: dict[int, str] = {}
    tied = ties(network)
    return [
        _content(name, place, holders)
        for name, place in places(network).items()
        if name not in tied
    ]


def elements(network: nn.Module) -> dict[str, int]:
    """Count the elements of every tensor that an artifact of the network would hold, by name.

    Raises:
        ConfigError: As ``contents``, but for dtypes.
    """
    _require_only_tensors(network)
    tied, found = ties(network), dict[str, int]()
    for name, place in places(network).items():
        _kind(place, name)
        if name not in tied:
            found[name] = int(getattr(place.module, place.tensor).numel())
    return found


def ties(network: nn.Module) -> dict[str, str]:
    """Give the first name of every tensor that has more than one.

    A whole layer under two names is no such pair: it has one name here, and stays one layer.

    Raises:
        ConfigError: Two tensors are not the same, and begin at the same memory; or a code holds
            one of them.
    """
    firsts: dict[tuple[torch.device, int], str] = {}
    own, tied = places(network), dict[str, str]()
    for name, place in own.items():
        if foreign(place):
            continue
        value = original_of(place.module, place.tensor)
        if value.numel() == 0 or value.is_meta:
            continue
        first = firsts.setdefault((value.device, value.data_ptr()), name)
        if first != name:
            _require_same(first, own[first], name, place)
            tied[name] = first
    return tied


def _require_same(first: str, one: Place, second: str, other: Place) -> None:
    values = [original_of(place.module, place.tensor) for place in (one, other)]
    kinds = {(value.shape, value.stride(), value.dtype) for value in values}
    coded = any(code_of(place.module, place.tensor) is not None for place in (one, other))
    if len(kinds) > 1 or coded:
        raise ConfigError(
            f"Tensors {first!r} and {second!r} lie in the same memory (tied) and are not the same "
            "plain tensor; an artifact cannot hold that: untie them first."
        )


def _require_only_tensors(network: nn.Module) -> None:
    """Refuse modules that save more than tensors of theirs, such as torch's quantised layers.

    What they keep besides would be missing in the file, and nothing would tell.
    """
    for name, module in _plain_modules(network):
        if isinstance(module, torch.jit.ScriptModule):
            continue  # It compiles what it holds, and holds parameters and buffers alone.
        saved: dict[str, Any] = {}
        module._save_to_state_dict(saved, "", keep_vars=True)
        beyond = sorted(set(saved) - set(_tensors(module)))
        if beyond:
            raise ConfigError(
                f"Module {name!r} ({type(module).__name__}) keeps {', '.join(beyond)} besides "
                "parameters and buffers; an artifact cannot hold that."
            )


def foreign(place: Place) -> bool:
    """Whether a tensor is held by a parametrization that is no single code."""
    if not parametrize.is_parametrized(place.module, place.tensor):
        return False
    _, *after = cast(
        nn.ModuleList, cast(nn.ModuleDict, place.module.parametrizations)[place.tensor]
    )
    ours = not after or (len(after) == 1 and isinstance(after[0], Cast))
    return code_of(place.module, place.tensor) is None or not ours


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


def _content(name: str, place: Place, holders: dict[int, str]) -> TensorContent:
    kind, module, tensor = _kind(place, name), place.module, place.tensor
    value, code = original_of(module, tensor).detach(), code_of(module, tensor)
    try:
        streams = _streams(module, tensor, kind, value)
    except TypeError as error:
        raise ConfigError(
            f"Tensor {name!r} of dtype {value.dtype} cannot be stored ({error}); "
            "convert it first, as by .float()."
        ) from error
    first = name
    if isinstance(code, Kernels):
        first = holders.setdefault(id(code.kernel_set), name)
    if first != name:
        streams = [stream for stream in streams if stream.part != "codebook"]
    return TensorContent(
        name,
        layer_type_of(module),
        kind,
        tuple(value.shape) if code is None else code.dense_shape(value),
        tuple(streams),
        None if first == name else first,
        _cast_of(module, tensor),
    )


def _cast_of(module: nn.Module, tensor: str) -> str | None:
    dtype = dtype_of_cast(module, tensor)
    return None if dtype is None else dtype_name(to_numpy(torch.empty(0, dtype=dtype)).dtype)


def _streams(module: nn.Module, tensor: str, kind: str, value: torch.Tensor) -> list[Stream]:
    code = code_of(module, tensor)
    if code is not None:
        return code.streams(original_of(module, tensor))
    return [Stream(part_of(module, tensor, kind), to_numpy(value))]


def _kind(place: Place, name: str) -> str:
    module, tensor = place.module, place.tensor
    if tensor in module._buffers:
        return BUFFER
    if foreign(place):
        holder = cast(nn.ModuleDict, module.parametrizations)[tensor]
        found = ", ".join(type(one).__name__ for one in holder.children())
        raise ConfigError(
            f"Tensor {name!r} is parametrized by {found}; "
            "an artifact can hold one code of clusterpress.codes.CODES per tensor."
        )
    return kind_of(module, tensor)


def part_of(module: nn.Module, tensor: str, kind: str) -> Part:
    """Give the part of a plain tensor; every buffer counts with the norms, which own most."""
    if kind == BUFFER or isinstance(module, _NORMS):
        return "norm"
    return "bias" if tensor.endswith("bias") else "dense"
