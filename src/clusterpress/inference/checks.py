"""What the inference layer refuses, and why."""

import numpy as np
import torch
from torch import nn

from clusterpress.errors import ConfigError, DataError


def check_layer(layer: nn.Conv2d) -> None:
    """Raise ConfigError where a convolution has no form with shared kernels here."""
    if layer.groups != 1:
        raise ConfigError(
            f"a convolution with groups = {layer.groups} is not supported: its outputs see "
            "different inputs, so they have no sums to share; leave it dense"
        )
    if tuple(layer.dilation) != (1, 1):
        raise ConfigError(
            f"a convolution with dilation {tuple(layer.dilation)} is not supported: the compiled "
            "layer knows neighbouring taps only; leave it dense"
        )
    if layer.stride[0] != layer.stride[1]:
        raise ConfigError(f"strides {tuple(layer.stride)} must be the same in both directions")
    if layer.padding_mode != "zeros" or isinstance(layer.padding, str):
        raise ConfigError(
            f"padding {layer.padding!r} of mode {layer.padding_mode!r} is not supported: it must "
            "be a number of zeros"
        )


def check_form(
    kernels: np.ndarray, labels: np.ndarray, scales: np.ndarray | None, bias: np.ndarray | None
) -> None:
    """Raise DataError where kernels (P, h, w), labels (O, I), scales and bias do not fit."""
    if kernels.ndim != 3 or labels.ndim != 2 or 0 in (*kernels.shape, *labels.shape):
        raise DataError(
            f"kernels of shape {kernels.shape} and labels of shape {labels.shape} must have the "
            "shapes (P, h, w) and (O, I), none of them zero"
        )
    if not 0 <= labels.min() <= labels.max() < len(kernels):
        raise DataError(
            f"labels from {labels.min()} to {labels.max()} must name one of {len(kernels)} kernels"
        )
    if scales is not None and scales.shape != labels.shape:
        raise DataError(f"scales of shape {scales.shape} must have the shape {labels.shape}")
    if bias is not None and bias.shape != labels.shape[:1]:
        raise DataError(f"a bias of shape {bias.shape} must have the shape {labels.shape[:1]}")
    for name, values in (("kernels", kernels), ("scales", scales), ("bias", bias)):
        if values is not None and not np.isfinite(values).all():
            raise DataError(f"{name} must be finite, there is a value that is not")


def check_input(x: torch.Tensor, channels: int, training: bool) -> None:
    """Raise where a layer that only infers is asked for more, or for another type or shape.

    Raises:
        ConfigError: The layer is in training mode, or a gradient is asked for.
        DataError: The input is no float32 image tensor on the CPU with that many channels.
    """
    if training:
        raise ConfigError("a shared-kernel layer only infers: call eval() on the network first")
    if torch.is_grad_enabled() and x.requires_grad:
        raise ConfigError(
            "a shared-kernel layer gives no gradients: use torch.inference_mode(), or train the "
            "network that it was made from"
        )
    if x.dtype != torch.float32 or x.device.type != "cpu":
        raise DataError(f"the input is {x.dtype} on {x.device}, it must be float32 on the CPU")
    if x.ndim != 4 or x.shape[1] != channels or 0 in x.shape:
        raise DataError(f"the input's shape {tuple(x.shape)} must be (N, {channels}, H, W)")
