"""Share weights: every kept weight of a layer becomes one of K values."""

from collections.abc import Mapping
from typing import ClassVar, Literal, get_args

import numpy as np
import torch
from torch import nn

from clusterpress.clustering import Clusters, cluster
from clusterpress.codes import Shared, attach, weight_layers
from clusterpress.errors import ConfigError
from clusterpress.steps.base import Context
from clusterpress.steps.foresight import foresee, most_kept
from clusterpress.steps.kept_values import kept_values, mask_of
from clusterpress.steps.per_layer import require_whole, settings_by_layer

Init = Literal["random", "density", "linear", "kmeans++", "optimal"]
MAX_BITS = 16
FEWER = "fewer_centroids"


class Share:
    """One-dimensional k-means of each layer's kept weights (Han et al. 2016, section 3).

    The assignment is frozen afterwards; the codebook goes on learning. Zeros of a pruned layer
    are left out of the clustering.

    Args:
        bits: log2 of the number of centroids, 1 to 16; for all layers, or by layer name or type
            (``conv``, ``fc``).
        init: Where the centroids start: ``random`` (Forgy), ``density``, ``linear`` (the paper's
            best), ``kmeans++`` (D^2 seeding); or ``optimal``, the exact minimum of the squared
            error by dynamic programming, which has no start.
        exact: Whether a layer of fewer weights than centroids is refused; else each of its weights
            has a centroid of its own.

    Raises:
        ConfigError: ``bits`` or ``init`` is outside its range.
    """

    version: ClassVar[int] = 1

    def __init__(
        self, bits: int | Mapping[str, int] = 5, init: Init = "linear", exact: bool = True
    ) -> None:
        for value in bits.values() if isinstance(bits, Mapping) else [bits]:
            require_whole(value, 1, MAX_BITS, "Share: bits")
        if init not in get_args(Init):
            raise ConfigError(f"Share: init={init!r} is not one of {', '.join(get_args(Init))}")
        self.bits, self.init, self.exact = bits, init, exact

    def check(self, network: nn.Module) -> None:
        """Refuse layers that the network does not have, and more centroids than kept weights.

        Raises:
            ConfigError: The layer, and what would be right.
        """
        bits = settings_by_layer(self.bits, network, "Share.bits")
        for name, width in bits.items():
            checked_k(name, 2**width, most_kept(name, network), self.exact)
        foresee(shared=bits)

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Give every layer a codebook; record the relative squared error of each."""
        layers = dict(weight_layers(network))
        bits = settings_by_layer(self.bits, network, "Share.bits")
        errors: dict[str, float] = {}
        fewer: dict[str, int] = {}
        for number, (name, width) in enumerate(bits.items()):
            values = kept_values(name, layers[name])
            rng = np.random.default_rng([context.clustering, number])
            k = checked_k(name, 2**width, values.size, self.exact)
            clusters = cluster(values, k, init=self.init, rng=rng)
            fewer |= {name: k} if k < 2**width else {}
            share_layer(layers[name], clusters)
            errors[name] = relative_error(clusters, values)
        context.facts["relative_squared_error"] = errors
        tell_fewer(context, fewer)
        return network


def checked_k(
    name: str, k: int, weights: int, exact: bool = True, otherwise: str = "take exact=false"
) -> int:
    """Give ``k`` back where the layer has that many kept weights, else, unless exact, these.

    Args:
        name: The layer.
        k: How many centroids were asked for.
        weights: How many weights it keeps.
        exact: Whether fewer are refused.
        otherwise: What a user may do in place of taking fewer bits, for the error.

    Raises:
        ConfigError: More centroids than weights, or no weight; names the layer and the numbers.
    """
    if not weights:
        raise ConfigError(
            f"layer {name!r} has no kept weights, so it has no values to share; prune less of it, "
            "or leave it out"
        )
    if k > weights and exact:
        bits = int(np.log2(weights))
        fewer = f"take at most {bits} bits, or " if bits else ""
        raise ConfigError(
            f"layer {name!r} has {weights} kept weights and cannot have {k} centroids; "
            f"{fewer}{otherwise}"
        )
    return min(k, weights)


def tell_fewer(context: Context, fewer: Mapping[str, int]) -> None:
    """Remember which layers or sets got fewer centroids than were asked for, and how many."""
    if fewer:
        context.facts[FEWER] = dict(fewer)


def share_layer(layer: nn.Module, clusters: Clusters) -> None:
    """Let a layer's kept weights share the centroids that they were assigned to."""
    weight = layer.weight
    assert isinstance(weight, torch.Tensor)
    labels = torch.from_numpy(clusters.labels).to(weight.device, torch.int64)
    codebook = torch.from_numpy(clusters.centers).to(weight)
    attach(layer, "weight", Shared(labels, tuple(weight.shape), mask_of(layer)), codebook)


def relative_error(clusters: Clusters, values: np.ndarray) -> float:
    """Give the squared error over the sum of squares of the values; 0 where all are zero."""
    energy = float(np.square(values, dtype=np.float64).sum())
    return clusters.error / energy if energy else 0.0
