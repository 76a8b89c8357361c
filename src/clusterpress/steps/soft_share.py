"""Differentiable k-means: weights or blocks shared softly while training (cho2022)."""

from collections.abc import Callable, Mapping
from math import prod
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from clusterpress.clustering import cluster, kmeans
from clusterpress.codes import Product, Shared, attach, weight_layers
from clusterpress.errors import ConfigError
from clusterpress.steps.attention import SoftForm
from clusterpress.steps.base import Context
from clusterpress.steps.foresight import foresee, refuse_pruned, rows_are_final
from clusterpress.steps.kept_values import kept_values, require_unpruned
from clusterpress.steps.latent import require_recipe, train_latent
from clusterpress.steps.per_layer import require_number, require_whole, settings_by_layer
from clusterpress.steps.share import checked_k
from clusterpress.training.recipe import Recipe

SCALAR_BITS = 8


class SoftShare:
    """DKM: soft assignment by attention while training, hard at the end (Cho et al. 2022).

    Every forward pass runs some iterations of soft k-means on a layer's latent weights, from the
    centres of the last pass, and uses the attention's mean of the centres as the weight; gradients
    go through all of it (section 3.2). In the end every weight takes its nearest centre, and is
    held as any shared weight. With ``dim`` d, the paper's multi-dimensional clusters, blocks of d
    neighbours of a row share a centre of d values, so that a weight costs ``bits / d`` bits; they
    are held as a product code with one codebook a layer.

    Args:
        recipe: How to train with soft weights.
        bits: log2 of the number of centres, 1 to 8, or to 12 for blocks; for all layers, or by
            layer name, size of kernels (``conv3x3``) or type. Layers that it does not cover, or
            gives null, stay as they are: ``{conv1: null, conv: 4, fc: 4}``.
        dim: Weights that share an index, 1 to 64, given as ``bits``; 1 where it does not cover
            one of those layers. It divides the layer's rows (a filter's weights are a row); other
            layers are refused, not padded: give them another ``dim`` or leave them out.
        temperature: Of the attention ``softmax(-|w - c| / tau)``, as a share of the standard
            deviation of the layer's weights (the paper gives tau itself, for each network). The
            distance of blocks is Euclidean.
        iterations: Iterations of soft k-means in a forward pass, all of them (the paper stops
            earlier where centres no longer move, and after 5).

    Raises:
        ConfigError: A setting is outside its range.
    """

    version: ClassVar[int] = 2

    def __init__(
        self,
        recipe: Recipe,
        bits: int | Mapping[str, int | None] = 3,
        temperature: float = 0.05,
        iterations: int = 3,
        dim: int | Mapping[str, int | None] = 1,
    ) -> None:
        _require_each(bits, SCALAR_BITS if dim == 1 else 12, "SoftShare: bits")
        _require_each(dim, 64, "SoftShare: dim")
        require_whole(iterations, 1, 100, "SoftShare: iterations")
        knob = "SoftShare: temperature"
        require_number(temperature, lambda value: 0 < value < float("inf"), "(0, inf)", knob)
        self.recipe, self.bits, self.dim = require_recipe(recipe, "SoftShare"), bits, dim
        self.temperature, self.iterations = temperature, iterations

    def check(self, network: nn.Module) -> None:
        """Refuse layers that the network does not have, or that have not the room.

        There must be as many weights, or blocks, as centres, and blocks must divide the rows, but
        for rows that an earlier step will make shorter; nor may an earlier step prune them.

        Raises:
            ConfigError: The layer, and what would be right.
        """
        self._require_rooms(network, rows_are_final)
        layers = self._settings(network)
        refuse_pruned(layers, network, "SoftShare")
        foresee(coded=layers, shared=[n for n, (_, dim) in layers.items() if dim == 1])

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Train softly, then share; record the centres' number by layer.

        Raises:
            ConfigError: A layer is pruned, has too few weights, or rows that blocks do not divide.
            DataError: A weight is NaN or infinite.
        """
        layers, settings = dict(weight_layers(network)), self._settings(network)
        self._require_rooms(network)
        forms = {
            name: self._form(name, layers[name], *setting, (context.clustering, number))
            for number, (name, setting) in enumerate(settings.items())
        }
        for name, latent in train_latent(network, forms, context, self.recipe, "SoftShare").items():
            _harden(layers[name], forms[name], latent)
        context.facts["centroids"] = {name: len(form.centers) for name, form in forms.items()}
        return network

    def _require_rooms(
        self, network: nn.Module, final: Callable[[str], bool] = lambda _: True
    ) -> None:
        layers = dict(weight_layers(network))
        for name, (bits, dim) in self._settings(network).items():
            shape = tuple(layers[name].weight.shape)
            # Shorter rows may divide where these do not, if a block is left.
            if final(name) or dim > prod(shape[1:]):
                _require_divided(name, prod(shape[1:]), dim)
            _require_room(name, prod(shape), bits, dim)

    def _settings(self, network: nn.Module) -> dict[str, tuple[int, int]]:
        """Give bits and dim of every layer that is shared."""
        dims = settings_by_layer(self.dim, network, "SoftShare.dim")
        bits = settings_by_layer(self.bits, network, "SoftShare.bits")
        return {name: (width, dims.get(name, 1)) for name, width in bits.items()}

    def _form(
        self, name: str, layer: nn.Module, bits: int, dim: int, seed: tuple[int, int]
    ) -> SoftForm:
        require_unpruned(name, layer, "SoftShare")
        values, rng = kept_values(name, layer), np.random.default_rng(seed)
        if dim == 1:
            found = cluster(values, 1 << bits, init="kmeans++", rng=rng)
        else:
            found = kmeans(values.reshape(-1, dim), 1 << bits, rng=rng)
        weight = layer.weight
        assert isinstance(weight, torch.Tensor)
        # A constant layer has no deviation; any temperature then gives the same weights.
        temperature = self.temperature * (float(np.std(values)) or 1.0)
        return SoftForm(torch.from_numpy(found.centers).to(weight), temperature, self.iterations)


def _harden(layer: nn.Module, form: SoftForm, latent: torch.Tensor) -> None:
    """Let every weight or block of a layer take its nearest centre."""
    labels, shape = form.nearest(latent), tuple(latent.shape)
    if form.centers.ndim == 1:
        attach(layer, "weight", Shared(labels, shape), form.centers)
    else:
        attach(layer, "weight", Product(labels, shape, 1), form.centers.unsqueeze(0))


def _require_each(setting: int | Mapping[str, int | None], most: int, knob: str) -> None:
    if not isinstance(setting, Mapping):
        require_whole(setting, 1, most, knob)
        return
    for value in setting.values():
        if value is not None:
            require_whole(value, 1, most, knob)


def _require_divided(name: str, row: int, dim: int) -> None:
    if row % dim:
        raise ConfigError(
            f"layer {name!r} has rows of {row} weights, which blocks of dim={dim} do not divide; "
            f"give it another dim, or leave it out with bits: {{{name}: null, ...}}"
        )


def _require_room(name: str, weights: int, bits: int, dim: int) -> None:
    if dim == 1:
        if bits > SCALAR_BITS:
            raise ConfigError(
                f"SoftShare: bits={bits} of layer {name!r} is above {SCALAR_BITS}, which needs "
                "blocks (dim of at least 2)"
            )
        otherwise = f"leave it out with bits: {{{name}: null, ...}}"
        checked_k(name, 1 << bits, weights, otherwise=otherwise)
        return
    blocks = weights // dim
    if 1 << bits > blocks:
        raise ConfigError(
            f"layer {name!r} has {blocks} blocks of {dim} weights and cannot have {1 << bits} "
            f"centroids; take at most {int(np.log2(blocks))} bits"
        )
