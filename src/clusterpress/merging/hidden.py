"""Find the hidden layers of a network, and who reads their neurons."""

from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np
import torch
from torch import nn
from torch_pruning import DependencyGraph, ops

from clusterpress.errors import ConfigError
from clusterpress.merging.dense import require_dense
from clusterpress.merging.tracing import acts_on_each_neuron, trace

_WEIGHTED = (ops.OPTYPE.CONV, ops.OPTYPE.LINEAR)


@dataclass(frozen=True)
class Consumer:
    """A layer that reads a hidden layer's neurons.

    Attributes:
        name: The reading layer.
        columns_per_neuron: How many of its consecutive inputs come from one neuron: 1, or the
            H*W positions of a channel behind a flatten.
    """

    name: str
    columns_per_neuron: int


@dataclass(frozen=True)
class HiddenLayer:
    """A layer whose neurons (output features or channels) may be merged or removed."""

    name: str
    width: int
    consumers: tuple[Consumer, ...]


def hidden_layers(network: nn.Module, example_input: torch.Tensor) -> list[HiddenLayer]:
    """List the hidden linear and 2-D convolution layers from input to output.

    The network's inputs and its outputs (the logits) are never listed. The coupling of the layers
    comes from torch-pruning's dependency graph. The network itself is left as it is.

    Args:
        network: The network.
        example_input: One batch, float, e.g. shape (1, C, H, W).

    Raises:
        ConfigError: A code holds a layer; or between a hidden layer and its readers stands
            something through which neurons cannot be merged: normalisation, a skip connection, a
            grouped convolution, or an operation that mixes neurons. The message names the layer.
    """
    require_dense(network)
    graph = trace(network, example_input)
    names = {module: name for name, module in network.named_modules()}
    found = (_hidden_layer(graph, node.module, names) for node in _weighted_nodes(graph))
    return [layer for layer in found if layer is not None]


def _weighted_nodes(graph: DependencyGraph) -> Iterator[Any]:
    """Yield the nodes of layers with weights, each after all that feed it."""
    inputs = {node: node.inputs for node in graph.module2node.values()}
    try:
        ordered = list(TopologicalSorter(inputs).static_order())
    except CycleError as error:
        raise ConfigError(
            "A layer of this network is used again on its own output, and such neurons cannot be "
            "merged; merging takes networks in which data flow one way."
        ) from error
    return (node for node in ordered if isinstance(node.module, nn.Linear | nn.Conv2d))


def _hidden_layer(
    graph: DependencyGraph, module: nn.Linear | nn.Conv2d, names: dict[nn.Module, str]
) -> HiddenLayer | None:
    """Describe one layer; None where its neurons are outputs of the network."""
    name, width = names[module], int(module.weight.shape[0])
    pruner = graph.get_pruner_of_module(module)
    _, *items = graph.get_pruning_group(module, pruner.prune_out_channels, range(width))
    if any(item.dep.target.type == ops.OPTYPE.OUTPUT for item in items):
        return None
    _require_ungrouped(module, name)
    consumers = [item for item in items if _is_consumer(graph, item)]
    readers = {item.dep.target for item in consumers}
    for item in items:
        # Behind a reader only its weight is left, which the graph also counts as its input.
        behind = item.dep.source in readers and item.dep.target.type == ops.OPTYPE.ELEMENTWISE
        if item.dep.target not in readers and not behind:
            _require_mergeable(item, name)
    described = tuple(_consumer(item, name, width, names) for item in consumers)
    return HiddenLayer(name, width, described)


def _is_consumer(graph: DependencyGraph, item: Any) -> bool:
    node = item.dep.target
    return node.type in _WEIGHTED and graph.is_in_channel_pruning_fn(item.dep.handler)


def _consumer(item: Any, layer: str, width: int, names: dict[nn.Module, str]) -> Consumer:
    """Describe a reader, having checked that its inputs are the neurons in their order."""
    module = item.dep.target.module
    name = names[module]
    _require_ungrouped(module, name)
    inputs = int(module.weight.shape[1])
    columns, rest = divmod(inputs, width)
    neurons = [neuron for _, neuron in sorted(zip(item.idxs, item.root_idxs, strict=True))]
    if rest or not np.array_equal(neurons, np.repeat(np.arange(width), columns)):
        raise ConfigError(
            f"Layer {name!r} reads {inputs} inputs that are not the {width} neurons of layer "
            f"{layer!r} one after another (a concatenation, perhaps); such neurons cannot be "
            "merged yet."
        )
    return Consumer(name, columns)


def _require_ungrouped(module: nn.Module, name: str) -> None:
    if isinstance(module, nn.Conv2d) and module.groups > 1:
        raise ConfigError(
            f"Layer {name!r} is a convolution of {module.groups} groups, and neurons cannot be "
            "merged across groups; merging takes convolutions with groups = 1."
        )


def _require_mergeable(item: Any, layer: str) -> None:
    """Refuse what stands between a layer and its readers where merging would not be exact."""
    node = item.dep.target
    if node.type == ops.OPTYPE.RESHAPE or acts_on_each_neuron(node):
        return
    if node.type in _WEIGHTED:
        reason = f"a skip connection joins them with those of {node.name}"
    else:
        reason = f"they pass through {node.name}"
    raise ConfigError(
        f"The neurons of layer {layer!r} cannot be merged: {reason}. Merging goes through "
        "activations, pooling and flattening, not yet through normalisation or skips."
    )
