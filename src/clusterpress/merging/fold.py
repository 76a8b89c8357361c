"""Fold a hidden layer's neurons into fewer: mean in, sum out."""

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from clusterpress.merging.dense import dense_layer
from clusterpress.merging.hidden import HiddenLayer

Labels = npt.NDArray[np.int64]


def incoming_features(network: nn.Module, layer: HiddenLayer) -> npt.NDArray[np.float64]:
    """Give what tells a layer's neurons apart: ``[flattened weight, bias]`` of each.

    Returns:
        float64, shape (n, d): d is the fan-in, plus one where the layer has a bias.

    Raises:
        ConfigError: A code holds the layer.
        DataError: A weight or bias is NaN or infinite.
    """
    module = dense_layer(network, layer.name)
    parts = [module.weight.detach().flatten(1)]
    if module.bias is not None:
        parts.append(module.bias.detach()[:, None])
    return torch.cat(parts, dim=1).double().cpu().numpy()


def membership(labels: Labels, m: int) -> torch.Tensor:
    """Give the matrix that sums each cluster's members, 0/1, float64, shape (m, n)."""
    matrix = torch.zeros(m, labels.size, dtype=torch.float64)
    matrix[torch.from_numpy(labels), torch.arange(labels.size)] = 1.0
    return matrix


def mean(labels: Labels, m: int) -> torch.Tensor:
    """Give the matrix that averages each cluster's members, 1/|C|, float64, shape (m, n)."""
    members = membership(labels, m)
    return members / members.sum(dim=1, keepdim=True)


def selection(kept: Labels, n: int) -> torch.Tensor:
    """Give the matrix that keeps the neurons ``kept`` of ``n``, 0/1, float64, shape (m, n)."""
    return torch.eye(n, dtype=torch.float64)[torch.from_numpy(kept)]


def fold(
    network: nn.Module, layer: HiddenLayer, incoming: torch.Tensor, outgoing: torch.Tensor
) -> None:
    """Replace a layer's n neurons by m combinations of them, in place.

    ``W' = incoming @ W``, ``b' = incoming @ b``, and for every reader
    ``W_next'[:, C] = sum_i outgoing[C, i] * W_next[:, i]``, block by block where a flatten gives a
    neuron several columns (our reading of Wang et al. 2020). It is computed in
    float64; dtypes, devices and ``requires_grad`` stay.

    Args:
        network: Its layers' weights and sizes are changed.
        layer: The layer, as ``hidden_layers`` gave it.
        incoming: How incoming weights combine, shape (m, n).
        outgoing: How outgoing weights combine, shape (m, n).

    Raises:
        ConfigError: A code holds the layer or a reader; nothing is changed then.
        DataError: A weight there is NaN or infinite; nothing is changed then.
        ValueError: The matrices do not fit the layer.
    """
    module = dense_layer(network, layer.name)
    readers = [(dense_layer(network, reader.name), reader) for reader in layer.consumers]
    width = module.weight.shape[0]
    if incoming.shape != outgoing.shape or incoming.shape[1] != width:
        raise ValueError(
            f"matrices of shape {tuple(incoming.shape)} and {tuple(outgoing.shape)} for layer "
            f"{layer.name!r} of {width} neurons; both must have shape (m, {width})"
        )
    _fold_incoming(module, incoming)
    for reader, consumer in readers:
        _fold_outgoing(reader, outgoing, consumer.columns_per_neuron)


def _fold_incoming(module: nn.Linear | nn.Conv2d, incoming: torch.Tensor) -> None:
    weight = module.weight
    matrix = incoming.to(weight.device, torch.float64)
    folded = matrix @ weight.detach().double().flatten(1)
    module.weight = _like(weight, folded.reshape(-1, *weight.shape[1:]))
    if module.bias is not None:
        module.bias = _like(module.bias, matrix @ module.bias.detach().double())
    if isinstance(module, nn.Linear):
        module.out_features = matrix.shape[0]
    else:
        module.out_channels = matrix.shape[0]


def _fold_outgoing(module: nn.Linear | nn.Conv2d, outgoing: torch.Tensor, columns: int) -> None:
    weight = module.weight
    matrix = outgoing.to(weight.device, torch.float64)
    by_neuron = weight.detach().double().reshape(weight.shape[0], matrix.shape[1], -1)
    size = columns * matrix.shape[0]
    folded = (matrix @ by_neuron).reshape(weight.shape[0], size, *weight.shape[2:])
    module.weight = _like(weight, folded)
    if isinstance(module, nn.Linear):
        module.in_features = size
    else:
        module.in_channels = size


def _like(old: torch.Tensor, values: torch.Tensor) -> nn.Parameter:
    return nn.Parameter(values.to(old.dtype).contiguous(), requires_grad=old.requires_grad)
