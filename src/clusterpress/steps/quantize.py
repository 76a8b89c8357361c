"""Uniform quantisation: equally spaced levels between a layer's extremes."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import nn

from clusterpress.codes import Quantized, attach, original_of, weight_layers
from clusterpress.codes.quantized import nearest_levels, ranges
from clusterpress.errors import ConfigError
from clusterpress.steps.base import Context
from clusterpress.steps.foresight import foresee, refuse_pruned
from clusterpress.steps.kept_values import dense_weight, mask_of, require_unpruned
from clusterpress.steps.latent import require_recipe, train_latent
from clusterpress.steps.per_layer import require_whole, settings_by_layer
from clusterpress.training.recipe import Recipe


class Quantize:
    """Round weights to 2^bits equally spaced levels (Jacob et al. 2018, section 3).

    With a recipe the network trains first as it will be rounded: the range follows the latent
    weights in every forward pass and the gradient goes straight through the rounding. Afterwards
    the levels are frozen; the scales, and zero points, go on learning in later steps, but for those
    of pruned layers with zero points: these would bring the pruned weights back. A pruned weight is
    stored as the level at zero, like any other, and counts as held.

    Args:
        bits: Bits of a weight, 1 to 8; for all layers, or by layer name or type.
        symmetric: Levels around zero, as many on both sides: 2^bits - 1 of them, so that zero is
            one; or two at 1 bit, neither of them zero, so pruned layers are refused. Else 2^bits
            levels from the least weight to the largest, zero among them.
        per_channel: One scale for each output instead of one for the layer.
        recipe: How to train with rounded weights; None rounds at once.

    Raises:
        ConfigError: A setting is outside its range.
    """

    version: ClassVar[int] = 2

    def __init__(
        self,
        bits: int | Mapping[str, int] = 4,
        symmetric: bool = True,
        per_channel: bool = False,
        recipe: Recipe | None = None,
    ) -> None:
        for value in bits.values() if isinstance(bits, Mapping) else [bits]:
            require_whole(value, 1, 8, "Quantize: bits")
        for knob, switch in (("symmetric", symmetric), ("per_channel", per_channel)):
            if not isinstance(switch, bool):
                raise ConfigError(f"Quantize: {knob}={switch!r} is neither true nor false")
        self.recipe = None if recipe is None else require_recipe(recipe, "Quantize")
        self.bits, self.symmetric, self.per_channel = bits, symmetric, per_channel

    def check(self, network: nn.Module) -> None:
        """Refuse layers that the network does not have, and pruned ones as ``apply`` does.

        Raises:
            ConfigError: The layer, and the nearest that there is.
        """
        bits = settings_by_layer(self.bits, network, "Quantize.bits")
        refuse_pruned(self._two_levels(bits), network, "Quantize with bits=1")
        refuse_pruned(bits if self.recipe is not None else (), network, "Quantize")
        foresee(coded=bits)

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Give every layer levels; record the relative squared error of each.

        Raises:
            ConfigError: A layer is pruned, and its levels are two around zero or there is a recipe.
                Nothing is changed then.
            DataError: A weight is NaN or infinite.
        """
        layers = dict(weight_layers(network))
        bits = settings_by_layer(self.bits, network, "Quantize.bits")
        for name in self._two_levels(bits):
            require_unpruned(name, layers[name], "Quantize with bits=1")
        forms = {name: Rounded(self._levels(each), self) for name, each in bits.items()}
        if self.recipe is not None:
            weights = train_latent(network, forms, context, self.recipe, "Quantize")
        else:
            weights = {name: dense_weight(name, layers[name]) for name in forms}
        errors = {}
        for name, weight in weights.items():
            mask = mask_of(layers[name])
            attach(layers[name], "weight", *forms[name].coded(weight))
            if not self.symmetric and mask is not None and not mask.all():
                original_of(layers[name]).requires_grad_(False)
            energy = float(weight.square().sum())
            error = float((layers[name].weight.detach() - weight).square().sum())
            errors[name] = error / energy if energy else 0.0
        context.facts["relative_squared_error"] = errors
        return network

    def _two_levels(self, bits: Mapping[str, int]) -> list[str]:
        """Name the layers that have no level at zero."""
        return [name for name, width in bits.items() if self.symmetric and width == 1]

    def _levels(self, bits: int) -> int:
        return (1 << bits) - (1 if self.symmetric and bits > 1 else 0)


class Rounded(nn.Module):
    """What a latent weight is rounded to, the gradient passed straight through.

    Args:
        levels: Number of levels.
        knobs: Whether they are symmetric, and the scales by channel.
    """

    def __init__(self, levels: int, knobs: Quantize) -> None:
        super().__init__()
        self.levels, self.affine, self.per_channel = levels, not knobs.symmetric, knobs.per_channel

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Give the rounded weight."""
        with torch.no_grad():
            code, original = self.coded(latent)
            change: torch.Tensor = code(original) - latent
        return latent + change

    def coded(self, weight: torch.Tensor) -> tuple[Quantized, torch.Tensor]:
        """Give the code nearest to a weight, and its scales (and zero points)."""
        rows = weight.flatten(1) if self.per_channel else weight.reshape(1, -1)
        original = ranges(rows, self.levels, affine=self.affine)
        labels = nearest_levels(rows, original, self.levels).long().reshape(weight.shape)
        return Quantized(labels, self.levels, affine=self.affine), original
