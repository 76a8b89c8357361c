"""Let steps compute in float32 on a network of another precision, and give it its dtypes back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from torch import nn

from clusterpress.codes import cast_to, coded_tensors

OTHERS = (torch.float16, torch.bfloat16, torch.float64)


@dataclass(frozen=True)
class Had:
    """What a network's tensors were before they became float32, by name.

    Attributes:
        dtypes: Of every tensor that was changed.
        doubles: Those of float64, whose bits float32 does not keep.
    """

    dtypes: Mapping[str, torch.dtype]
    doubles: Mapping[str, torch.Tensor]


def widened(network: nn.Module) -> Had:
    """Make every tensor of half or double precision float32, in place; tied ones stay tied.

    Returns:
        What they were.
    """
    had = {name: tensor for name, _, _, tensor in _tensors(network) if tensor.dtype in OTHERS}
    dtypes = {name: tensor.dtype for name, tensor in had.items()}
    doubles = {
        name: tensor.detach() for name, tensor in had.items() if tensor.dtype == torch.float64
    }
    _change(network, dict.fromkeys(had, torch.float32), {})
    return Had(dtypes, doubles)


def narrowed(network: nn.Module, had: Had) -> None:
    """Give every tensor the dtype that it had, in place; a coded weight is cast in forward.

    Tensors of float64 that no step changed have the bits that they had.
    """
    coded = {
        f"{name}.{tensor}".lstrip("."): (m, tensor) for name, m, tensor in coded_tensors(network)
    }
    for name, (module, tensor) in coded.items():
        if name in had.dtypes:
            cast_to(module, tensor, had.dtypes[name])
    plain = {name: dtype for name, dtype in had.dtypes.items() if name not in coded}
    _change(network, plain, had.doubles)


def _change(
    network: nn.Module, dtypes: Mapping[str, torch.dtype], before: Mapping[str, torch.Tensor]
) -> None:
    buffers: dict[int, torch.Tensor] = {}
    for name, module, own, tensor in list(_tensors(network)):
        if name not in dtypes:
            continue
        if isinstance(tensor, nn.Parameter):
            # The parameter itself stays, so that all who hold it see the change.
            tensor.data = _as(tensor.data, dtypes[name], before.get(name))
        else:
            value = _as(tensor, dtypes[name], before.get(name))
            module._buffers[own] = buffers.setdefault(id(tensor), value)


def _as(tensor: torch.Tensor, dtype: torch.dtype, before: torch.Tensor | None) -> torch.Tensor:
    if before is not None and torch.equal(before.to(tensor), tensor):
        return before
    return tensor.to(dtype)


def _tensors(network: nn.Module) -> Iterator[tuple[str, nn.Module, str, torch.Tensor]]:
    """Yield every plain parameter and buffer under all its names, with its holder."""
    for prefix, module in network.named_modules():
        held = {**module._parameters, **module._buffers}
        for own, tensor in held.items():
            if tensor is not None:
                yield f"{prefix}.{own}".lstrip("."), module, own, cast(torch.Tensor, tensor)
