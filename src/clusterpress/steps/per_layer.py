"""Settings given once for all layers, by layer type, or by layer name."""

import re
from collections.abc import Callable, Mapping
from numbers import Real
from typing import NoReturn, TypeVar

from torch import nn

from clusterpress.codes import layer_type, weight_layers
from clusterpress.errors import ConfigError
from clusterpress.suggest import by_name, nearest

Value = TypeVar("Value", int, float)
SIZE = re.compile(r"conv\d+x\d+")


def settings_by_layer(
    setting: Value | Mapping[str, Value | None], network: nn.Module, knob: str
) -> dict[str, Value]:
    """Resolve a knob to one value for every layer that it touches, in definition order.

    Args:
        setting: One value for every linear and convolution layer; or a mapping from layer names,
            sizes of kernels as ``conv3x3``, or the types ``conv`` and ``fc`` to values (a name
            wins over a size, a size over a type), which leaves the layers alone that it does not
            cover or gives None. A name may be a whole number, as in an ``nn.Sequential``.
        network: The network.
        knob: The knob's name, for the error.

    Raises:
        ConfigError: A key is neither a layer's name nor a type or size of kernels; two keys are
            one name, as 1 and "1"; or no key matches any layer. A type or size that the network
            lacks is fine beside one that it has.
    """
    layers: dict[str, nn.Module] = dict(weight_layers(network))
    if not isinstance(setting, Mapping):
        return dict.fromkeys(layers, setting)
    values = by_name(setting, knob)
    _require_known(values, layers, knob)
    found = {
        name: values[key]
        for name, layer in layers.items()
        for key in [next((key for key in _keys(name, layer) if key in values), None)]
        if key is not None
    }
    if not found:
        _refuse_all(values, layers, knob)
    return {name: value for name, value in found.items() if value is not None}


def _require_known(keys: Mapping[str, object], layers: Mapping[str, nn.Module], knob: str) -> None:
    types: set[str] = {layer_type(layer) for layer in layers.values()}
    for key in keys:
        if key not in layers and key not in ("conv", "fc") and not SIZE.fullmatch(key):
            raise ConfigError(
                f"{knob} names the layer {key!r}, which the network does not have; "
                f"{nearest(key, [*layers, *types])}"
            )


def _refuse_all(keys: Mapping[str, object], layers: Mapping[str, nn.Module], knob: str) -> NoReturn:
    there = [f"{name} ({_keys(name, layer)[1]})" for name, layer in layers.items()]
    what = f"is for {', '.join(keys)}, which the network does not have" if keys else "is empty"
    raise ConfigError(
        f"{knob} {what}, so nothing would be done; the network's layers are "
        f"{', '.join(there) or 'none'}"
    )


def _keys(name: str, layer: nn.Module) -> list[str]:
    """Give what a mapping may call a layer, the most particular first."""
    if not isinstance(layer, nn.Conv2d):
        return [name, layer_type(layer)]
    return [name, "conv" + "x".join(map(str, layer.kernel_size)), layer_type(layer)]


def require_number(value: object, fits: Callable[[float], bool], interval: str, knob: str) -> None:
    """Refuse what is not a number, and a number that does not fit.

    Args:
        value: What was given.
        fits: Whether a number is in the interval; NaN must not be.
        interval: How the interval is written.
        knob: The knob's name, for the error.

    Raises:
        ConfigError: Names the knob, the value and the interval.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ConfigError(f"{knob}={value!r} is not a number in {interval}")
    if not fits(float(value)):
        raise ConfigError(f"{knob}={value!r} is outside {interval}")


def require_whole(value: object, lowest: int, highest: int, knob: str) -> None:
    """Refuse what is not a whole number within bounds.

    Raises:
        ConfigError: Names the knob, the value and the bounds.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise ConfigError(f"{knob}={value!r} is not a whole number from {lowest} to {highest}")
