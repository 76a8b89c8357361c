"""Hashed weights (chen2015)."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from torch import nn

from clusterpress.codes import Hashed, attach, weight_layers
from clusterpress.codes.hashed import MAX_SEED
from clusterpress.steps.base import Context
from clusterpress.steps.foresight import foresee, refuse_pruned
from clusterpress.steps.kept_values import dense_weight, require_unpruned
from clusterpress.steps.per_layer import require_whole, settings_by_layer


class HashWeights:
    """Let a hash decide which weights share a value, up to a sign (Chen et al. 2015, HashedNets).

    A value starts at the signed mean of its weights and goes on learning; as the hash knows nothing
    of the weights, the training after it does the work. The paper trains such networks from
    scratch; starting from a trained one is ours.

    Args:
        compression: Weights for each value, a whole number of at least 1; for all layers, or by
            layer name or type (``conv``, ``fc``). The paper has 8 and 64.

    Raises:
        ConfigError: ``compression`` is outside its range.
    """

    version: ClassVar[int] = 1

    def __init__(self, compression: int | Mapping[str, int] = 8) -> None:
        values = compression.values() if isinstance(compression, Mapping) else [compression]
        for value in values:
            require_whole(value, 1, 1 << 16, "HashWeights: compression")
        self.compression = compression

    def check(self, network: nn.Module) -> None:
        """Refuse layers that the network does not have, or that an earlier step prunes.

        Raises:
            ConfigError: The layer, and the nearest that there is.
        """
        chosen = settings_by_layer(self.compression, network, "HashWeights.compression")
        refuse_pruned(chosen, network, "HashWeights")
        foresee(coded=chosen)

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Give every layer a hash of its own; record the number of values of each.

        Raises:
            ConfigError: A layer is pruned.
            DataError: A weight is NaN or infinite.
        """
        layers = dict(weight_layers(network))
        chosen = settings_by_layer(self.compression, network, "HashWeights.compression")
        for name in chosen:
            require_unpruned(name, layers[name], "HashWeights")
        weights = {name: dense_weight(name, layers[name]) for name in chosen}
        sizes = {}
        for number, (name, weight) in enumerate(weights.items()):
            rng = np.random.default_rng([context.clustering, number])
            sizes[name] = -(-weight.numel() // chosen[name])
            code = Hashed(tuple(weight.shape), sizes[name], int(rng.integers(MAX_SEED)))
            code = code.to(weight.device)
            attach(layers[name], "weight", code, code.right_inverse(weight))
        context.facts["values"] = sizes
        return network
