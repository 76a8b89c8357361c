"""Find the hidden layers of a network, and who reads their neurons."""

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal, get_args

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch_pruning import DependencyGraph

from clusterpress.errors import ConfigError
from clusterpress.merging.couplings import Couplings
from clusterpress.merging.dense import require_dense
from clusterpress.merging.flow import Flow
from clusterpress.merging.layers import HiddenLayer
from clusterpress.merging.tracing import Trace, trace
from clusterpress.merging.unseen import require_unseen
from clusterpress.merging.wiring import Wiring

Skips = Literal["internal", "joined"]
SKIPS: tuple[str, ...] = get_args(Skips)


def hidden_layers(
    network: nn.Module, example_input: torch.Tensor, skips: Skips = "internal"
) -> list[HiddenLayer]:
    """List the hidden linear and 2-D convolution layers from input to output.

    The network's inputs and its outputs (the logits) are never listed. The layers and their wiring
    come from torch-pruning's dependency graph. The network itself is left as it is.

    Args:
        network: The network.
        example_input: One batch, float, e.g. shape (1, C, H, W).
        skips: ``internal`` leaves out the layers whose neurons a skip joins with those of others;
            ``joined`` lists each set of joined layers as one.

    Raises:
        ConfigError: The network cannot be traced; a code or another parametrization holds a layer;
            autograd records no call of a layer, so that nobody knows which neurons it reads; a
            listed layer gives another tensor than (N, C) or (N, C, H, W); the output sees its
            neurons otherwise than by its readers; or between a listed layer and its readers stands
            something through which neurons cannot be merged: a grouped convolution, another norm
            than BatchNorm, an operation that mixes neurons, or, with ``joined``, a skip that pads.
            The message names the layer.
        DataError: A weight of a listed layer or of a reader is NaN or infinite.
    """
    require_dense(network)
    traced = trace(network, example_input)
    _require_reached(network, traced.graph)
    found = _couplings(network, traced)
    groups = (_hidden_layer(found, group, skips) for group in found.groups())
    layers = [layer for layer in groups if layer is not None]
    require_unseen(network, layers, example_input)
    return layers


def _require_reached(network: nn.Module, graph: DependencyGraph) -> None:
    """Check that the graph, which is one of evaluation, has every layer that could lose inputs."""
    reached: set[nn.Module] = {
        part
        for module in graph.module2node
        if isinstance(module, nn.Module)
        for part in module.modules()
    }
    kinds = (nn.Linear, nn.Conv2d, _BatchNorm)
    missed = [
        name
        for name, module in network.named_modules()
        if isinstance(module, kinds) and module not in reached
    ]
    if missed:
        raise ConfigError(
            f"Autograd records no call of the layers {', '.join(missed[:5])} when the network "
            "evaluates an image, so which neurons they read is not known, and merging could break "
            "them. Either evaluation leaves them out: remove such heads first, as by "
            "aux_logits=False. Or they run where autograd does not see them, as under no_grad(), "
            "before detach(), in a reentrant checkpoint, or where a function takes their weights: "
            "merging takes networks that call their layers and record it."
        )


def _couplings(network: nn.Module, traced: Trace) -> Couplings:
    names = {module: name for name, module in network.named_modules()}
    wiring = Wiring(names, traced.odd)
    flows: dict[Any, Flow] = {}
    for node in _in_order(traced.graph):
        flows[node] = wiring.follow(node, [flows[before] for before in node.inputs])
    return wiring.found


def _in_order(graph: DependencyGraph) -> Iterator[Any]:
    """Yield the nodes, each after all that feed it."""
    inputs = {node: node.inputs for node in graph.module2node.values()}
    try:
        yield from list(TopologicalSorter(inputs).static_order())
    except CycleError as error:
        raise ConfigError(
            "A layer of this network is used again on its own output, and such neurons cannot be "
            "merged; merging takes networks in which data flow one way."
        ) from error


def _hidden_layer(found: Couplings, group: Sequence[str], skips: Skips) -> HiddenLayer | None:
    """Describe joined layers; None where they are outputs of the network or left out."""
    own = set(group)
    left_out = skips == "internal" and own & found.skips
    if own & found.kept or left_out:
        return None
    blocked = next((name for name in group if name in found.obstacles), None)
    if blocked is not None:
        raise ConfigError(_refusal(blocked, found))
    norms = tuple(norm for layer, norm in found.norms if layer in own)
    return HiddenLayer(
        name=group[0],
        width=found.widths[group[0]],
        consumers=tuple(reader for layer, reader in found.consumers if layer in own),
        joined=tuple(group[1:]),
        norms=norms,
        scalable=frozenset({norm.of for norm in norms if norm.of}) - found.raw,
    )


def _refusal(layer: str, found: Couplings) -> str:
    hint = "; with skips: internal it is left as it is" if layer in found.skips else ""
    return (
        f"The neurons of layer {layer!r} cannot be merged: {found.obstacles[layer]}. Merging goes "
        "through activations, BatchNorm, pooling, flattening, concatenation and skips"
        f"{hint}."
    )
