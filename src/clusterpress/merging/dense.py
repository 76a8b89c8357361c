"""Check that layers are dense and finite before their neurons are compared."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import parametrize

from clusterpress.codes import all_weight_layers, code_of, own_methods, weight_layers
from clusterpress.errors import ConfigError, DataError

_PLAIN = (nn.Linear, nn.Conv2d, nn.SyncBatchNorm, _BatchNorm)


def dense_layer(network: nn.Module, name: str) -> nn.Linear | nn.Conv2d:
    """Give a layer by name, having checked that it is dense and finite.

    Raises:
        ConfigError: A code or another parametrization holds one of its tensors.
        DataError: One of its values is NaN or infinite.
    """
    module = cast(nn.Linear | nn.Conv2d, network.get_submodule(name))
    _require_dense(module, name)
    _require_finite(module, name)
    return module


def require_dense(network: nn.Module) -> None:
    """Check that every layer of the network holds a dense weight of its own.

    Raises:
        ConfigError: A code or another parametrization holds one, or it is another module's too;
            or its class computes something of its own; the message names the layer.
    """
    for name, module in network.named_modules():
        if isinstance(module, _PLAIN):
            _require_plain(module, name)
    own = dict(weight_layers(network))
    for name, module in all_weight_layers(network):
        _require_dense(module, name)
        if name not in own:
            raise ConfigError(
                f"Layer {name!r} cannot be merged or pruned by neurons: its weight is tied to "
                "another module's or computed by a hook, and would not change alone."
            )


def require_finite(network: nn.Module) -> None:
    """Check that all values of linear and convolution layers and BatchNorms are finite.

    Raises:
        DataError: One is NaN or infinite; the message names the layer.
    """
    for name, module in all_weight_layers(network):
        _require_finite(module, name)
    for name, norm in network.named_modules():
        if isinstance(norm, _BatchNorm):
            _require_finite(norm, name, ("weight", "bias", "running_mean", "running_var"))


def _require_plain(module: nn.Module, name: str) -> None:
    """Refuse what only looks like a layer: sums of columns are right for a product alone."""
    kind = next(kind for kind in _PLAIN if isinstance(module, kind))
    for method in own_methods(module, kind):
        raise ConfigError(
            f"Layer {name!r} keeps this network from being merged or pruned by neurons: its "
            f"{method}() is not {_known(module)}'s, and what it computes is not known."
        )


def _known(module: nn.Module) -> str:
    """Name the class of torch's that a module's own is made from."""
    return next(of.__name__ for of in type(module).__mro__ if of.__module__.startswith("torch."))


def _require_dense(module: nn.Module, name: str) -> None:
    for tensor in ("weight", "bias"):
        if parametrize.is_parametrized(module, tensor):
            raise ConfigError(
                f"Layer {name!r} cannot be merged or pruned by neurons: its {tensor} is "
                f"{_holder(module, tensor)}."
            )


def _holder(module: nn.Module, tensor: str) -> str:
    """Say what holds a tensor that is not dense, and what to do about it."""
    code = code_of(module, tensor)
    if code is not None:
        return (
            f"held by a code ({code.kind}), and dense weights are needed; put such steps before "
            "those that give a layer a code"
        )
    chain = cast(nn.ModuleDict, module.parametrizations)[tensor]
    kinds = ", ".join(type(each).__name__.lstrip("_") for each in cast(nn.ModuleList, chain))
    return (
        f"computed by a parametrization that is no code of clusterpress ({kinds}), and dense "
        "weights are needed; remove it first, with remove_parametrizations of "
        "torch.nn.utils.parametrize"
    )


def _require_finite(
    module: nn.Module, name: str, tensors: Sequence[str] = ("weight", "bias")
) -> None:
    for tensor in tensors:
        values: torch.Tensor | None = getattr(module, tensor)
        if values is not None and not bool(torch.isfinite(values).all()):
            bad = int((~torch.isfinite(values)).sum())
            raise DataError(
                f"The {tensor} of layer {name!r} has {bad} values that are NaN or infinite out of "
                f"{values.numel()}; neurons can only be compared where all are finite."
            )
