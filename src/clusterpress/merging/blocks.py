"""Replace a layer's share of the channels that a reader or a norm has."""

from collections.abc import Sequence

import torch
from torch import nn

from clusterpress.merging.couplings import Place


def put_blocks(
    values: torch.Tensor,
    places: Sequence[Place],
    width: int,
    blocks: Sequence[torch.Tensor],
    dim: int,
) -> torch.Tensor:
    """Give a tensor whose blocks along a dimension are exchanged for others.

    Args:
        values: Its dimension ``dim`` holds channels.
        places: Where each block of ``width * columns_per_neuron`` channels starts.
        width: Neurons that a block has now.
        blocks: What comes there, in the order of the places, of other numbers of channels.
        dim: The dimension.
    """
    parts, end = [], 0
    for place, block in sorted(zip(places, blocks, strict=True), key=lambda pair: pair[0].start):
        parts += [values.narrow(dim, end, place.start - end), block]
        end = place.start + width * place.columns_per_neuron
    return torch.cat([*parts, values.narrow(dim, end, values.shape[dim] - end)], dim=dim)


def block_of(values: torch.Tensor, place: Place, width: int, dim: int) -> torch.Tensor:
    """Give the channels that a place has of ``width`` neurons along a dimension."""
    return values.narrow(dim, place.start, width * place.columns_per_neuron)


def like(old: torch.Tensor, values: torch.Tensor) -> nn.Parameter:
    """Make a parameter of new values in the dtype of an old one, as trainable as it."""
    return nn.Parameter(values.to(old.dtype).contiguous(), requires_grad=old.requires_grad)
