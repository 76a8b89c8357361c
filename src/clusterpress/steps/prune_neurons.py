"""Remove the weakest neurons: the control that neuron merging is compared with."""

import copy
from collections.abc import Mapping
from typing import ClassVar, Self, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from clusterpress.codes import all_weight_layers, layer_type
from clusterpress.errors import ConfigError
from clusterpress.merging import (
    HiddenLayer,
    Keep,
    Skips,
    checked_keep,
    dense_layer,
    fold,
    hidden_layers,
    narrowed,
    require_finite,
    require_runs,
    selection,
)
from clusterpress.steps.base import Context
from clusterpress.steps.widths import check_widths, chosen_widths, reestimated, width_problems

CRITERIA = ("l1", "random")
LAYERS = ("all", "conv", "fc")


class PruneNeurons:
    """Keep some neurons of every hidden layer and remove the others with their connections.

    ``l1`` keeps the neurons with the largest L1 norm of incoming weights, the bias left out (Li et
    al. 2017, section 3.1); layers are taken from input to output, each ranked by the weights that
    the previous removal left (its greedy strategy, section 3.2). Inputs and logits stay.

    Remembers in the context's facts: ``widths_before`` and ``widths_after`` by layer.

    Args:
        keep: Share of neurons to keep, in (0, 1]: one for all hidden layers, or by layer name
            (layers that are not named keep their width). The new width of n neurons is
            ``max(1, round(keep * n))``. This or ``remove`` must be given.
        criterion: ``l1`` or ``random``.
        remove: Instead of ``keep``: the share of the network's parameters to remove at least, in
            (0, 1). The largest share of neurons that meets it is kept, the same for every layer.
        skips: ``internal`` leaves alone the layers whose neurons a skip joins with those of
            others; ``joined`` ranks their neurons by the sum of the joined layers' norms.
        reestimate: Whether the statistics of all BatchNorms are estimated anew at the end, on
            training images (10,000 at most).
        layers: Which hidden layers lose neurons: ``all``; ``conv``, the filters alone (Li et al.
            2017); or ``fc``. Where a network has none of them nothing is removed.

    Raises:
        ConfigError: Settings are out of range; one error names them all.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        keep: Keep | None = None,
        criterion: str = "l1",
        remove: float | None = None,
        skips: str = "internal",
        reestimate: bool = False,
        layers: str = "all",
    ) -> None:
        problems = list(width_problems(keep, remove, skips, reestimate))
        if layers not in LAYERS:
            problems.append(f"layers is {layers!r}, it must be one of {', '.join(LAYERS)}")
        if criterion not in CRITERIA:
            problems.append(f"criterion is {criterion!r}, it must be one of {', '.join(CRITERIA)}")
        if problems:
            raise ConfigError("PruneNeurons is not valid: " + "; ".join(problems) + ".")
        self.keep = None if keep is None else checked_keep(keep)
        self.criterion = criterion
        self.remove = remove
        self.skips = cast(Skips, skips)
        self.reestimate = reestimate
        self.layers = layers

    def check(self, network: nn.Module) -> None:
        """Refuse a network whose layers cannot lose so many neurons, as ``check_widths`` can tell.

        Raises:
            ConfigError: The layer or the target, and what would be right.
        """
        self._require_taken(network)
        check_widths(self, network, self.keep)

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Remove neurons in place and return the network.

        Raises:
            ConfigError: The network has layers whose neurons cannot be removed, or ``keep`` names
                a layer that it has not or that ``layers`` leaves out, or ``remove`` cannot be met.
                Nothing is changed then, unless its forward pass turns out to name the old widths.
                Or ``reestimate`` is on and the context has no training images.
            DataError: A weight is NaN or infinite. Nothing is changed then.
        """
        self._require_taken(network)
        layers = self.hidden(network, context.example)
        require_finite(network)
        widths = chosen_widths(network, layers, self.keep, self.remove, context) or {}
        rng = context.rng()
        left = layers
        while left:
            layer, *left = left
            width = widths[layer.name]
            if width < layer.width:
                kept = selection(self._kept(network, layer, width, rng), layer.width)
                fold(network, layer, kept, kept)
            left = narrowed(left, layer, layer.width - width)
        require_runs(network, context.example)
        context.facts["widths_before"] = {layer.name: layer.width for layer in layers}
        context.facts["widths_after"] = widths
        if self.reestimate:
            reestimated(network, context)
        return network

    def hidden(self, network: nn.Module, example: torch.Tensor) -> list[HiddenLayer]:
        """Give the layers that lose neurons."""
        layers = hidden_layers(network, example, self.skips)
        return [layer for layer in layers if self._takes(network, layer)]

    def with_keep(self, keep: Keep) -> Self:
        """Give the same step with other widths."""
        other = copy.copy(self)
        other.keep, other.remove = checked_keep(keep), None
        return other

    def _require_taken(self, network: nn.Module) -> None:
        """Refuse widths for layers of a type that ``layers`` leaves out."""
        kept = self.keep if isinstance(self.keep, Mapping) else {}
        for name, layer in all_weight_layers(network):
            if name in kept and self.layers not in ("all", layer_type(layer)):
                raise ConfigError(
                    f"PruneNeurons: keep names {name!r}, a layer of type {layer_type(layer)}, but "
                    f"layers={self.layers} leaves these as they are; leave it out of keep, or take "
                    "layers=all"
                )

    def _takes(self, network: nn.Module, layer: HiddenLayer) -> bool:
        types = {layer_type(network.get_submodule(name)) for name in layer.producers}
        return self.layers == "all" or types == {self.layers}

    def _kept(
        self, network: nn.Module, layer: HiddenLayer, width: int, rng: np.random.Generator
    ) -> npt.NDArray[np.int64]:
        """Choose the neurons to keep, in ascending order; of equal norms the first is kept."""
        if self.criterion == "random":
            return np.sort(rng.choice(layer.width, size=width, replace=False))
        weights = [dense_layer(network, name).weight.detach() for name in layer.producers]
        norms = sum(weight.flatten(1).abs().double().sum(dim=1).cpu().numpy() for weight in weights)
        return np.sort(np.argsort(-norms, kind="stable")[:width])
