"""Fold neurons of a whole network: coupled layers, mean in, sum out."""

from clusterpress.clustering import LINKAGES
from clusterpress.merging.dense import dense_layer, require_dense, require_finite
from clusterpress.merging.fold import (
    fold,
    incoming_features,
    mean,
    membership,
    selection,
)
from clusterpress.merging.hidden import Consumer, HiddenLayer, hidden_layers
from clusterpress.merging.partition import (
    CLUSTERERS,
    partition,
    partition_at,
    random_partition,
    relative_error,
)
from clusterpress.merging.tracing import require_runs
from clusterpress.merging.widths import Keep, checked_keep, target_widths

__all__ = [
    "CLUSTERERS",
    "LINKAGES",
    "Consumer",
    "HiddenLayer",
    "Keep",
    "checked_keep",
    "dense_layer",
    "fold",
    "hidden_layers",
    "incoming_features",
    "mean",
    "membership",
    "partition",
    "partition_at",
    "random_partition",
    "relative_error",
    "require_dense",
    "require_finite",
    "require_runs",
    "selection",
    "target_widths",
]
