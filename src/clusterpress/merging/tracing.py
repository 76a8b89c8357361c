"""Trace a network with torch-pruning, leaving the network as it was."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch_pruning import DependencyGraph, utils

from clusterpress.errors import ConfigError


def trace(network: nn.Module, example_input: torch.Tensor) -> DependencyGraph:
    """Build torch-pruning's dependency graph of a network.

    Args:
        network: The network; its modes, parameters and buffers are left as they are.
        example_input: One batch.

    Raises:
        ConfigError: The network does not run, or autograd does not see its operations.
    """
    # With an input that requires gradients, frozen layers are traced too.
    example = _on_device_of(network, example_input).contiguous().clone().requires_grad_()
    with modes_restored(network), _channels_first(network), torch.enable_grad():
        try:
            _require_traceable(network, example)
            return DependencyGraph().build_dependency(
                network,
                example,
                forward_fn=lambda traced, batch: traced(batch),
                output_transform=_copies,
                verbose=False,
            )
        except Exception as error:
            raise ConfigError(
                f"The network cannot be traced ({type(error).__name__}: {error}), so which layers "
                "share neurons is not known; merging takes networks that give tensors for a batch "
                f"of shape {tuple(example.shape)}, by operations that autograd records."
            ) from error


def _require_traceable(network: nn.Module, example: torch.Tensor) -> None:
    """Run the network before torch-pruning does, which leaves its hooks behind where it fails."""
    network.eval()
    for output in _copies(network(example)):
        if output.grad_fn is None:
            raise ValueError("an output has no gradient: something detaches it")


def _copies(output: Any) -> list[torch.Tensor]:
    """Copy every output, so that each is a node of its own even where a layer gives it directly."""
    return [each.clone() for each in utils.utils.flatten_as_list(output)]


def require_runs(network: nn.Module, example_input: torch.Tensor) -> None:
    """Check that a network whose layers have got new widths still takes its input.

    Raises:
        ConfigError: Its forward pass fails.
    """
    try:
        with modes_restored(network), torch.no_grad():
            network.eval()
            network(_on_device_of(network, example_input))
    except RuntimeError as error:
        raise ConfigError(
            f"The network does not run at its new widths ({error}); its forward() may name a "
            "width, as in view(-1, 800), where it should use flatten(x, 1)."
        ) from error


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


def _on_device_of(network: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    device = next((parameter.device for parameter in network.parameters()), batch.device)
    return batch.detach().to(device)


@contextmanager
def modes_restored(network: nn.Module) -> Iterator[None]:
    """Put every module back into training or evaluation mode, whichever it was in."""
    modes = [(module, module.training) for module in network.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
