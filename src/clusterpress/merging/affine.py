"""A BatchNorm in evaluation, neuron by neuron: ``scale * x + shift``."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from clusterpress.merging.blocks import block_of, put_blocks
from clusterpress.merging.couplings import Norm


@dataclass(frozen=True)
class Affine:
    """What a BatchNorm does to a layer's neurons.

    Attributes:
        gamma: Its weights, float64, shape (columns of a neuron, neurons); ones where it has none.
        beta: Its biases, likewise; zeros where it has none.
        mean: Its running means, likewise.
        variance: Its running variances, likewise.
        eps: What it adds to the variances.
        learns: Whether it has weights and biases.
    """

    gamma: torch.Tensor
    beta: torch.Tensor
    mean: torch.Tensor
    variance: torch.Tensor
    eps: float
    learns: bool

    @property
    def deviation(self) -> torch.Tensor:
        """``sigma = sqrt(variance + eps)``."""
        return (self.variance + self.eps).sqrt()

    @property
    def scale(self) -> torch.Tensor:
        """``gamma / sigma``."""
        return self.gamma / self.deviation

    @property
    def shift(self) -> torch.Tensor:
        """``beta - mean * gamma / sigma``."""
        return self.beta - self.mean * self.scale


def affine(network: nn.Module, norm: Norm, width: int) -> Affine:
    """Read a norm's share of a layer's neurons."""
    module = cast(_BatchNorm, network.get_submodule(norm.name))

    def read(values: torch.Tensor | None, default: float) -> torch.Tensor:
        if values is None:
            return torch.full((norm.columns_per_neuron, width), default, dtype=torch.float64)
        return block_of(values.detach().double().cpu(), norm, width, 0).reshape(width, -1).T

    return Affine(
        gamma=read(module.weight, 1.0),
        beta=read(module.bias, 0.0),
        mean=read(module.running_mean, 0.0),
        variance=read(module.running_var, 1.0),
        eps=module.eps,
        learns=module.weight is not None,
    )


def write(network: nn.Module, norms: list[Norm], width: int, given: list[Affine]) -> None:
    """Give one BatchNorm new values at the places of a layer's neurons, in place.

    Args:
        network: It has the BatchNorm.
        norms: Places of one and the same BatchNorm.
        width: Neurons there so far.
        given: What comes there, of other widths.
    """
    module = cast(_BatchNorm, network.get_submodule(norms[0].name))
    new = {
        "weight": [each.gamma for each in given],
        "bias": [each.beta for each in given],
        "running_mean": [each.mean for each in given],
        "running_var": [each.variance for each in given],
    }
    for tensor, rows in new.items():
        old: torch.Tensor | None = getattr(module, tensor)
        if old is not None:
            blocks = [each.T.flatten().to(old.device) for each in rows]
            values = put_blocks(old.detach().double(), norms, width, blocks, 0).to(old.dtype)
            trains = isinstance(old, nn.Parameter)
            setattr(module, tensor, nn.Parameter(values, old.requires_grad) if trains else values)
    assert module.running_mean is not None
    module.num_features = len(module.running_mean)
