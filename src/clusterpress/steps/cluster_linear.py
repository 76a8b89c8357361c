"""Optimal clustering of fully connected weights, with K chosen per layer (wu2019)."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from torch import nn

from clusterpress.clustering import optimal, optimal_curve
from clusterpress.codes import weight_layers
from clusterpress.errors import ConfigError
from clusterpress.steps.allocation import allocate, layer_bits
from clusterpress.steps.base import Context
from clusterpress.steps.foresight import foresee, most_kept
from clusterpress.steps.kept_values import kept_values
from clusterpress.steps.per_layer import require_number, require_whole
from clusterpress.steps.share import checked_k, relative_error, share_layer, tell_fewer


class ClusterLinear:
    """Globally optimal one-dimensional k-means of the linear layers only (Wu et al. 2019).

    The paper attests "the best clustering method" for the fully connected layers and gives no
    equation; dynamic programming over sorted values is our reading (inferred).

    Args:
        bits: Fixed K = 2^bits in every linear layer, 1 to 12; or None.
        distortion: Alternative: the smallest K per layer whose squared error is at most this
            share of the layer's variance, in (0, 1). One run of the dynamic programme gives the
            error of every K.
        mean_bits: Alternative: K per layer so that all linear layers together err least at no
            more than so many bits a weight, log2 K for each and 32 for each centroid.
        max_bits: Largest K = 2^max_bits that ``distortion`` or ``mean_bits`` may choose, 1 to 12.
        exact: Whether a layer of fewer weights than 2^bits is refused; else each of its weights
            has a centroid of its own.

    Raises:
        ConfigError: Not exactly one of ``bits``, ``distortion`` and ``mean_bits``, or a value
            outside its range.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        bits: int | None = 4,
        distortion: float | None = None,
        max_bits: int = 6,
        mean_bits: float | None = None,
        exact: bool = True,
    ) -> None:
        if sum(knob is not None for knob in (bits, distortion, mean_bits)) != 1:
            raise ConfigError("ClusterLinear takes exactly one of bits, distortion and mean_bits")
        if bits is not None:
            require_whole(bits, 1, 12, "ClusterLinear: bits")
        require_whole(max_bits, 1, 12, "ClusterLinear: max_bits")
        if distortion is not None:
            knob = "ClusterLinear: distortion"
            require_number(distortion, lambda value: 0 < value < 1, "(0, 1)", knob)
        if mean_bits is not None:
            interval, knob = f"(0, max_bits={max_bits}]", "ClusterLinear: mean_bits"
            require_number(mean_bits, lambda value: 0 < value <= max_bits, interval, knob)
        self.bits, self.distortion, self.max_bits = bits, distortion, max_bits
        self.mean_bits, self.exact = mean_bits, exact

    def check(self, network: nn.Module) -> None:
        """Refuse more centroids than a linear layer has kept weights.

        Raises:
            ConfigError: The layer and both numbers.
        """
        for name, layer in weight_layers(network):
            if isinstance(layer, nn.Linear):
                if self.bits is not None:
                    checked_k(name, 1 << self.bits, most_kept(name, network), self.exact)
                foresee(shared=[name])

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Give every linear layer its optimal codebook; record K and the relative error."""
        layers = {
            name: layer for name, layer in weight_layers(network) if isinstance(layer, nn.Linear)
        }
        values = {name: kept_values(name, layer) for name, layer in layers.items()}
        sizes: dict[str, int] = {}
        errors: dict[str, float] = {}
        fewer: dict[str, int] = {}
        for name, asked in self._sizes(values).items():
            k = checked_k(name, asked, values[name].size, self.exact)
            fewer |= {name: k} if k < asked else {}
            clusters = optimal(values[name], k)
            share_layer(layers[name], clusters)
            sizes[name] = int(clusters.centers.size)
            errors[name] = relative_error(clusters, values[name])
        context.facts.update(centroids=sizes, relative_squared_error=errors)
        tell_fewer(context, fewer)
        return network

    def _sizes(self, values: Mapping[str, np.ndarray]) -> dict[str, int]:
        if self.bits is not None:
            return dict.fromkeys(values, 1 << self.bits)
        k_max = {name: min(1 << self.max_bits, each.size) for name, each in values.items()}
        curves = {name: optimal_curve(each, k_max[name]) for name, each in values.items()}
        if self.mean_bits is None:
            return {name: self._within(name, curve) for name, curve in curves.items()}
        bits = {name: layer_bits(each.size, k_max[name]) for name, each in values.items()}
        return allocate(curves, bits, self.mean_bits * sum(each.size for each in values.values()))

    def _within(self, name: str, curve: np.ndarray) -> int:
        assert self.distortion is not None
        within = np.flatnonzero(curve <= self.distortion * curve[0])
        if within.size == 0:
            raise ConfigError(
                f"layer {name!r} needs more than {curve.size} centroids to stay "
                f"within the distortion {self.distortion}; raise max_bits"
            )
        return int(within[0]) + 1
