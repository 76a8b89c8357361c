"""Remove the weakest neurons: the control that neuron merging is compared with."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.merging import (
    Keep,
    checked_keep,
    dense_layer,
    fold,
    hidden_layers,
    require_finite,
    require_runs,
    selection,
    target_widths,
)
from clusterpress.steps.base import Context

CRITERIA = ("l1", "random")


class PruneNeurons:
    """Keep some neurons of every hidden layer and remove the others with their connections.

    ``l1`` keeps the neurons with the largest L1 norm of incoming weights, the bias left out (Li et
    al. 2017, section 3.1); layers are taken from input to output, each ranked by the weights that
    the previous removal left (its greedy strategy, section 3.2). Inputs and logits stay.

    Remembers in the context's facts: ``widths_before`` and ``widths_after`` by layer.

    Args:
        keep: Share of neurons to keep, in (0, 1]: one for all hidden layers, or by layer name
            (layers that are not named keep their width). The new width of n neurons is
            ``max(1, round(keep * n))``.
        criterion: ``l1`` or ``random``.

    Raises:
        ConfigError: A setting is out of range.
    """

    version: ClassVar[int] = 1

    def __init__(self, keep: Keep, criterion: str = "l1") -> None:
        if criterion not in CRITERIA:
            raise ConfigError(
                f"The criterion of PruneNeurons is {criterion!r}, it must be one of "
                f"{', '.join(CRITERIA)}."
            )
        self.keep = checked_keep(keep)
        self.criterion = criterion

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Remove neurons in place and return the network.

        Raises:
            ConfigError: The network has layers whose neurons cannot be removed, or ``keep`` names
                a layer that it has not. Nothing is changed then, unless its
                forward pass turns out to name the old widths.
            DataError: A weight is NaN or infinite. Nothing is changed then.
        """
        layers = hidden_layers(network, context.example)
        require_finite(network)
        widths = target_widths(self.keep, layers)
        rng = context.rng()
        for layer in layers:
            if widths[layer.name] < layer.width:
                weight = dense_layer(network, layer.name).weight.detach()
                kept = selection(self._kept(weight, widths[layer.name], rng), layer.width)
                fold(network, layer, kept, kept)
        require_runs(network, context.example)
        context.facts["widths_before"] = {layer.name: layer.width for layer in layers}
        context.facts["widths_after"] = widths
        return network

    def _kept(
        self, weight: torch.Tensor, width: int, rng: np.random.Generator
    ) -> npt.NDArray[np.int64]:
        """Choose the neurons to keep, in ascending order; of equal norms the first is kept."""
        if self.criterion == "random":
            return np.sort(rng.choice(len(weight), size=width, replace=False))
        norms = weight.flatten(1).abs().double().sum(dim=1).cpu().numpy()
        return np.sort(np.argsort(-norms, kind="stable")[:width])
