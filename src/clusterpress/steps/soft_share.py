"""Differentiable k-means: weights shared softly while training (cho2022)."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from clusterpress.clustering import cluster
from clusterpress.codes import Shared, attach, weight_layers
from clusterpress.errors import ConfigError
from clusterpress.steps.attention import SoftForm
from clusterpress.steps.base import Context
from clusterpress.steps.kept_values import kept_values, require_unpruned
from clusterpress.steps.latent import require_recipe, train_latent
from clusterpress.steps.per_layer import require_whole, settings_by_layer
from clusterpress.steps.share import checked_k
from clusterpress.training.recipe import Recipe


class SoftShare:
    """DKM: soft assignment by attention while training, hard at the end (Cho et al. 2022).

    Every forward pass runs some iterations of soft k-means on a layer's latent weights, from the
    centres of the last pass, and uses the attention's mean of the centres as the weight; gradients
    go through all of it (section 3.2). In the end every weight takes its nearest centre, and is
    held as any shared weight. Scalars only (the paper's dimension 1).

    Args:
        recipe: How to train with soft weights.
        bits: log2 of the number of centres, 1 to 8; for all layers, or by layer name or type.
        temperature: Of the attention ``softmax(-|w - c| / tau)``, as a share of the standard
            deviation of the layer's weights (the paper gives tau itself, for each network).
        iterations: Most iterations of soft k-means in a forward pass (the paper's limit is 5).

    Raises:
        ConfigError: A setting is outside its range.
    """

    version: ClassVar[int] = 2

    def __init__(
        self,
        recipe: Recipe,
        bits: int | Mapping[str, int] = 3,
        temperature: float = 0.05,
        iterations: int = 3,
    ) -> None:
        for value in bits.values() if isinstance(bits, Mapping) else [bits]:
            require_whole(value, 1, 8, "SoftShare: bits")
        require_whole(iterations, 1, 100, "SoftShare: iterations")
        if not 0 < temperature < float("inf"):
            raise ConfigError(f"SoftShare: temperature={temperature} is not above 0")
        self.recipe, self.bits = require_recipe(recipe, "SoftShare"), bits
        self.temperature, self.iterations = temperature, iterations

    def check(self, network: nn.Module) -> None:
        """Refuse layers that the network does not have, and more centres than weights.

        Raises:
            ConfigError: The layer, and what would be right.
        """
        layers = dict(weight_layers(network))
        for name, width in settings_by_layer(self.bits, network, "SoftShare.bits").items():
            checked_k(name, 1 << width, layers[name].weight.numel())

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Train softly, then share; record the centres' number by layer.

        Raises:
            ConfigError: A layer is pruned, or has fewer weights than centres.
            DataError: A weight is NaN or infinite.
        """
        layers = dict(weight_layers(network))
        bits = settings_by_layer(self.bits, network, "SoftShare.bits")
        forms = {
            name: self._form(name, layers[name], width, (context.clustering, number))
            for number, (name, width) in enumerate(bits.items())
        }
        for name, latent in train_latent(network, forms, context, self.recipe, "SoftShare").items():
            labels = forms[name].nearest(latent)
            code = Shared(labels, tuple(latent.shape))
            attach(layers[name], "weight", code, forms[name].centers)
        context.facts["centroids"] = {name: 1 << width for name, width in bits.items()}
        return network

    def _form(self, name: str, layer: nn.Module, bits: int, seed: tuple[int, int]) -> SoftForm:
        require_unpruned(name, layer, "SoftShare")
        values, rng = kept_values(name, layer), np.random.default_rng(seed)
        found = cluster(values, checked_k(name, 1 << bits, values.size), init="kmeans++", rng=rng)
        weight = layer.weight
        assert isinstance(weight, torch.Tensor)
        # A constant layer has no deviation; any temperature then gives the same weights.
        temperature = self.temperature * (float(np.std(values)) or 1.0)
        return SoftForm(torch.from_numpy(found.centers).to(weight), temperature, self.iterations)
