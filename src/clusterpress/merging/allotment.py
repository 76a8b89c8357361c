"""Widths layer by layer: where a network bears the removal of parameters with the least loss."""

from collections.abc import Iterator, Mapping, Sequence

from torch import nn

from clusterpress.merging.layers import HiddenLayer
from clusterpress.merging.target import keep_that_removes, parameters_at

Losses = Mapping[str, Mapping[int, float]]
Widths = dict[str, int]


def cheapest_widths(
    network: nn.Module, layers: Sequence[HiddenLayer], losses: Losses, remove: float
) -> Widths:
    """Give widths that remove a share of the parameters where that raises the loss least.

    Greedy: again and again the layer and width are taken that cost the least loss for each
    parameter that goes, until the target is met; then the layer that was taken last gets back
    what was too much. Losses of layers are taken to add up, and never to fall as a layer gets
    narrower: where a measured one does, that is chance, and the larger one counts.

    Args:
        network: All its parameters count, biases and norms too; buffers not.
        layers: Its hidden layers, as ``hidden_layers`` gave them.
        losses: For each layer by name, the network's loss at some of its widths while all others
            are as they were; its full width and 1 must be among them.
        remove: Share of the parameters to remove at least, in (0, 1).

    Raises:
        ConfigError: Even with one neuron in every layer, more are left.
    """
    keep_that_removes(network, layers, remove)  # Says it where the target cannot be met.
    allowed = (1 - remove) * sum(parameter.numel() for parameter in network.parameters())
    rising = {name: _rising(curve) for name, curve in losses.items()}
    widths, taken, before = {layer.name: layer.width for layer in layers}, "", 0
    while parameters_at(network, layers, widths) > allowed:
        taken, width = min(_moves(network, layers, rising, widths))[2:]
        before, widths[taken] = widths[taken], width
    if taken:
        _give_back(network, layers, widths, taken, before, allowed)
    return widths


def _rising(curve: Mapping[int, float]) -> dict[int, float]:
    """Let a loss never fall from a wider layer to a narrower one."""
    risen: dict[int, float] = {}
    worst = -float("inf")
    for width in sorted(curve, reverse=True):
        worst = max(worst, curve[width])
        risen[width] = worst
    return risen


def _moves(
    network: nn.Module, layers: Sequence[HiddenLayer], losses: Losses, widths: Widths
) -> Iterator[tuple[float, int, str, int]]:
    """Give loss a parameter, minus the parameters that go, layer and width of every move."""
    now = parameters_at(network, layers, widths)
    for name, curve in losses.items():
        for width in curve:
            if width < widths[name]:
                gone = now - parameters_at(network, layers, {**widths, name: width})
                yield (curve[width] - curve[widths[name]]) / gone, -gone, name, width


def _give_back(
    network: nn.Module,
    layers: Sequence[HiddenLayer],
    widths: Widths,
    name: str,
    before: int,
    allowed: float,
) -> None:
    """Widen a layer as far as the target bears, to less than it was before."""
    enough = widths[name]
    while before - enough > 1:
        middle = (enough + before) // 2
        fits = parameters_at(network, layers, {**widths, name: middle}) <= allowed
        enough, before = (middle, before) if fits else (enough, middle)
    widths[name] = enough
