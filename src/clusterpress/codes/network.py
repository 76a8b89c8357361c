"""Look at a whole network of dense and coded layers."""

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Literal

from torch import nn

from clusterpress.codes.base import code_of, coded_tensors, detach

LayerType = Literal["conv", "fc"]


def all_weight_layers(network: nn.Module) -> Iterator[tuple[str, nn.Linear | nn.Conv2d]]:
    """Yield ``(name, layer)`` of every linear and 2-D convolution layer, in definition order."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            yield name, module


def weight_layers(network: nn.Module) -> Iterator[tuple[str, nn.Linear | nn.Conv2d]]:
    """Yield ``(name, layer)`` of the layers whose weight a code can hold, in definition order.

    These are all linear and 2-D convolution layers, but for those whose weight has no elements, is
    another module's too (tied to an embedding, say) or is computed by somebody else's
    parametrization or hook.
    """
    holders = _holders(network)
    for name, layer in all_weight_layers(network):
        coded = code_of(layer) is not None
        own = "weight" in layer._parameters and holders[id(layer.weight)] == 1
        if coded or (own and layer.weight.numel()):
            yield name, layer


def _holders(network: nn.Module) -> Counter[int]:
    """Count the modules that hold each parameter."""
    return Counter(
        id(parameter)
        for module in network.modules()
        for parameter in module._parameters.values()
        if parameter is not None
    )


def own_methods(module: nn.Module, kind: type[nn.Module]) -> list[str]:
    """Name the methods by which a module computes something else than ``kind`` of torch's does.

    A class of its own may have them, or the instance. None is found in one that only starts apart.
    """
    return [
        name
        for name in ("forward", "_conv_forward")
        if getattr(type(module), name, None) is not getattr(kind, name, None)
        or name in vars(module)
    ]


def layer_type(layer: nn.Module) -> LayerType:
    """Give ``conv`` for a convolution and ``fc`` for a linear layer."""
    return "conv" if isinstance(layer, nn.Conv2d) else "fc"


def dense_copy(network: nn.Module) -> nn.Module:
    """Copy a network with every code replaced by the dense weight that it gives."""
    copied = copy.deepcopy(network)
    for _, module, tensor in list(coded_tensors(copied)):
        detach(module, tensor)
    return copied
