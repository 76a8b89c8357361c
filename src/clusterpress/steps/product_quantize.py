"""Product quantisation of layers (gong2014)."""

from collections.abc import Mapping
from typing import ClassVar, Literal, get_args

import numpy as np
import torch
from torch import nn

from clusterpress.clustering import Clusters, kmeans, product_quantize
from clusterpress.codes import Product, attach, weight_layers
from clusterpress.errors import ConfigError
from clusterpress.steps.base import Context
from clusterpress.steps.kept_values import dense_weight, require_unpruned
from clusterpress.steps.per_layer import require_whole, settings_by_layer
from clusterpress.steps.share import relative_error

Codebooks = Literal["part", "layer"]


class ProductQuantize:
    """Cut a layer's rows into blocks and cluster them by k-means (Gong et al. 2014, section 3.3).

    The assignment is frozen afterwards; the codebooks go on learning. A convolution's filter is a
    row, flattened; with blocks of ``h * w`` they are its kernels (Stock et al. 2020, section 3.1).

    Args:
        block: Values of a block, by layer name or type (``conv``, ``fc``), or for all layers; it
            divides the layer's rows.
        bits: log2 of the rows of a codebook, 1 to 12; at most as many as there are blocks that
            share it.
        codebooks: ``part``, one for the blocks at each place of a row (the paper's product
            quantisation), or ``layer``, one for all blocks of a layer.

    Raises:
        ConfigError: A setting is outside its range.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        block: int | Mapping[str, int],
        bits: int = 4,
        codebooks: Codebooks = "part",
    ) -> None:
        for value in block.values() if isinstance(block, Mapping) else [block]:
            require_whole(value, 1, 1 << 16, "ProductQuantize: block")
        require_whole(bits, 1, 12, "ProductQuantize: bits")
        if codebooks not in get_args(Codebooks):
            raise ConfigError(
                f"ProductQuantize: codebooks={codebooks!r} is not one of "
                f"{', '.join(get_args(Codebooks))}"
            )
        self.block, self.bits, self.codebooks = block, bits, codebooks

    def check(self, network: nn.Module) -> None:
        """Refuse layers that the network does not have.

        Raises:
            ConfigError: The layer, and the nearest that there is.
        """
        settings_by_layer(self.block, network, "ProductQuantize.block")

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Give every layer codebooks; record their rows and the relative squared errors.

        Raises:
            ConfigError: A block does not divide its layer's rows, or a layer is pruned. Nothing is
                changed then.
            DataError: A weight is NaN or infinite.
        """
        layers = dict(weight_layers(network))
        blocks = settings_by_layer(self.block, network, "ProductQuantize.block")
        weights = {name: dense_weight(name, layers[name]) for name in blocks}
        for name, block in blocks.items():
            require_unpruned(name, layers[name], "ProductQuantize")
            _require_division(name, weights[name].flatten(1).shape[1], block)
        rows, errors = {}, {}
        for number, (name, block) in enumerate(blocks.items()):
            rng = np.random.default_rng([context.clustering, number])
            values = weights[name].flatten(1).cpu().float().numpy()
            found = self._clustered(values, block, rng)
            quantised(layers[name], found)
            rows[name] = int(found.centers.shape[-2])
            errors[name] = relative_error(found, values)
        context.facts.update(codebook_rows=rows, relative_squared_error=errors)
        return network

    def _clustered(self, values: np.ndarray, block: int, rng: np.random.Generator) -> Clusters:
        if self.codebooks == "part":
            k, parts = min(1 << self.bits, len(values)), values.shape[1] // block
            return product_quantize(values, k, parts=parts, rng=rng)
        blocks = values.reshape(-1, block)
        return kmeans(blocks, min(1 << self.bits, len(blocks)), rng=rng)


def quantised(layer: nn.Module, clusters: Clusters) -> None:
    """Let a layer's blocks share the rows of the codebooks that they were assigned to."""
    weight = layer.weight
    assert isinstance(weight, torch.Tensor)
    width = clusters.centers.shape[-2:]
    centers = torch.from_numpy(clusters.centers.reshape(-1, *width)).to(weight)
    labels = torch.from_numpy(clusters.labels.astype(np.int64)).to(weight.device)
    attach(layer, "weight", Product(labels, tuple(weight.shape), len(centers)), centers)


def _require_division(name: str, row: int, block: int) -> None:
    if row % block:
        raise ConfigError(
            f"layer {name!r} has rows of {row} weights, which blocks of {block} do not divide"
        )
