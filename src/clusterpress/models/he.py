"""Layers that start as He et al. (2015) proposed for layers before a ReLU."""

from torch import nn


class HeConv2d(nn.Conv2d):
    """A convolution with weights from a normal distribution of variance 2 / fan_in."""

    def reset_parameters(self) -> None:
        """Draw the weights anew from torch's global generator; set the biases to zero."""
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class HeLinear(nn.Linear):
    """A linear layer with weights from a normal distribution of variance 2 / fan_in."""

    def reset_parameters(self) -> None:
        """Draw the weights anew from torch's global generator; set the biases to zero."""
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")
        nn.init.zeros_(self.bias)
