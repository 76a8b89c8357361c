"""Find which kernels of a convolution are multiples of the same kernel."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn.utils import parametrize

Form = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.float32]]
_TRANSFORMS = 8
_GRID = 1e5  # Steps of a normalised tap that tell kernels apart.


def shared_form(layer: nn.Conv2d, groups: npt.NDArray[np.int64] | None = None) -> Form | None:
    """Give a layer's kernels (P, h, w), labels (O, I) and scales (O, I).

    Args:
        layer: Its weight is coded or dense.
        groups: Kernels of the same number are multiples of each other, shape (O, I); None finds
            them: by the code's ``labels`` and ``transforms`` where it has these, else by comparing
            the normalised kernels of the dense weight.

    Returns:
        None where there is nothing to share: 1x1 kernels, or no two kernels of a group.
    """
    weight = layer.weight.detach().numpy()
    if weight[0, 0].size == 1:
        return None
    names = kernel_groups(layer) if groups is None else groups
    used, labels = np.unique(names, return_inverse=True)
    if len(used) == names.size:
        return None
    labels = labels.reshape(names.shape)
    kernels = _largest(weight.reshape(names.size, -1), labels.ravel(), len(used))
    scales = _scales(weight.reshape(*names.shape, -1), kernels[labels])
    return kernels.reshape(-1, *weight.shape[2:]), labels, scales


def kernel_groups(layer: nn.Conv2d) -> npt.NDArray[np.int64]:
    """Number the kernels so that those of the same number are multiples of each other.

    Returns:
        Shape (O, I).
    """
    code: Any = None
    if parametrize.is_parametrized(layer, "weight"):
        code = layer.parametrizations["weight"][0]  # type: ignore[index, unused-ignore]
    shape, labels = layer.weight.shape[:2], getattr(code, "labels", None)
    if labels is None or not hasattr(code, "centroids") or labels.numel() != shape[0] * shape[1]:
        return _equal_kernels(layer.weight.detach().numpy())
    transforms = getattr(code, "transforms", None)
    groups: torch.Tensor = labels if transforms is None else labels * _TRANSFORMS + transforms
    return groups.detach().numpy().reshape(shape)


def _equal_kernels(weight: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Number kernels that are equal once each is divided by its tap of the largest magnitude."""
    rows = weight.reshape(weight.shape[0] * weight.shape[1], -1).astype(np.float64)
    sizes = np.abs(rows)
    largest = (sizes >= sizes.max(axis=1, keepdims=True) * (1 - 1 / _GRID)).argmax(axis=1)
    tap = np.take_along_axis(rows, largest[:, None], axis=1)
    normal = np.divide(rows, tap, out=np.zeros_like(rows), where=tap != 0)
    _, labels = np.unique(np.rint(normal * _GRID), axis=0, return_inverse=True)
    return labels.reshape(weight.shape[:2]).astype(np.int64)


def _largest(
    rows: npt.NDArray[np.float32], labels: npt.NDArray[np.int64], count: int
) -> npt.NDArray[np.float32]:
    """Give the member with the largest norm of each group, of norm one (zero stays zero)."""
    norms = np.linalg.norm(rows.astype(np.float64), axis=1)
    order = np.lexsort((norms, labels))
    last = order[np.searchsorted(labels[order], np.arange(count), side="right") - 1]
    return np.asarray(rows[last] / np.maximum(norms[last], 1e-38)[:, None], np.float32)


def _scales(
    kernels: npt.NDArray[np.float32], shared: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    products = np.einsum("oit,oit->oi", kernels, shared, dtype=np.float64)
    energy = np.einsum("oit,oit->oi", shared, shared, dtype=np.float64)
    scales = np.divide(products, energy, out=np.zeros_like(products), where=energy > 0)
    return np.asarray(scales, np.float32)
