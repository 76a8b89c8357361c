"""Networks by a name that a person types: ``resnet20``, ``torchvision:resnet18``."""

from typing import Any

from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.models import MODELS
from clusterpress.suggest import nearest

PREFIX = "torchvision:"


def known_name(name: str) -> str:
    """Give the name in ``MODELS`` for what a person typed.

    Raises:
        ConfigError: There is no such network; the nearest is named.
    """
    ours = name.replace(PREFIX, "torchvision_", 1) if name.startswith(PREFIX) else name
    if ours not in MODELS:
        raise ConfigError(f"there is no network {name!r}; {nearest(ours, sorted(MODELS))}")
    return ours


def build_named(name: str, **arguments: Any) -> nn.Module:
    """Build a network by its name; arguments as its class takes them.

    Raises:
        ConfigError: There is no such network, or an argument is outside its range.
    """
    return MODELS[known_name(name)](**arguments)
