"""Merge similar neurons and their connections: mean in, sum out."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self, cast

import numpy as np
import torch
from torch import nn

from clusterpress.clustering import Linkage
from clusterpress.errors import ConfigError
from clusterpress.merging import (
    CLUSTERERS,
    LINKAGES,
    HiddenLayer,
    Keep,
    Skips,
    checked_keep,
    fold,
    hidden_layers,
    incoming_features,
    mean,
    membership,
    narrowed,
    partition,
    partition_at,
    relative_error,
    require_finite,
    require_runs,
)
from clusterpress.merging.partition import Clusterer, Labels, Points
from clusterpress.steps.base import Context
from clusterpress.steps.widths import check_widths, chosen_widths, reestimated, width_problems


@dataclass(eq=False)
class MergeNeurons:
    """Cluster the neurons of every hidden layer and replace each cluster by one neuron.

    A cluster's incoming weights and biases are averaged, BatchNorm folded in, and its outgoing
    weights are summed; BatchNorm is rebuilt around the merged neurons.
    Layers are taken from input to output, each clustered after the previous merge; inputs and
    logits stay. With a linkage this is NAC (Wang et al. 2020, Sensors 20(21):6033), with
    ``kmeans`` Zhong et al. 2018, with ``random`` the control; the details are our reading.

    Remembers in the context's facts: ``widths_before``, ``widths_after`` and
    ``reconstruction_error`` (``|X - X'| / |X|`` of the clustered features) by layer; layers that
    a skip joins go by the first of them.

    Args:
        keep: Share of neurons to keep, in (0, 1]: one for all hidden layers, or by layer name
            (layers that are not named keep their width). The new width of n neurons is
            ``max(1, round(keep * n))``. This, ``distance`` or ``remove`` must be given.
        cluster: ``average``, ``ward``, ``complete`` (linkages), ``kmeans`` or ``random``.
        distance: Instead of ``keep``, for linkages: the Euclidean distance up to which clusters
            join, the same for every layer.
        restarts: Starts of k-means.
        remove: Instead of ``keep``: the share of the network's parameters to remove at least, in
            (0, 1). The largest share of neurons that meets it is kept, the same for every layer.
        skips: ``internal`` leaves alone the layers whose neurons a skip joins with those of
            others; ``joined`` clusters all layers that a skip joins as one.
        reestimate: Whether the statistics of all BatchNorms are estimated anew at the end, on
            training images (10,000 at most).

    Raises:
        ConfigError: Settings are out of range; one error names them all.
    """

    version: ClassVar[int] = 1

    keep: Keep | None = None
    cluster: str = "average"
    distance: float | None = None
    restarts: int = 5
    remove: float | None = None
    skips: str = "internal"
    reestimate: bool = False

    def __post_init__(self) -> None:
        problems = [
            *width_problems(
                self.keep, self.remove, self.skips, self.reestimate, distance=self.distance
            ),
            *_problems(self.cluster, self.distance, self.restarts),
        ]
        if problems:
            raise ConfigError("MergeNeurons is not valid: " + "; ".join(problems) + ".")
        self.keep = None if self.keep is None else checked_keep(self.keep)

    def check(self, network: nn.Module) -> None:
        """Refuse a network whose layers cannot be merged so far, as ``check_widths`` can tell.

        Raises:
            ConfigError: The layer or the target, and what would be right.
        """
        check_widths(self, network, self.keep)

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Merge in place and return the network.

        Raises:
            ConfigError: The network has layers that cannot be merged, or ``keep`` names a layer
                that it has not, or ``remove`` cannot be met. Nothing is changed then, unless its
                forward pass turns out to name the old widths. Or ``reestimate`` is on and the
                context has no training images.
            DataError: A weight is NaN or infinite. Nothing is changed then.
        """
        layers = self.hidden(network, context.example)
        require_finite(network)
        widths = chosen_widths(network, layers, self.keep, self.remove, context)
        rng = context.rng()
        after: dict[str, int] = {}
        errors: dict[str, float] = {}
        left = layers
        while left:
            layer, *left = left
            points = incoming_features(network, layer)
            labels = self._partition(points, None if widths is None else widths[layer.name], rng)
            after[layer.name] = int(labels.max()) + 1
            errors[layer.name] = relative_error(points, labels)
            _merge(network, layer, labels)
            left = narrowed(left, layer, layer.width - after[layer.name])
        require_runs(network, context.example)
        context.facts["widths_before"] = {layer.name: layer.width for layer in layers}
        context.facts["widths_after"] = after
        context.facts["reconstruction_error"] = errors
        if self.reestimate:
            reestimated(network, context)
        return network

    def hidden(self, network: nn.Module, example: torch.Tensor) -> list[HiddenLayer]:
        """Give the layers whose neurons it merges."""
        return hidden_layers(network, example, cast(Skips, self.skips))

    def with_keep(self, keep: Keep) -> Self:
        """Give the same step with other widths."""
        return replace(self, keep=keep, distance=None, remove=None)

    def _partition(self, points: Points, width: int | None, rng: np.random.Generator) -> Labels:
        if width is None:
            linkage = cast(Linkage, self.cluster)
            return partition_at(points, cast(float, self.distance), linkage=linkage)
        cluster = cast(Clusterer, self.cluster)
        return partition(points, width, cluster=cluster, rng=rng, restarts=self.restarts)


def _merge(network: nn.Module, layer: HiddenLayer, labels: Labels) -> None:
    clusters = int(labels.max()) + 1
    # n clusters of one neuron each change nothing, so not a bit is touched.
    if clusters < layer.width:
        fold(network, layer, mean(labels, clusters), membership(labels, clusters))


def _problems(cluster: str, distance: float | None, restarts: int) -> Iterator[str]:
    if cluster not in CLUSTERERS:
        yield f"cluster is {cluster!r}, it must be one of {', '.join(CLUSTERERS)}"
    if distance is not None:
        yield from _distance_problems(cluster, distance)
    if isinstance(restarts, bool) or not isinstance(restarts, int) or restarts < 1:
        yield f"restarts is {restarts!r}, it must be a whole number of at least 1"


def _distance_problems(cluster: str, distance: float) -> Iterator[str]:
    number = isinstance(distance, int | float) and not isinstance(distance, bool)
    if not number or not (distance >= 0 and math.isfinite(distance)):
        yield f"distance is {distance!r}, it must be a finite number of at least 0"
    if cluster in CLUSTERERS and cluster not in LINKAGES:
        yield f"distance needs a linkage ({', '.join(LINKAGES)}), but cluster is {cluster!r}"
