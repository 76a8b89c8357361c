"""Estimate the statistics of BatchNorms anew, from images that go through the network."""

from collections import Counter
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
    images; a BatchNorm that sees a batch several times averages these too. A batch of one image,
    which has no deviation, goes with the one beside it.

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
    with modes_restored(network), _weighing(norms) as weights, torch.no_grad():
        for batch in _of_several(batches):
            if not images:
                _start(network, norms)
            images += len(batch)
            weights.images = len(batch)
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


class _Weights:
    """Let every call of a BatchNorm count as its batch's share of all images it has seen."""

    def __init__(self) -> None:
        self.images = 0
        self.seen: Counter[nn.Module] = Counter()

    def before(self, norm: nn.Module, _: object) -> None:
        self.seen[norm] += self.images
        norm.momentum = self.images / self.seen[norm]  # type: ignore[assignment]


@contextmanager
def _weighing(norms: Iterable[_BatchNorm]) -> Iterator[_Weights]:
    """Set the momenta of BatchNorms before each of their calls, and restore them at the end."""
    weights = _Weights()
    momenta = [(norm, norm.momentum) for norm in norms]
    hooks = [norm.register_forward_pre_hook(weights.before) for norm, _ in momenta]
    try:
        yield weights
    finally:
        for hook in hooks:
            hook.remove()
        for norm, momentum in momenta:
            norm.momentum = momentum
