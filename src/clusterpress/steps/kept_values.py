"""Read a layer's kept weights as finite numbers."""

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from clusterpress.codes import Masked, Shared, code_of
from clusterpress.errors import ConfigError, DataError


def mask_of(layer: nn.Module) -> torch.Tensor | None:
    """Give the bool mask of a pruned layer's kept weights; None where nothing is pruned."""
    code = code_of(layer)
    if isinstance(code, Masked):
        return code.mask
    return code.mask() if isinstance(code, Shared) else None


def require_unpruned(name: str, layer: nn.Module, step: str) -> None:
    """Refuse a pruned layer, for a step whose form of it has no mask.

    A mask that keeps every weight is no pruning: ``keep`` of 1 leaves a layer whole.

    Raises:
        ConfigError: Some of its weights are pruned.
    """
    mask = mask_of(layer)
    if mask is not None and not bool(mask.all()):
        raise ConfigError(pruned_said(name, step))


def pruned_said(name: str, step: str) -> str:
    """Say that a layer is pruned, to who would lose its zeros."""
    return (
        f"layer {name!r} is pruned, and {step} would bring its zeros back; leave one of the two out"
    )


def dense_weight(name: str, layer: nn.Module) -> torch.Tensor:
    """Give a layer's dense weight, detached, in its own dtype.

    Raises:
        DataError: The weight has NaN or infinite values; the layer is named.
    """
    weight = layer.get_parameter("weight") if code_of(layer) is None else layer.weight
    assert isinstance(weight, torch.Tensor)
    return require_finite(name, weight.detach())


def require_finite(name: str, weight: torch.Tensor) -> torch.Tensor:
    """Give a layer's weight back.

    Raises:
        DataError: It has NaN or infinite values; the layer is named.
    """
    bad = int((~torch.isfinite(weight)).sum())
    if bad:
        raise DataError(
            f"layer {name!r} has {bad} weights that are NaN or infinite; "
            "the network cannot be compressed"
        )
    return weight


def kept_values(name: str, layer: nn.Module) -> npt.NDArray[np.float32]:
    """Give a layer's kept weights in row-major order, float32, shape (kept,).

    Raises:
        DataError: The weight has NaN or infinite values.
    """
    weight, mask = dense_weight(name, layer), mask_of(layer)
    kept = weight.flatten() if mask is None else weight[mask]
    values: npt.NDArray[np.float32] = kept.float().cpu().numpy()
    return values
