"""Estimate the statistics of BatchNorms anew, from images that go through the network."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from clusterpress.errors import ConfigError
from clusterpress.merging.tracing import modes_restored


def reestimate(network: nn.Module, batches: Iterable[torch.Tensor]) -> int:
    """Replace all running means and variances by the averages of the batches' own, in place.

    Averaged neurons vary less than those that they replace, so statistics that were combined with
    the weights are too large, and the network's activations shrink from layer to layer. Only
    BatchNorms are in training mode meanwhile (dropout is not), and nothing else changes.

    Args:
        network: A network; without BatchNorm no batch is asked for.
        batches: Normalised images, float, shape (N, C, H, W) each.

    Returns:
        How many images went through.

    Raises:
        ConfigError: There are no images.
    """
    norms = [
        module
        for module in network.modules()
        if isinstance(module, _BatchNorm) and module.running_mean is not None
    ]
    if not norms:
        return 0
    device = next(network.parameters()).device
    images = 0
    with modes_restored(network), _cumulative(norms), torch.no_grad():
        for batch in batches:
            if not images:
                _start(network, norms)
            network(batch.to(device))
            images += len(batch)
    if not images:
        raise ConfigError(
            "reestimate needs training images for the statistics of BatchNorm, and the step's "
            "context gives none; pass batches= to Context, or leave reestimate off."
        )
    return images


def _start(network: nn.Module, norms: Iterable[_BatchNorm]) -> None:
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.train()


@contextmanager
def _cumulative(norms: Iterable[_BatchNorm]) -> Iterator[None]:
    """Let every batch count alike, and restore each norm's momentum at the end."""
    momenta = [(norm, norm.momentum) for norm in norms]
    for norm, _ in momenta:
        norm.momentum = None
    try:
        yield
    finally:
        for norm, momentum in momenta:
            norm.momentum = momentum
