"""A network's shapes at other widths, before anything is known of what its neurons will be."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import nn

from clusterpress.merging.affine import Affine, affine
from clusterpress.merging.dense import dense_layer
from clusterpress.merging.fold import put_columns, put_norms, put_rows
from clusterpress.merging.layers import HiddenLayer, narrowed


def outline(
    network: nn.Module,
    layers: Sequence[HiddenLayer],
    widths: Mapping[str, int],
    *,
    last: bool = False,
) -> nn.Module:
    """Copy a network at other widths of its hidden layers: of each the first or last neurons.

    Its shapes are those of any merging or removal to the same widths, which costs products of
    matrices; this costs slices.

    Args:
        network: Is not changed.
        layers: Its hidden layers, as ``hidden_layers`` gave them.
        widths: At most the present ones, by name, at least 1.
        last: Take the last neurons.

    Raises:
        ConfigError: A code holds a layer or a reader.
    """
    network, left = copy.deepcopy(network), list(layers)
    while left:
        layer, *left = left
        lost = layer.width - widths[layer.name]
        if lost:
            _cut(network, layer, slice(lost, None) if last else slice(widths[layer.name]))
            left = narrowed(left, layer, lost)
    return network


def _cut(network: nn.Module, layer: HiddenLayer, part: slice) -> None:
    """Leave a layer a part of its neurons, in place."""
    norms = {norm: _part(affine(network, norm, layer.width), part) for norm in layer.norms}
    put_norms(network, layer.width, norms)
    for name in layer.producers:
        module = dense_layer(network, name)
        bias = None if module.bias is None else module.bias.detach()[part]
        put_rows(module, module.weight.detach()[part], bias)
    for name in dict.fromkeys(each.name for each in layer.consumers):
        places = [each for each in layer.consumers if each.name == name]
        put_columns(dense_layer(network, name), places, layer.width, lambda rows: rows[:, part])


def _part(norm: Affine, part: slice) -> Affine:
    kept = {name: getattr(norm, name)[:, part] for name in ("gamma", "beta", "mean", "variance")}
    return replace(norm, **kept)
