"""Product quantisation of layers (gong2014)."""

from collections.abc import Mapping
from math import prod
from typing import ClassVar, Literal, get_args

import numpy as np
import torch
from torch import nn

from clusterpress.clustering import Clusters, kmeans, product_quantize
from clusterpress.codes import Product, attach, weight_layers
from clusterpress.errors import ConfigError
from clusterpress.steps.base import Context
from clusterpress.steps.foresight import foresee, refuse_pruned, rows_are_final
from clusterpress.steps.kept_values import dense_weight, require_unpruned
from clusterpress.steps.per_layer import require_whole, settings_by_layer
from clusterpress.steps.share import relative_error, tell_fewer

Codebooks = Literal["part", "layer"]
LEFT_ALONE = "left_alone"


class ProductQuantize:
    """Cut a layer's rows into blocks and cluster them by k-means (Gong et al. 2014, section 3.3).

    The assignment is frozen afterwards; the codebooks go on learning. A convolution's filter is a
    row, flattened; with blocks of ``h * w`` they are its kernels (Stock et al. 2020, section 3.1).

    Args:
        block: Values of a block, for all layers, or by layer name, size of kernels (``conv3x3``)
            or type (``conv``, ``fc``); it divides the layer's rows. Layers that it does not
            cover stay as they are.
        bits: log2 of the rows of a codebook, 1 to 12, as ``block`` is given. A codebook has a row
            for each of the blocks that share it where these are fewer: then nothing is lost, and
            the file may be larger than without.
        codebooks: ``part``, one for the blocks at each place of a row (the paper's product
            quantisation), or ``layer``, one for all blocks of a layer.
        exact: Whether a layer whose rows the block does not divide is refused; else it stays as
            it is.

    Raises:
        ConfigError: A setting is outside its range.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        block: int | Mapping[str, int],
        bits: int | Mapping[str, int] = 4,
        codebooks: Codebooks = "part",
        exact: bool = True,
    ) -> None:
        for value in block.values() if isinstance(block, Mapping) else [block]:
            require_whole(value, 1, 1 << 16, "ProductQuantize: block")
        for value in bits.values() if isinstance(bits, Mapping) else [bits]:
            require_whole(value, 1, 12, "ProductQuantize: bits")
        if codebooks not in get_args(Codebooks):
            raise ConfigError(
                f"ProductQuantize: codebooks={codebooks!r} is not one of "
                f"{', '.join(get_args(Codebooks))}"
            )
        self.block, self.bits, self.codebooks, self.exact = block, bits, codebooks, exact

    def check(self, network: nn.Module) -> None:
        """Refuse layers that the network does not have, and blocks that do not divide its rows.

        Of rows that an earlier step will make shorter by an unknown amount, those alone are judged
        that are too short for a block already.

        Raises:
            ConfigError: The layer, and the nearest that there is; or a layer with blocks and
                without bits, with rows that blocks do not divide, or pruned.
        """
        layers, chosen = dict(weight_layers(network)), self._settings(network)
        known = {
            name: layers[name].weight
            for name, (block, _) in chosen.items()
            if rows_are_final(name) or block > _row(layers[name].weight)
        }
        self._require_even(known, chosen)
        refuse_pruned(chosen, network, "ProductQuantize")
        # Of layers that may stay as they are, those whose rows are not known say nothing yet.
        sure, uneven = known if not self.exact else chosen, _uneven(known, chosen)
        foresee(coded=[name for name in sure if name not in uneven])

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Give every layer codebooks; record their rows and the relative squared errors.

        Raises:
            ConfigError: A block does not divide its layer's rows, or a layer is pruned. Nothing is
                changed then.
            DataError: A weight is NaN or infinite.
        """
        layers = dict(weight_layers(network))
        chosen = self._settings(network)
        weights = {name: dense_weight(name, layers[name]) for name in chosen}
        for name in chosen:
            require_unpruned(name, layers[name], "ProductQuantize")
        self._require_even(weights, chosen)
        uneven = _uneven(weights, chosen)
        if uneven:
            context.facts[LEFT_ALONE] = uneven
            chosen = {name: chosen[name] for name in chosen if name not in uneven}
        rows, errors = {}, {}
        for number, (name, (block, bits)) in enumerate(chosen.items()):
            rng = np.random.default_rng([context.clustering, number])
            values = weights[name].flatten(1).cpu().float().numpy()
            found = self._clustered(values, block, 1 << bits, rng)
            quantised(layers[name], found)
            rows[name] = int(found.centers.shape[-2])
            errors[name] = relative_error(found, values)
        tell_fewer(context, {name: k for name, k in rows.items() if k < 1 << chosen[name][1]})
        context.facts.update(codebook_rows=rows, relative_squared_error=errors)
        return network

    def _settings(self, network: nn.Module) -> dict[str, tuple[int, int]]:
        """Give block and bits of every layer that is quantised."""
        blocks = settings_by_layer(self.block, network, "ProductQuantize.block")
        bits = settings_by_layer(self.bits, network, "ProductQuantize.bits")
        without = [name for name in blocks if name not in bits]
        if without:
            raise ConfigError(f"ProductQuantize: bits has nothing for the layer {without[0]!r}")
        return {name: (block, bits[name]) for name, block in blocks.items()}

    def _require_even(
        self, weights: Mapping[str, torch.Tensor], chosen: Mapping[str, tuple[int, int]]
    ) -> None:
        for name in _uneven(weights, chosen) if self.exact else ():
            raise ConfigError(
                f"layer {name!r} has rows of {_row(weights[name])} weights, which blocks of "
                f"{chosen[name][0]} do not divide; give it a block of its own, or exact=false to "
                "leave such layers as they are"
            )

    def _clustered(
        self, values: np.ndarray, block: int, k: int, rng: np.random.Generator
    ) -> Clusters:
        if self.codebooks == "part":
            parts = values.shape[1] // block
            return product_quantize(values, min(k, len(values)), parts=parts, rng=rng)
        blocks = values.reshape(-1, block)
        return kmeans(blocks, min(k, len(blocks)), rng=rng)


def _uneven(
    weights: Mapping[str, torch.Tensor], chosen: Mapping[str, tuple[int, int]]
) -> list[str]:
    """Name the layers whose rows their blocks do not divide."""
    return [name for name, weight in weights.items() if _row(weight) % chosen[name][0]]


def _row(weight: torch.Tensor) -> int:
    return prod(weight.shape[1:])


def quantised(layer: nn.Module, clusters: Clusters) -> None:
    """Let a layer's blocks share the rows of the codebooks that they were assigned to."""
    weight = layer.weight
    assert isinstance(weight, torch.Tensor)
    width = clusters.centers.shape[-2:]
    centers = torch.from_numpy(clusters.centers.reshape(-1, *width)).to(weight)
    labels = torch.from_numpy(clusters.labels.astype(np.int64)).to(weight.device)
    attach(layer, "weight", Product(labels, tuple(weight.shape), len(centers)), centers)
