"""Estimate the statistics of BatchNorms anew, from images that go through the network."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from clusterpress.errors import ConfigError
from clusterpress.merging.running import modes_restored


def reestimate(network: nn.Module, batches: Iterable[torch.Tensor]) -> int:
    """Replace all running means and variances by the averages over the images, in place.

    Averaged neurons vary less than those that they replace, so statistics that were combined with
    the weights are too large, and the network's activations shrink from layer to layer. Only
    BatchNorms are in training mode meanwhile (dropout is not), and nothing else changes.
    The average is that of the batches' own means and (unbiased) variances, weighted by their
    images. A batch of one image, which has no deviation, goes with the one beside it.

    Args:
        network: A network; without BatchNorm no batch is asked for.
        batches: Normalised images, float, shape (N, C, H, W) each.

    Returns:
        How many images went through.

    Raises:
        ConfigError: There are fewer than two images. Nothing is changed then.
    """
    norms = estimates(network)
    if not norms:
        return 0
    device = next(network.parameters()).device
    images = 0
    with modes_restored(network), _momenta_restored(norms), torch.no_grad():
        for batch in _of_several(batches):
            if not images:
                _start(network, norms)
            images += len(batch)
            _weigh(norms, len(batch) / images)
            network(batch.to(device))
    return images


def estimates(network: nn.Module) -> list[_BatchNorm]:
    """List the BatchNorms of a network that have running statistics."""
    norms = (module for module in network.modules() if isinstance(module, _BatchNorm))
    return [norm for norm in norms if norm.running_mean is not None]


def _of_several(batches: Iterable[torch.Tensor]) -> Iterator[torch.Tensor]:
    """Join batches so that none has one image alone; at most two and that image are held."""
    ready = alone = None
    for given in batches:
        batch = given if alone is None else torch.cat([alone, given])
        alone = batch if len(batch) < 2 else None
        if alone is None:
            if ready is not None:
                yield ready
            ready = batch
    if ready is None:
        raise ConfigError(
            "reestimate needs training images for the statistics of BatchNorm, at least two, and "
            f"the step's context gives {0 if alone is None else len(alone)}; pass batches= to "
            "Context, or leave reestimate off."
        )
    yield ready if alone is None else torch.cat([ready, alone])


def _start(network: nn.Module, norms: Iterable[_BatchNorm]) -> None:
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.train()


def _weigh(norms: Iterable[_BatchNorm], share: float) -> None:
    """Let the next batch count as its share of all images up to it."""
    for norm in norms:
        norm.momentum = share


@contextmanager
def _momenta_restored(norms: Iterable[_BatchNorm]) -> Iterator[None]:
    momenta = [(norm, norm.momentum) for norm in norms]
    try:
        yield
    finally:
        for norm, momentum in momenta:
            norm.momentum = momentum
