"""Trace a network with torch-pruning, leaving the network as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch_pruning import DependencyGraph, ops, utils

from clusterpress.errors import ConfigError

# Autograd's names of the operations that treat every neuron alone. Everything else is refused:
# torch-pruning takes what it does not know for elementwise, also a softmax or an addition.
_POOLING = {
    "AdaptiveAvgPool2D",
    "AdaptiveMaxPool2D",
    "AvgPool2D",
    "MaxPool2D",
    "MaxPool2DWithIndices",
}
_ACTIVATIONS = {
    "Celu",
    "Elu",
    "Gelu",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyRelu",
    "LogSigmoid",
    "Mish",
    "Relu",
    "Selu",
    "Sigmoid",
    "Silu",
    "Softplus",
    "Tanh",
    "Threshold",
}
_ALONE = _POOLING | _ACTIVATIONS | {"Alias", "Clone"}


def trace(network: nn.Module, example_input: torch.Tensor) -> DependencyGraph:
    """Build torch-pruning's dependency graph of a network.

    Args:
        network: The network; its modes, parameters and buffers are left as they are.
        example_input: One batch.
    """
    # With an input that requires gradients, frozen layers are traced too.
    example = _on_device_of(network, example_input).clone().requires_grad_()
    with _modes_restored(network), torch.enable_grad():
        return DependencyGraph().build_dependency(
            network,
            example,
            forward_fn=lambda traced, batch: traced(batch),
            output_transform=_copies,
            verbose=False,
        )


def _copies(output: Any) -> list[torch.Tensor]:
    """Copy every output, so that each is a node of its own even where a layer gives it directly."""
    return [each.clone() for each in utils.utils.flatten_as_list(output)]


def require_runs(network: nn.Module, example_input: torch.Tensor) -> None:
    """Check that a network whose layers have got new widths still takes its input.

    Raises:
        ConfigError: Its forward pass fails.
    """
    try:
        with _modes_restored(network), torch.no_grad():
            network.eval()
            network(_on_device_of(network, example_input))
    except RuntimeError as error:
        raise ConfigError(
            f"The network does not run at its new widths ({error}); its forward() may name a "
            "width, as in view(-1, 800), where it should use flatten(x, 1)."
        ) from error


def _on_device_of(network: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    device = next((parameter.device for parameter in network.parameters()), batch.device)
    return batch.detach().to(device)


@contextmanager
def _modes_restored(network: nn.Module) -> Iterator[None]:
    """Put every module back into training or evaluation mode, whichever it was in."""
    modes = [(module, module.training) for module in network.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def acts_on_each_neuron(node: Any) -> bool:
    """Whether a node of the graph is an operation that treats every neuron alone."""
    if node.type != ops.OPTYPE.ELEMENTWISE or not hasattr(node.grad_fn, "name"):
        return False
    operation = node.grad_fn.name().rstrip("0123456789").removesuffix("Backward")
    return operation in _ALONE or (operation == "Mean" and _averages_positions(node.grad_fn))


def _averages_positions(grad_fn: Any) -> bool:
    """Whether a mean goes over H and W alone: what global average pooling is traced as."""
    rank = len(grad_fn._saved_self_sym_sizes)
    # Autograd gives negative dimensions as unsigned 64-bit numbers.
    dims = [dim - 2**64 if dim >= 2**63 else dim for dim in grad_fn._saved_dim]
    return rank == 4 and {dim % rank for dim in dims} == {2, 3}
