"""Share weights for the shortest file: squared error plus a price for every coded bit."""

from typing import ClassVar

import numpy as np
from torch import nn

from clusterpress.clustering import entropy_constrained
from clusterpress.codes import weight_layers
from clusterpress.errors import ConfigError
from clusterpress.steps.base import Context
from clusterpress.steps.foresight import foresee
from clusterpress.steps.kept_values import kept_values
from clusterpress.steps.per_layer import require_number
from clusterpress.steps.share import relative_error, share_layer
from clusterpress.steps.widths import reestimated

CENTER_BITS = 32.0


class EntropyShare:
    """Entropy-constrained scalar quantisation of each layer's kept weights.

    Each layer gets the values, and as many of them, whose squared error and entropy-coded bits cost
    least together (Chou, Lookabaugh and Gray 1989; see ``clustering.entropy_constrained``). One
    price for all layers also divides the bits among them. Nothing is trained.

    Args:
        price: Squared error that a bit is worth, in units of the weights' variance; above 0.
        by_layer: Whether that is the variance of each layer, or the mean of all weights' of all
            layers.
        reestimate: Whether BatchNorm statistics are estimated anew from training images, of
            which no labels are used.

    Raises:
        ConfigError: A knob is outside its range.
    """

    version: ClassVar[int] = 1

    def __init__(
        self, price: float = 0.02, *, by_layer: bool = False, reestimate: bool = False
    ) -> None:
        knob = "EntropyShare: price"
        require_number(price, lambda value: 0 < value < float("inf"), "(0, inf)", knob)
        for knob, value in (("by_layer", by_layer), ("reestimate", reestimate)):
            if not isinstance(value, bool):
                raise ConfigError(f"EntropyShare: {knob}={value!r} must be true or false")
        self.price, self.by_layer, self.reestimate = float(price), by_layer, reestimate

    def check(self, network: nn.Module) -> None:
        """Take every network; its layers will share their weights."""
        foresee(shared=(name for name, _ in weight_layers(network)))

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Share every layer's weights; record error and number of values of each."""
        layers = dict(weight_layers(network))
        every = {name: kept_values(name, layer) for name, layer in layers.items()}
        units = _units(every, by_layer=self.by_layer)
        errors, sizes = {}, {}
        for name, values in every.items():
            if not values.size:
                continue
            price = self.price * units[name]
            found = entropy_constrained(values, price, center_bits=CENTER_BITS)
            share_layer(layers[name], found)
            errors[name], sizes[name] = relative_error(found, values), found.centers.size
        context.facts |= {"relative_squared_error": errors, "values": sizes}
        if self.reestimate:
            reestimated(network, context)
        return network


def _units(every: dict[str, np.ndarray], *, by_layer: bool) -> dict[str, float]:
    """Give the variance of each layer's weights, or to each the mean of all weights'."""
    variances = {
        name: float(np.var(values, dtype=np.float64)) if values.size else 0.0
        for name, values in every.items()
    }
    weights = sum(values.size for values in every.values())
    if by_layer or not weights:
        return variances
    mean = sum(variances[name] * values.size for name, values in every.items()) / weights
    return dict.fromkeys(every, mean)
