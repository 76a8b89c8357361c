"""Let steps compute in float32 on a network of half precision, and give it its dtypes back."""

from collections.abc import Iterator, Mapping
from typing import cast

import torch
from torch import nn

from clusterpress.codes import cast_to, coded_tensors

HALF = (torch.float16, torch.bfloat16)
Dtypes = Mapping[str, torch.dtype]


def widened(network: nn.Module) -> dict[str, torch.dtype]:
    """Make every tensor of half precision float32, in place; tied ones stay tied.

    Returns:
        The dtypes that they had, by name.
    """
    had = {name: tensor.dtype for name, _, _, tensor in _tensors(network) if tensor.dtype in HALF}
    _change(network, dict.fromkeys(had, torch.float32))
    return had


def narrowed(network: nn.Module, had: Dtypes) -> None:
    """Give every tensor the dtype that it had, in place; a coded weight is cast in forward."""
    coded = {
        f"{name}.{tensor}".lstrip("."): (m, tensor) for name, m, tensor in coded_tensors(network)
    }
    for name, (module, tensor) in coded.items():
        if name in had:
            cast_to(module, tensor, had[name])
    _change(network, {name: dtype for name, dtype in had.items() if name not in coded})


def _change(network: nn.Module, dtypes: Dtypes) -> None:
    buffers: dict[int, torch.Tensor] = {}
    for name, module, own, tensor in list(_tensors(network)):
        if name not in dtypes:
            continue
        if isinstance(tensor, nn.Parameter):
            # The parameter itself stays, so that all who hold it see the change.
            tensor.data = tensor.data.to(dtypes[name])
        else:
            module._buffers[own] = buffers.setdefault(id(tensor), tensor.to(dtypes[name]))


def _tensors(network: nn.Module) -> Iterator[tuple[str, nn.Module, str, torch.Tensor]]:
    """Yield every plain parameter and buffer under all its names, with its holder."""
    for prefix, module in network.named_modules():
        held = {**module._parameters, **module._buffers}
        for own, tensor in held.items():
            if tensor is not None:
                yield f"{prefix}.{own}".lstrip("."), module, own, cast(torch.Tensor, tensor)
