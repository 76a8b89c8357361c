"""What a check can know of a network before any step has run."""

from collections.abc import Sequence
from math import prod
from typing import TypeGuard
from weakref import WeakSet

import torch
from torch import nn

from clusterpress.codes import all_weight_layers
from clusterpress.errors import ConfigError
from clusterpress.merging import require_runs

# The checks of a method all see one network, in the order of the steps, before any step runs. One
# that stands here will have other rows by the time that the later steps meet it.
_AWAITING: WeakSet[nn.Module] = WeakSet()


def await_narrowing(network: nn.Module) -> None:
    """Remember that a step will make a network's layers narrower."""
    _AWAITING.add(network)


def narrowing_done(network: nn.Module) -> None:
    """Forget it, as the step has run."""
    _AWAITING.discard(network)


def awaits_narrowing(network: nn.Module) -> bool:
    """Say whether a step will make a network's layers narrower, so that its rows are not final."""
    return network in _AWAITING


def example_of(network: nn.Module) -> torch.Tensor | None:
    """Make an image such as a network takes, of zeros, float32, shape (1, C, H, W).

    None where the network does not say the size of its images by ``image_size``, two numbers, as
    the models here do, or does not run on such an image.
    """
    size = getattr(network, "image_size", None)
    first = next((layer for _, layer in all_weight_layers(network)), None)
    if not _is_size(size) or first is None:
        return None
    if isinstance(first, nn.Linear):
        channels = first.in_features // prod(size)
    else:
        channels = first.in_channels
    example = torch.zeros(1, channels, *size)
    try:
        require_runs(network, example)
    except ConfigError:
        return None
    return example


def _is_size(size: object) -> TypeGuard[Sequence[int]]:
    """Say whether it is height and width; others' networks have one number by this name."""
    if not isinstance(size, tuple | list) or len(size) != 2:
        return False
    return all(isinstance(side, int) and side > 0 for side in size)
