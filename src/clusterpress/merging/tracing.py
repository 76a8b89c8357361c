"""Trace a network with torch-pruning, leaving the network as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torch_pruning import DependencyGraph, utils

from clusterpress.errors import ConfigError, told
from clusterpress.merging.running import modes_restored, on_device_of

Shapes = dict[nn.Module, tuple[int, ...]]


@dataclass(frozen=True)
class Trace:
    """What running a network on one batch shows.

    Attributes:
        graph: torch-pruning's dependency graph.
        odd: The linear layers that gave something else than (N, C) at one of their uses, the
            convolutions that gave something else than (N, C, H, W), and its shape. The graph has
            one node for all uses of a layer, and so does not tell.
    """

    graph: DependencyGraph
    odd: Shapes


def trace(network: nn.Module, example_input: torch.Tensor) -> Trace:
    """Run a network and build torch-pruning's dependency graph of it.

    Args:
        network: The network; its modes, parameters and buffers are left as they are.
        example_input: One batch.

    Raises:
        ConfigError: The network does not run, or autograd does not see its operations.
    """
    # With an input that requires gradients, frozen layers are traced too.
    example = on_device_of(network, example_input).contiguous().clone().requires_grad_()
    with modes_restored(network), _channels_first(network), torch.enable_grad():
        try:
            odd = _odd_shapes(network, example)
            graph = DependencyGraph().build_dependency(
                network,
                example,
                forward_fn=lambda traced, batch: traced(batch),
                output_transform=_copies,
                verbose=False,
            )
            return Trace(graph, odd)
        except Exception as error:
            raise ConfigError(
                f"The network cannot be traced ({told(error)}), so which layers share neurons is "
                "not known; merging takes networks that give tensors for a batch of shape "
                f"{tuple(example.shape)}, by operations that autograd records."
            ) from error


def _odd_shapes(network: nn.Module, example: torch.Tensor) -> Shapes:
    """Run the network before torch-pruning does, which leaves its hooks behind where it fails.

    Returns:
        What ``Trace.odd`` is.

    Raises:
        ValueError: An output has no gradient.
    """
    odd: Shapes = {}
    layers = [each for each in network.modules() if isinstance(each, nn.Linear | nn.Conv2d)]
    hooks = [layer.register_forward_hook(partial(_note_odd, odd)) for layer in layers]
    try:
        outputs = _copies(network.eval()(example))
    finally:
        for hook in hooks:
            hook.remove()
    if any(output.grad_fn is None for output in outputs):
        raise ValueError("an output has no gradient: something detaches it")
    return odd


def _note_odd(odd: Shapes, layer: nn.Module, given: Any, output: Any) -> None:
    del given
    usual = 2 if isinstance(layer, nn.Linear) else 4
    if isinstance(output, torch.Tensor) and output.ndim != usual:
        odd[layer] = tuple(output.shape)


def _copies(output: Any) -> list[torch.Tensor]:
    """Copy every output, so that each is a node of its own even where a layer gives it directly."""
    return [each.clone() for each in utils.utils.flatten_as_list(output)]


@contextmanager
def _channels_first(network: nn.Module) -> Iterator[None]:
    """Lay weights in torch's usual order meanwhile: in the other one, pooling leaves other traces.

    The parameters themselves stay, and get their own memory back.
    """
    laid = [(parameter, parameter.data) for parameter in network.parameters()]
    for parameter, data in laid:
        parameter.data = data.contiguous()
    try:
        yield
    finally:
        for parameter, data in laid:
            parameter.data = data
