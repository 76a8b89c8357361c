"""Run a network in evaluation, leaving its modes as they were."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from clusterpress.errors import ConfigError, told


def require_runs(network: nn.Module, example_input: torch.Tensor) -> None:
    """Check that a network whose layers have got new widths still takes its input.

    Raises:
        ConfigError: Its forward pass fails, by whichever error.
    """
    try:
        with modes_restored(network), torch.no_grad():
            network.eval()
            network(on_device_of(network, example_input))
    except Exception as error:
        # A forward() says in any way that it wants the old widths: an assert, a ValueError.
        raise ConfigError(
            f"The network does not run at its new widths ({told(error)}); its forward() may name "
            "a width, as in view(-1, 800), where it should use flatten(x, 1)."
        ) from error


def on_device_of(network: nn.Module, batch: torch.Tensor) -> torch.Tensor:
    """Copy a batch, without its gradient, to where the network is."""
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
