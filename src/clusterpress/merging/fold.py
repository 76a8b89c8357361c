"""Fold a hidden layer's neurons into fewer: mean in, sum out."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from clusterpress.merging.affine import Affine, affine, write
from clusterpress.merging.blocks import block_of, like, put_blocks
from clusterpress.merging.couplings import Consumer, Norm
from clusterpress.merging.dense import dense_layer
from clusterpress.merging.layers import HiddenLayer
from clusterpress.merging.rebuild import carrier, merged

Labels = npt.NDArray[np.int64]


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

    With BatchNorm, what combines is the folded weights and biases: the weights combine as
    ``rebuild.carrier`` says and the norms as ``rebuild.merged`` says. Where several norms read a
    neuron, or one behind an activation or a skip, no single neuron gives all the means; duplicates
    are still exact, and for others each norm's scale and bias are means of the members'.

    Args:
        network: Its layers' weights and sizes are changed.
        layer: The layer, as ``hidden_layers`` gave it; after another one was folded, as
            ``narrowed`` gives it.
        incoming: How incoming weights combine, shape (m, n).
        outgoing: How outgoing weights combine, shape (m, n).

    Raises:
        ConfigError: A code holds the layer or a reader; nothing is changed then.
        DataError: A weight there is NaN or infinite; nothing is changed then.
        ValueError: The matrices do not fit the layer.
    """
    modules = {name: dense_layer(network, name) for name in layer.producers}
    readers = {each.name: dense_layer(network, each.name) for each in layer.consumers}
    width = modules[layer.name].weight.shape[0]
    if incoming.shape != outgoing.shape or incoming.shape[1] != width:
        raise ValueError(
            f"matrices of shape {tuple(incoming.shape)} and {tuple(outgoing.shape)} for layer "
            f"{layer.name!r} of {width} neurons; both must have shape (m, {width})"
        )
    norms = {norm: affine(network, norm, width) for norm in layer.norms}
    given: dict[Norm, Affine] = {}
    for name, module in modules.items():
        given |= _fold_producer(module, layer, name, incoming, norms)
    for norm in layer.norms_of(None):
        given[norm] = merged(norms[norm], incoming, incoming, torch.zeros(width).double())
    put_norms(network, width, given)
    for name, reader in readers.items():
        places = [each for each in layer.consumers if each.name == name]
        matrix = outgoing.to(reader.weight.device, torch.float64)
        put_columns(reader, places, width, partial(_in_double, matrix))


def _in_double(matrix: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    return matrix @ rows.double()


def put_norms(network: nn.Module, width: int, given: Mapping[Norm, Affine]) -> None:
    """Write each BatchNorm once, for one concatenation may have the neurons several times."""
    for name in {norm.name for norm in given}:
        own = [norm for norm in given if norm.name == name]
        write(network, own, width, [given[norm] for norm in own])


def _fold_producer(
    module: nn.Linear | nn.Conv2d,
    layer: HiddenLayer,
    name: str,
    incoming: torch.Tensor,
    norms: Mapping[Norm, Affine],
) -> dict[Norm, Affine]:
    """Combine one layer's weights, and give the norms of its sums."""
    own = layer.norms_of(name)
    carried = incoming
    if name in layer.scalable:
        carried = carrier([norms[norm] for norm in own], incoming)
    bias = torch.zeros(incoming.shape[1]).double()
    if module.bias is not None:
        bias = module.bias.detach().double().cpu()
    _fold_incoming(module, carried)
    return {norm: merged(norms[norm], incoming, carried, bias) for norm in own}


def _fold_incoming(module: nn.Linear | nn.Conv2d, incoming: torch.Tensor) -> None:
    weight = module.weight
    matrix = incoming.to(weight.device, torch.float64)
    folded = (matrix @ weight.detach().double().flatten(1)).reshape(-1, *weight.shape[1:])
    bias = None if module.bias is None else matrix @ module.bias.detach().double()
    put_rows(module, folded, bias)


def put_rows(
    module: nn.Linear | nn.Conv2d, weight: torch.Tensor, bias: torch.Tensor | None
) -> None:
    """Give a layer other outputs, in place."""
    module.weight = like(module.weight, weight)
    if module.bias is not None and bias is not None:
        module.bias = like(module.bias, bias)
    if isinstance(module, nn.Linear):
        module.out_features = weight.shape[0]
    else:
        module.out_channels = weight.shape[0]


def put_columns(
    module: nn.Linear | nn.Conv2d,
    places: Sequence[Consumer],
    width: int,
    combine: Callable[[torch.Tensor], torch.Tensor],
) -> None:
    """Give a reader other inputs at the places of a layer's neurons, in place.

    Args:
        module: The reader.
        places: All its places that have the neurons.
        width: Neurons there so far.
        combine: Makes of weights of shape (rows, width, weights of a neuron) those of other
            neurons.
    """
    weight, values = module.weight, module.weight.detach()
    blocks = []
    for place in places:
        by_neuron = block_of(values, place, width, 1).reshape(weight.shape[0], width, -1)
        combined = combine(by_neuron).to(weight.dtype)
        size = place.columns_per_neuron * combined.shape[1]
        blocks.append(combined.reshape(weight.shape[0], size, *weight.shape[2:]))
    module.weight = like(weight, put_blocks(values, places, width, blocks, 1))
    if isinstance(module, nn.Linear):
        module.in_features = module.weight.shape[1]
    else:
        module.in_channels = module.weight.shape[1]
