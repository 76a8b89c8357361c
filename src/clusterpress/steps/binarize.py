"""Binary weights with a scale for every filter (BWN)."""

from typing import ClassVar

import torch
from torch import nn

from clusterpress.codes import Binary, attach, weight_layers
from clusterpress.steps.base import Context
from clusterpress.steps.foresight import foresee, refuse_pruned
from clusterpress.steps.latent import inner_layers, require_recipe, train_latent
from clusterpress.training.recipe import Recipe


class Binarize:
    """``sign(w)`` times the filter's mean magnitude (Rastegari et al. 2016, section 3.1, BWN).

    Latent weights are trained with the straight-through estimator: the gradient of the binary
    weight goes to the latent one where that is within [-1, 1]. The paper's factor ``1/n + scale``
    on it is left out, as it only changes the learning rate from filter to filter (inferred).
    Afterwards the signs are frozen and the latent weights dropped; the scales go on learning in
    later steps. The first and the last layer stay as they are. sign(0) = +1.

    Args:
        recipe: How to train.

    Raises:
        ConfigError: ``recipe`` is no recipe.
    """

    version: ClassVar[int] = 1

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = require_recipe(recipe, "Binarize")

    def check(self, network: nn.Module) -> None:
        """Refuse a network that has only a first and a last layer, or layers pruned before.

        Raises:
            ConfigError: It has.
        """
        layers = inner_layers(network, "Binarize")
        refuse_pruned(layers, network, "Binarize")
        foresee(coded=layers)

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Train and binarise every layer but two; record how many they are."""
        layers = dict(weight_layers(network))
        forms = {name: BinaryForm() for name in inner_layers(network, "Binarize")}
        for name, latent in train_latent(network, forms, context, self.recipe, "Binarize").items():
            attach(layers[name], "weight", *binary(latent))
        context.facts["binary_layers"] = list(forms)
        return network


class BinaryForm(nn.Module):
    """The binary weight of a latent one, the gradient passed straight through."""

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Give the binary weight."""
        with torch.no_grad():
            code, scales = binary(latent)
            weight: torch.Tensor = code(scales)
        # Beyond [-1, 1] the clamp is flat, and so is what the gradient sees.
        through = latent.clamp(-1, 1)
        return through + (weight - through).detach()


def binary(latent: torch.Tensor) -> tuple[Binary, torch.Tensor]:
    """Give the binary code nearest to a weight, and its scales (paper's eq. 6)."""
    code = Binary((latent >= 0).long())
    return code, code.right_inverse(latent)
