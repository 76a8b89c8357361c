"""Widths that meet a target: how many of a network's parameters shall be removed."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.merging.couplings import Place
from clusterpress.merging.layers import HiddenLayer
from clusterpress.merging.widths import target_widths

_BISECTIONS = 50


def checked_remove(remove: Any) -> float:
    """Check the share of parameters to remove.

    Raises:
        ConfigError: It is not a number in (0, 1).
    """
    number = isinstance(remove, int | float) and not isinstance(remove, bool)
    if number and 0 < remove < 1:
        return float(remove)
    raise ConfigError(
        f"remove is {remove!r}, but the share of parameters to remove must be a number above 0 and "
        "below 1."
    )


def keep_that_removes(network: nn.Module, layers: Sequence[HiddenLayer], remove: float) -> float:
    """Give the largest share of neurons, one for all layers, that meets the target.

    Args:
        network: All its parameters count, biases and norms too; buffers not.
        layers: Its hidden layers, as ``hidden_layers`` gave them.
        remove: Share of the parameters to remove at least, in (0, 1).

    Raises:
        ConfigError: Even with one neuron in every layer, more are left.
    """
    return largest_scale(network, layers, remove, lambda keep: target_widths(keep, layers))


def largest_scale(
    network: nn.Module,
    layers: Sequence[HiddenLayer],
    remove: float,
    widths: Callable[[float], Mapping[str, int]],
) -> float:
    """Give the largest scale in [0, 1] whose widths meet the target.

    Args:
        network: As for ``keep_that_removes``, as ``layers`` and ``remove``.
        layers: Its hidden layers.
        remove: Share of the parameters to remove at least.
        widths: Gives widths that rise with the scale, from one neuron a layer at 0.

    Raises:
        ConfigError: Even with one neuron in every layer, more are left.
    """
    before = sum(parameter.numel() for parameter in network.parameters())
    low, high = 0.0, 1.0
    fewest = parameters_at(network, layers, widths(low))
    if fewest > (1 - remove) * before:
        raise ConfigError(
            f"remove is {remove}, but with one neuron in each of the {len(layers)} layers that can "
            f"be merged, {fewest} of {before} parameters are left: at most "
            f"{1 - fewest / max(before, 1):.4f} can be removed."
        )
    for _ in range(_BISECTIONS):
        scale = (low + high) / 2
        left = parameters_at(network, layers, widths(scale))
        low, high = (scale, high) if left <= (1 - remove) * before else (low, scale)
    return low


def parameters_at(
    network: nn.Module, layers: Sequence[HiddenLayer], widths: Mapping[str, int]
) -> int:
    """Count the parameters that a network would have at other widths of its hidden layers."""
    outputs: Counter[str] = Counter()
    channels: Counter[str] = Counter()
    for layer in layers:
        lost = layer.width - widths[layer.name]
        outputs.update(dict.fromkeys(layer.producers, lost))
        places: list[Place] = [*layer.consumers, *layer.norms]
        for place in places:
            channels[place.name] += lost * place.columns_per_neuron
    total = sum(parameter.numel() for parameter in network.parameters())
    names = dict.fromkeys([*outputs, *channels])
    return total - sum(
        _lost(network.get_submodule(name), outputs[name], channels[name]) for name in names
    )


def _lost(module: nn.Module, outputs: int, channels: int) -> int:
    """Count what a layer loses with some outputs and inputs, or a norm with some channels."""
    if not isinstance(module, nn.Linear | nn.Conv2d):
        return channels * len(list(module.parameters(recurse=False)))
    rows, columns, *kernel = module.weight.shape
    taps = module.weight[0, 0].numel() if kernel else 1
    kept = (rows - outputs) * (columns - channels)
    return taps * (rows * columns - kept) + (outputs if module.bias is not None else 0)
