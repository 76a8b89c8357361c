"""Widths by how often a layer's weights are used: parameters go where each does the most work."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import nn

from clusterpress.merging.layers import HiddenLayer
from clusterpress.merging.target import largest_scale
from clusterpress.merging.widths import target_widths

POWER = 0.5
"""Shares rise with this power of the positions: with the side length of a square image."""


def positions(
    network: nn.Module, layers: Sequence[HiddenLayer], example: torch.Tensor
) -> dict[str, int]:
    """Count at how many places of an image each layer's weights are applied; 1 for linear ones.

    Args:
        network: The network; its mode is left alone.
        layers: Its hidden layers, as ``hidden_layers`` gave them.
        example: A batch of input images.
    """
    found: dict[str, int] = {}
    hooks = [
        network.get_submodule(layer.name).register_forward_hook(partial(_note, found, layer.name))
        for layer in layers
    ]
    modes = {module: module.training for module in network.modules()}
    try:
        with torch.no_grad():
            network.eval()(example)
    finally:
        for hook in hooks:
            hook.remove()
        for module, training in modes.items():
            module.training = training
    return found


def _note(
    found: dict[str, int], name: str, layer: nn.Module, given: Any, output: torch.Tensor
) -> None:
    del layer, given
    found[name] = output.shape[2:].numel()


def widths_by_use(
    network: nn.Module, layers: Sequence[HiddenLayer], uses: Mapping[str, int], remove: float
) -> dict[str, int]:
    """Give widths whose shares rise with the ``POWER`` of how often a layer's weights are used.

    A layer keeps ``min(1, s * uses ** POWER)`` of its neurons, with the largest s that meets the
    target. No paper's rule: our own, for networks whose last layers hold most parameters and are
    applied at few places.

    Args:
        network: All its parameters count, biases and norms too; buffers not.
        layers: Its hidden layers, as ``hidden_layers`` gave them.
        uses: Positions of every layer by name, at least 1.
        remove: Share of the parameters to remove at least, in (0, 1).

    Raises:
        ConfigError: Even with one neuron in every layer, more are left.
    """
    least = min(uses.values(), default=1)
    favour = {name: (count / least) ** POWER for name, count in uses.items()}

    def widths(scale: float) -> dict[str, int]:
        shares = {name: min(1.0, scale * factor) for name, factor in favour.items()}
        return target_widths(shares, layers)

    return widths(largest_scale(network, layers, remove, widths))
