"""Trained ternary quantisation (zhu2017)."""

from collections.abc import Callable
from typing import Any, ClassVar, cast

import torch
from torch import nn

from clusterpress.codes import Ternary, attach, weight_layers
from clusterpress.steps.base import Context
from clusterpress.steps.foresight import foresee, refuse_pruned
from clusterpress.steps.kept_values import dense_weight
from clusterpress.steps.latent import inner_layers, require_recipe, train_latent
from clusterpress.steps.per_layer import require_number
from clusterpress.training.recipe import Recipe


class _Ternarized(torch.autograd.Function):
    """Weights of three values, with the gradients of Zhu et al. 2017, eq. 7 (as means) and 8."""

    @staticmethod
    def forward(
        ctx: Any, latent: torch.Tensor, scales: torch.Tensor, threshold: float
    ) -> torch.Tensor:
        labels = ternary_labels(latent, threshold)
        ctx.save_for_backward(labels, scales)
        weight: torch.Tensor = Ternary(labels)(scales)
        return weight

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        labels, scales = ctx.saved_tensors
        (gradient,) = gradients
        positive, negative = labels == 2, labels == 0
        # Eq. 7 prints no minus before the sum of the negative ones; as their weight is -s_n, the
        # chain rule has one. The mean in place of the sum: by the weights' learning rate the sum
        # over 10^5 members diverges, and the mean moves a scale as it would move its members.
        signs = torch.stack([positive, negative]).flatten(1)
        sums = (signs * gradient.flatten()).sum(1) * gradient.new_tensor([1.0, -1.0])
        to_scales = sums / signs.sum(1).clamp(min=1)
        factors = torch.where(positive, scales[0], torch.where(negative, scales[1], 1.0))
        return gradient * factors, to_scales, None


_ternarized = cast(Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor], _Ternarized.apply)


class Ternarize:
    """Weights of a negative, no and a positive value, both learnt (Zhu et al. 2017, TTQ).

    Latent weights decide which of the three a weight takes: beyond ``threshold`` times the largest
    magnitude of the layer (eq. 9) it is one of the two scales. Latent weights and scales train
    together; afterwards the symbols are frozen, and the latent weights dropped. The scales start
    at the means of their members, and learn by the mean, not the sum, of their members' gradients
    (inferred; eq. 7 has the sum, which needs a learning rate of its own). The first and
    the last layer stay as they are.

    Args:
        recipe: How to train.
        threshold: In (0, 1); the paper's CIFAR-10 and ImageNet networks have 0.05.

    Raises:
        ConfigError: A setting is outside its range.
    """

    version: ClassVar[int] = 1

    def __init__(self, recipe: Recipe, threshold: float = 0.05) -> None:
        require_number(threshold, lambda value: 0 < value < 1, "(0, 1)", "Ternarize: threshold")
        self.recipe, self.threshold = require_recipe(recipe, "Ternarize"), threshold

    def check(self, network: nn.Module) -> None:
        """Refuse a network that has only a first and a last layer, or layers pruned before.

        Raises:
            ConfigError: It has.
        """
        layers = inner_layers(network, "Ternarize")
        refuse_pruned(layers, network, "Ternarize")
        foresee(coded=layers)

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Train and ternarise every layer but two; record the share of zeros in each."""
        layers = dict(weight_layers(network))
        forms = {
            name: TernaryForm(dense_weight(name, layers[name]), self.threshold)
            for name in inner_layers(network, "Ternarize")
        }
        zeros = {}
        for name, latent in train_latent(network, forms, context, self.recipe, "Ternarize").items():
            code = Ternary(ternary_labels(latent, self.threshold))
            attach(layers[name], "weight", code, forms[name].scales.detach())
            zeros[name] = float((code.labels == 1).float().mean())
        context.facts["zeros"] = zeros
        return network


class TernaryForm(nn.Module):
    """The ternary weight of a latent one.

    Args:
        weight: Where the latent weight starts.
        threshold: Share of the largest magnitude up to which a weight is zero.

    Attributes:
        scales: The positive and the negative scale, float32, shape (2,), which learn.
    """

    def __init__(self, weight: torch.Tensor, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold
        self.scales = nn.Parameter(Ternary(ternary_labels(weight, threshold)).right_inverse(weight))

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Give the ternary weight."""
        return _ternarized(latent, self.scales, self.threshold)


def ternary_labels(latent: torch.Tensor, threshold: float) -> torch.Tensor:
    """Give 0, 1 or 2 for weights below, within and above the threshold, int64."""
    bound = threshold * latent.abs().max()
    return 1 + (latent > bound).long() - (latent < -bound).long()
