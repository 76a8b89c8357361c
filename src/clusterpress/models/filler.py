"""Layers that start as Caffe's ``xavier`` filler leaves them."""

import math

import torch
from torch import nn

from clusterpress.errors import ConfigError


def xavier_(weight: torch.Tensor) -> None:
    """Fill a weight in place, uniform in ±sqrt(3 / fan_in).

    Caffe's default (``filler.hpp``, after Glorot & Bengio 2010): the variance is 1 / fan_in, where
    fan_in is the number of weights of one output.
    """
    bound = math.sqrt(3 / max(1, weight[0].numel()))
    nn.init.uniform_(weight, -bound, bound)


class XavierLinear(nn.Linear):
    """A linear layer with Caffe's ``xavier`` weights and zero biases."""

    def reset_parameters(self) -> None:
        """Draw the weights anew from torch's global generator; set the biases to zero."""
        xavier_(self.weight)
        nn.init.zeros_(self.bias)


class XavierConv2d(nn.Conv2d):
    """A convolution with Caffe's ``xavier`` weights and zero biases."""

    def reset_parameters(self) -> None:
        """Draw the weights anew from torch's global generator; set the biases to zero."""
        xavier_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


def check_sizes(**sizes: int) -> None:
    """Refuse sizes of a network that are no positive whole numbers.

    Raises:
        ConfigError: One is none; the message names it.
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ConfigError(f"{name} is {size!r}, it must be a whole number of at least 1.")
