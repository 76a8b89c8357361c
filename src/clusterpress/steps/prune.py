"""Prune weights by magnitude, at once or in rounds with retraining between them."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import nn

from clusterpress.codes import Masked, attach, weight_layers
from clusterpress.errors import ConfigError
from clusterpress.steps.base import Context
from clusterpress.steps.foresight import foresee, is_coded, neurons_are_final, size_is_final
from clusterpress.steps.kept_values import dense_weight
from clusterpress.steps.per_layer import require_number, require_whole, settings_by_layer
from clusterpress.training.recipe import Recipe

Knob = float | Mapping[str, float]


class Prune:
    """Magnitude pruning (Han et al. 2015, section 3; Han et al. 2016, section 2).

    With ``rounds`` of r, round i keeps the share ``keep ** (i / r)`` (or prunes at the threshold
    ``threshold * i / r``), and the network is retrained by ``recipe`` between two rounds. What
    follows the last round is another step's business. A pruned weight never comes back.

    Args:
        keep: Share of a layer's weights that is kept, in (0, 1]; for all layers, or by layer name
            or type (``conv``, ``fc``).
        threshold: Alternative to ``keep``: prune ``|w| <= threshold * std(layer)``, >= 0. The
            standard deviation is taken over the weights that are not yet pruned.
        rounds: Number of rounds, >= 1.
        recipe: How to retrain between rounds; required when ``rounds`` > 1.

    Raises:
        ConfigError: Not exactly one of ``keep`` and ``threshold``, or a value outside its range.
    """

    version: ClassVar[int] = 1

    def __init__(
        self,
        keep: Knob | None = None,
        threshold: Knob | None = None,
        rounds: int = 1,
        recipe: Recipe | None = None,
    ) -> None:
        if (keep is None) == (threshold is None):
            raise ConfigError("Prune takes exactly one of keep and threshold")
        require_whole(rounds, 1, 1000, "Prune: rounds")
        if not isinstance(recipe, Recipe | None) or (rounds > 1 and recipe is None):
            raise ConfigError(
                f"Prune: recipe={recipe!r} is no recipe; more than one round needs one to "
                "retrain by"
            )
        for share in _values(keep):
            require_number(share, lambda value: 0 < value <= 1, "(0, 1]", "Prune: keep")
        for bound in _values(threshold):
            require_number(bound, lambda value: value >= 0, "[0, inf]", "Prune: threshold")
        self.keep, self.threshold, self.rounds, self.recipe = keep, threshold, rounds, recipe

    def check(self, network: nn.Module) -> None:
        """Refuse knobs that name a layer which the network does not have.

        Raises:
            ConfigError: The layer, and the nearest that there is.
        """
        layers = dict(weight_layers(network))
        for knob, value in (("Prune.keep", self.keep), ("Prune.threshold", self.threshold)):
            if value is not None:
                values = settings_by_layer(value, network, knob)
                foresee(masked={n: self._most(n, each, layers[n]) for n, each in values.items()})

    def _most(self, name: str, value: float, layer: nn.Linear | nn.Conv2d) -> int | None:
        """Say how many weights are kept at most; None where it may be all."""
        weights = layer.weight.numel()
        if self.keep is not None:
            most = counted(value, weights)
            return most if most < weights and size_is_final(name) else None
        # How many a threshold leaves the values decide, and a code or other neurons give others.
        if value == 0 or is_coded(name) or not neurons_are_final():
            return None
        return None if bool(above(layer.weight, value).all()) else weights

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Mask the smallest weights of every layer; record the share kept of each."""
        layers = dict(weight_layers(network))
        for number in range(1, self.rounds + 1):
            masks = self._masks(network, number / self.rounds)
            for name, mask in masks.items():
                attach(
                    layers[name], "weight", Masked(mask), dense_weight(name, layers[name]) * mask
                )
            if number < self.rounds and self.recipe is not None:
                context.train(network, self.recipe)
        context.facts["kept"] = {name: float(mask.float().mean()) for name, mask in masks.items()}
        return network

    def _masks(self, network: nn.Module, progress: float) -> dict[str, torch.Tensor]:
        layers = dict(weight_layers(network))
        if self.keep is not None:
            shares = settings_by_layer(self.keep, network, "Prune.keep")
            return {
                name: largest(dense_weight(name, layers[name]), share**progress)
                for name, share in shares.items()
            }
        assert self.threshold is not None
        bounds = settings_by_layer(self.threshold, network, "Prune.threshold")
        return {
            name: above(dense_weight(name, layers[name]), bound * progress)
            for name, bound in bounds.items()
        }


def counted(share: float, weights: int) -> int:
    """Give the number of weights that a share is, at least one."""
    return max(1, round(share * weights))


def largest(weight: torch.Tensor, share: float) -> torch.Tensor:
    """Mark the ``round(share * n)`` (at least one) weights of largest magnitude, never a zero.

    Args:
        weight: Any shape.
        share: In (0, 1].

    Returns:
        Bool mask in the weight's shape. Of equal magnitudes the earlier ones are kept.
    """
    magnitude = weight.abs().flatten()
    count = counted(share, magnitude.numel())
    order = torch.sort(magnitude, descending=True, stable=True).indices[:count]
    mask = torch.zeros_like(magnitude, dtype=torch.bool)
    mask[order] = True
    return mask.reshape(weight.shape) & (weight != 0)


def above(weight: torch.Tensor, bound: float) -> torch.Tensor:
    """Mark the weights whose magnitude exceeds ``bound`` standard deviations of the non-zero ones.

    Args:
        weight: Any shape; zeros count as pruned before.
        bound: In standard deviations, >= 0.
    """
    present = weight[weight != 0]
    scale = present.std(correction=0) if present.numel() > 1 else weight.new_zeros(())
    return weight.abs() > bound * scale


def _values(knob: Knob | None) -> list[object]:
    if knob is None:
        return []
    return list(knob.values()) if isinstance(knob, Mapping) else [knob]
