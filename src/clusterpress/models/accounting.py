"""Count what a network holds and what it computes."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from clusterpress.codes import all_weight_layers, dense_copy


def parameter_count(network: nn.Module) -> int:
    """Count the parameters of the dense network, whatever codes hold them; buffers not."""
    return sum(parameter.numel() for parameter in dense_copy(network).parameters())


def macs(network: nn.Module, example: torch.Tensor) -> int:
    """Count the multiply-accumulates of one image's linear and convolution layers, biases not.

    Counted from the weights' present shapes, so also right after layers were merged; a pruned
    weight counts like any other.

    Args:
        network: The network; its mode, codes and device are left alone.
        example: A batch of input images; the batch size does not change the count.
    """
    copied = dense_copy(network).eval()
    counts: list[int] = []
    for _, layer in all_weight_layers(copied):
        layer.register_forward_hook(_count(counts))
    device = next((parameter.device for parameter in copied.parameters()), example.device)
    with torch.no_grad():
        copied(example.to(device))
    return sum(counts) // len(example)


def _count(counts: list[int]) -> Callable[[nn.Module, Any, torch.Tensor], None]:
    def hook(layer: nn.Module, _: Any, output: torch.Tensor) -> None:
        weight = layer.weight
        assert isinstance(weight, torch.Tensor)
        counts.append(output.numel() * weight[0].numel())

    return hook
