"""Vectors as they come, and clusters as they go: arrays, or tensors wherever they are."""

import sys
from typing import Any, TypeVar

from clusterpress.clustering.hierarchy.distances import real_rows
from clusterpress.clustering.tensors import host, is_tensor, to_device

Result = TypeVar("Result")


def checked_rows(points: Any) -> Any:
    """Give points as finite rows of float32 or float64, shape (n, d).

    A tensor on a GPU stays there; everything else becomes a contiguous array.

    Raises:
        DataError: They are not real numbers of shape (n, d), or one of them is not finite.
    """
    if not (is_tensor(points) and points.device.type == "cuda"):
        return real_rows(host(points))
    rows = real_tensor(points)
    return real_rows(host(points)) if rows is None else rows


def real_tensor(points: Any) -> Any:
    """Give a tensor as finite rows of float32 or float64; None where it cannot be."""
    torch = sys.modules["torch"]
    if points.ndim != 2 or points.is_complex() or not bool(points.isfinite().all()):
        return None
    narrow = points.dtype in (torch.float16, torch.bfloat16, torch.float32)
    return points.detach().to(torch.float32 if narrow else torch.float64).contiguous()


def returned(found: Result, points: Any) -> Result:
    """Give a result's arrays as tensors on the device of ``points``, where these are a tensor."""
    return to_device(found, points.device) if is_tensor(points) else found
