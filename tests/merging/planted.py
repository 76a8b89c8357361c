"""Plant exact duplicates in the hidden layers of networks with wild norms, and fold them."""

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from clusterpress.merging import HiddenLayer, fold, mean, membership, narrowed


def wild(network: nn.Module, seed: int = 0) -> nn.Module:
    """Give every norm weights of both signs, biases and statistics; float64, evaluation."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            for tensor in (module.weight, module.bias, module.running_mean):
                if tensor is not None:
                    tensor.data = torch.randn(tensor.shape, generator=generator)
            if module.running_var is not None:
                drawn = torch.rand(module.running_var.shape, generator=generator)
                module.running_var.data = drawn + 0.1
    return network.double().eval()


def plant(network: nn.Module, layer: HiddenLayer, source: torch.Tensor) -> None:
    """Make neuron i of a layer a duplicate of neuron ``source[i]``, norms included."""
    with torch.no_grad():
        for name in layer.producers:
            module = network.get_submodule(name)
            module.weight.copy_(module.weight[source])
            if module.bias is not None:
                module.bias.copy_(module.bias[source])
        for norm in layer.norms:
            module = network.get_submodule(norm.name)
            columns = norm.columns_per_neuron
            end = norm.start + layer.width * columns
            for tensor in (module.weight, module.bias, module.running_mean, module.running_var):
                if tensor is not None:
                    rows = tensor[norm.start : end].reshape(layer.width, columns)[source]
                    tensor[norm.start : end] = rows.flatten()


def sources(width: int, distinct: int) -> np.ndarray:
    """Which of the first ``distinct`` neurons each neuron is a duplicate of."""
    return np.arange(width) % distinct


def distinct_of(layer: HiddenLayer) -> int:
    return max(1, min(layer.width // 3, 8))


def plant_all(network: nn.Module, layers: list[HiddenLayer]) -> dict[str, int]:
    """Plant duplicates in all layers; give how many distinct neurons each has."""
    for layer in layers:
        plant(network, layer, torch.from_numpy(sources(layer.width, distinct_of(layer))))
    return {layer.name: distinct_of(layer) for layer in layers}


def fold_all(network: nn.Module, layers: list[HiddenLayer], outgoing=membership) -> None:
    """Fold every layer's planted duplicates, first to last."""
    left = layers
    while left:
        layer, *left = left
        m = distinct_of(layer)
        labels = sources(layer.width, m)
        fold(network, layer, mean(labels, m), outgoing(labels, m))
        left = narrowed(left, layer, layer.width - m)
