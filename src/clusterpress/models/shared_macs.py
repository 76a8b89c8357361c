"""Count what a network of shared kernels computes when no product is taken twice."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from clusterpress.codes import Kernels, all_weight_layers, code_of, dense_copy

Ints = npt.NDArray[np.int64]


def distinct_kernels(network: nn.Module) -> dict[str, int]:
    """Count the (centroid, transform) pairs that each layer of shared kernels uses."""
    return {name: int(np.unique(own[own >= 0]).size) for name, own in _grids(network).items()}


def shared_macs(network: nn.Module, example: torch.Tensor) -> int:
    """Count the multiply-accumulates of one image, with shared kernels in their cheaper order.

    Of a layer of shared kernels (Son et al. 2018, section 3.4), ``min(sum_j distinct_i(l_ij),
    sum_i distinct_j(l_ij)) * h * w * H * W`` with the output's H and W: inputs of one kernel are
    added before they are convolved, or an input is convolved once with each kernel that it
    meets. Pairs of centroid and transform count as kernels, those left out as none; products
    with scales are not counted. All other layers count as in ``macs``.

    Args:
        network: The network; its mode, codes and device are left alone.
        example: A batch of input images; the batch size does not change the count.
    """
    grids, copied = _grids(network), dense_copy(network).eval()
    counts: list[int] = []
    for name, layer in all_weight_layers(copied):
        layer.register_forward_hook(_count(counts, grids.get(name)))
    device = next((parameter.device for parameter in copied.parameters()), example.device)
    with torch.no_grad():
        copied(example.to(device))
    return sum(counts) // len(example)


def convolutions(pairs: Ints, groups: int = 1) -> int:
    """Count the convolutions of one channel with one kernel that a layer takes at least.

    Args:
        pairs: Number of every kernel, negative where there is none, shape (O, I / groups).
        groups: Of the convolution.
    """
    by_group = pairs.reshape(groups, -1, pairs.shape[1])
    return min(_distinct(by_group), _distinct(by_group.transpose(0, 2, 1)))


def _distinct(rows: Ints) -> int:
    """Sum up how many different numbers, negative ones aside, each row along the last axis has."""
    ordered = np.sort(rows, axis=-1)
    first = ordered[..., :1] >= 0
    later = (ordered[..., 1:] != ordered[..., :-1]) & (ordered[..., 1:] >= 0)
    return int(first.sum() + later.sum())


def _grids(network: nn.Module) -> dict[str, Ints]:
    found: dict[str, Ints] = {}
    for name, layer in all_weight_layers(network):
        code = code_of(layer)
        if isinstance(code, Kernels):
            pairs = code.pairs.reshape(code.labels.shape)
            pairs = pairs if code.mask is None else torch.where(code.mask, pairs, -1)
            found[name] = pairs.cpu().numpy()
    return found


def _count(counts: list[int], pairs: Ints | None) -> Callable[[nn.Module, Any, Any], None]:
    def hook(layer: nn.Module, _: Any, output: torch.Tensor) -> None:
        weight = layer.weight
        assert isinstance(weight, torch.Tensor)
        if pairs is None:
            counts.append(output.numel() * weight[0].numel())
            return
        assert isinstance(layer, nn.Conv2d)
        each = weight[0, 0].numel() * output[:, 0].numel()
        counts.append(convolutions(pairs, layer.groups) * each)

    return hook
