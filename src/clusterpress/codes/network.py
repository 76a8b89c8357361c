"""Look at a whole network of dense and coded layers."""

import copy
from collections.abc import Iterator
from typing import Literal

from torch import nn

from clusterpress.codes.base import coded_tensors, detach

LayerType = Literal["conv", "fc"]


def weight_layers(network: nn.Module) -> Iterator[tuple[str, nn.Linear | nn.Conv2d]]:
    """Yield ``(name, layer)`` of every linear and 2-D convolution layer, in definition order."""
    for name, module in network.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            yield name, module


def layer_type(layer: nn.Module) -> LayerType:
    """Give ``conv`` for a convolution and ``fc`` for a linear layer."""
    return "conv" if isinstance(layer, nn.Conv2d) else "fc"


def dense_copy(network: nn.Module) -> nn.Module:
    """Copy a network with every code replaced by the dense weight that it gives."""
    copied = copy.deepcopy(network)
    for _, module, tensor in list(coded_tensors(copied)):
        detach(module, tensor)
    return copied
