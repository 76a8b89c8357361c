"""Fold neurons of a whole network: coupled layers, mean in, sum out, BatchNorm rebuilt."""

from clusterpress.clustering import LINKAGES
from clusterpress.merging.allotment import cheapest_widths
from clusterpress.merging.by_use import positions, widths_by_use
from clusterpress.merging.couplings import Consumer, Norm
from clusterpress.merging.dense import dense_layer, require_dense, require_finite
from clusterpress.merging.features import incoming_features
from clusterpress.merging.fold import fold, mean, membership, selection
from clusterpress.merging.hidden import SKIPS, Skips, hidden_layers
from clusterpress.merging.layers import HiddenLayer, narrowed
from clusterpress.merging.outline import outline
from clusterpress.merging.partition import (
    CLUSTERERS,
    partition,
    partition_at,
    random_partition,
    relative_error,
)
from clusterpress.merging.reestimate import estimates, reestimate
from clusterpress.merging.running import require_runs
from clusterpress.merging.target import checked_remove, keep_that_removes, parameters_at
from clusterpress.merging.widths import Keep, checked_keep, target_widths

__all__ = [
    "CLUSTERERS",
    "LINKAGES",
    "SKIPS",
    "Consumer",
    "HiddenLayer",
    "Keep",
    "Norm",
    "Skips",
    "cheapest_widths",
    "checked_keep",
    "checked_remove",
    "dense_layer",
    "estimates",
    "fold",
    "hidden_layers",
    "incoming_features",
    "keep_that_removes",
    "mean",
    "membership",
    "narrowed",
    "outline",
    "parameters_at",
    "partition",
    "partition_at",
    "positions",
    "random_partition",
    "reestimate",
    "relative_error",
    "require_dense",
    "require_finite",
    "require_runs",
    "selection",
    "target_widths",
    "widths_by_use",
]
