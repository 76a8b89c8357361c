"""Optimal clustering of fully connected weights, with K chosen per layer (wu2019)."""

from typing import ClassVar

import numpy as np
from torch import nn

from clusterpress.clustering import optimal, optimal_curve
from clusterpress.codes import weight_layers
from clusterpress.errors import ConfigError
from clusterpress.steps.base import Context
from clusterpress.steps.kept_values import kept_values
from clusterpress.steps.per_layer import require_whole
from clusterpress.steps.share import checked_k, relative_error, share_layer


class ClusterLinear:
    """Globally optimal one-dimensional k-means of the linear layers only (Wu et al. 2019).

    The paper attests "the best clustering method" for the fully connected layers and gives no
    equation; dynamic programming over sorted values is our reading (inferred).

    Args:
        bits: Fixed K = 2^bits in every linear layer, 1 to 12; or None.
        distortion: Alternative: the smallest K per layer whose squared error is at most this
            share of the layer's variance, in (0, 1). One run of the dynamic programme gives the
            error of every K.
        max_bits: Largest K = 2^max_bits that ``distortion`` may choose, 1 to 12.

    Raises:
        ConfigError: Not exactly one of ``bits`` and ``distortion``, or a value outside its range.
    """

    version: ClassVar[int] = 1

    def __init__(
        self, bits: int | None = 4, distortion: float | None = None, max_bits: int = 6
    ) -> None:
        if (bits is None) == (distortion is None):
            raise ConfigError("ClusterLinear takes exactly one of bits and distortion")
        if bits is not None:
            require_whole(bits, 1, 12, "ClusterLinear: bits")
        require_whole(max_bits, 1, 12, "ClusterLinear: max_bits")
        if distortion is not None and not 0 < distortion < 1:
            raise ConfigError(f"ClusterLinear: distortion={distortion} is outside (0, 1)")
        self.bits, self.distortion, self.max_bits = bits, distortion, max_bits

    def check(self, network: nn.Module) -> None:
        """Refuse more centroids than a linear layer has weights.

        Raises:
            ConfigError: The layer and both numbers.
        """
        for name, layer in weight_layers(network):
            if self.bits is not None and isinstance(layer, nn.Linear):
                checked_k(name, 1 << self.bits, layer.weight.numel())

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Give every linear layer its optimal codebook; record K and the relative error."""
        sizes, errors = {}, {}
        for name, layer in weight_layers(network):
            if not isinstance(layer, nn.Linear):
                continue
            values = kept_values(name, layer)
            clusters = optimal(values, checked_k(name, self._k(name, values), values.size))
            share_layer(layer, clusters)
            sizes[name] = int(clusters.centers.size)
            errors[name] = relative_error(clusters, values)
        context.facts.update(centroids=sizes, relative_squared_error=errors)
        return network

    def _k(self, name: str, values: np.ndarray) -> int:
        if self.bits is not None:
            return 1 << self.bits
        assert self.distortion is not None
        curve = optimal_curve(values, min(2**self.max_bits, values.size))
        within = np.flatnonzero(curve <= self.distortion * curve[0])
        if within.size == 0:
            raise ConfigError(
                f"layer {name!r} needs more than {curve.size} centroids to stay "
                f"within the distortion {self.distortion}; raise max_bits"
            )
        return int(within[0]) + 1
