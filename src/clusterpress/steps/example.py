"""The image that a check may follow through a network, before any data are there."""

from collections.abc import Sequence
from math import prod
from typing import TypeGuard

import torch
from torch import nn

from clusterpress.codes import all_weight_layers
from clusterpress.errors import ConfigError
from clusterpress.merging import require_runs


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
