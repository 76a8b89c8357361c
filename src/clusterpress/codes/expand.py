"""Scaled rows of a table by their labels, and the gradient of that, in one pass each."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from numba import njit

from clusterpress.clustering.threads import cut, on_threads

_PIECE, _PIECES = 2**15, 32


class _Expand(torch.autograd.Function):
    """``scales[:, None] * table[labels]``.

    The rows' gradients are summed in float64 over fixed pieces of the labels, so that the number
    of threads does not change a bit.
    """

    @staticmethod
    def forward(
        ctx: Any, table: torch.Tensor, scales: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        ctx.save_for_backward(table, scales, labels)
        if table.is_cuda:
            return scales[:, None] * table[labels]
        rows = table.new_empty(labels.numel(), table.shape[1])
        _run(_write_rows, labels, _arrays(table, scales, labels, rows))
        return rows

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        table, scales, labels = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        if table.is_cuda:
            sums = table.new_zeros(table.shape)
            sums.index_put_((labels,), gradient * scales[:, None], accumulate=True)
            return sums, (gradient * table[labels]).sum(1), None
        own = torch.empty_like(scales)
        arrays = _arrays(table, scales, labels, gradient, own)
        return table.new_tensor(_run(_sum_rows, labels, arrays)), own, None


_expand = cast(Callable[..., torch.Tensor], _Expand.apply)


def expand(table: torch.Tensor, scales: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Give ``scales[:, None] * table[labels]``, differentiable in table and scales.

    Args:
        table: float32, shape (P, d).
        scales: float32, shape (n,).
        labels: int64 in ``[0, P)``, shape (n,).

    Returns:
        Shape (n, d).
    """
    return _expand(table.contiguous(), scales.contiguous(), labels)


def _arrays(*tensors: torch.Tensor) -> tuple[np.ndarray, ...]:
    return tuple(tensor.detach().numpy() for tensor in tensors)


def _run(loop: Any, labels: torch.Tensor, arrays: tuple[np.ndarray, ...]) -> Any:
    parts = cut(labels.numel(), _PIECE, _PIECES)
    table, *others = arrays

    def piece(number: int) -> Any:
        return loop(table, *(array[parts[number]] for array in others))

    return sum(found for found in on_threads(piece, len(parts)) if found is not None)


@njit(cache=True, nogil=True)
def _write_rows(
    table: np.ndarray, scales: np.ndarray, labels: np.ndarray, rows: np.ndarray
) -> None:
    for i in range(labels.size):
        for j in range(table.shape[1]):
            rows[i, j] = scales[i] * table[labels[i], j]


@njit(cache=True, nogil=True)
def _sum_rows(
    table: np.ndarray,
    scales: np.ndarray,
    labels: np.ndarray,
    gradient: np.ndarray,
    own: np.ndarray,
) -> np.ndarray:
    """Write the scales' gradients and give the sums of the table's, float64."""
    sums = np.zeros(table.shape)
    for i in range(labels.size):
        label, scale, total = labels[i], np.float64(scales[i]), 0.0
        for j in range(table.shape[1]):
            total += gradient[i, j] * table[label, j]
            sums[label, j] += scale * gradient[i, j]
        own[i] = total
    return sums
