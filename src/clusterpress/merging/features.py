"""What tells a layer's neurons apart: the weights and biases that their readers see."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from clusterpress.merging.affine import affine
from clusterpress.merging.dense import dense_layer
from clusterpress.merging.layers import HiddenLayer


def incoming_features(network: nn.Module, layer: HiddenLayer) -> npt.NDArray[np.float64]:
    """Give the features of each neuron: its incoming weights and bias with BatchNorm folded in.

    ``[w, b]`` of each layer that gives the neurons. Where only BatchNorms read a layer's sums, it
    is ``[w gamma / sigma, beta + (b - mean) gamma / sigma]`` for each of them; where they are not
    the only readers, both. BatchNorms further behind (an activation or a skip is between) add
    their ``[gamma / sigma, beta - mean gamma / sigma]``. So neurons are duplicates where all their
    readers see duplicates.

    Returns:
        float64, shape (n, d): without BatchNorm, d is the fan-in, plus one where there is a bias.

    Raises:
        ConfigError: A code holds the layer.
        DataError: A weight or bias is NaN or infinite.
    """
    parts = [part for name in layer.producers for part in _views(network, layer, name)]
    for norm in layer.norms_of(None):
        behind = affine(network, norm, layer.width)
        parts += [behind.scale.T, behind.shift.T]
    return torch.cat(parts, dim=1).numpy()


def _views(network: nn.Module, layer: HiddenLayer, producer: str) -> Iterator[torch.Tensor]:
    module = dense_layer(network, producer)
    weight = module.weight.detach().flatten(1).double().cpu()
    bias = None if module.bias is None else module.bias.detach().double().cpu()
    if producer not in layer.scalable:
        yield weight
        if bias is not None:
            yield bias[:, None]
    for norm in layer.norms_of(producer):
        seen = affine(network, norm, layer.width)
        for scale, shift in zip(seen.scale, seen.shift, strict=True):
            yield scale[:, None] * weight
            yield (shift if bias is None else shift + scale * bias)[:, None]
