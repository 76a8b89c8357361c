"""Build a network that a user names in one word."""

import ast
import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.models import MODELS
from clusterpress.models.checkpoints import load_weights, read_state
from clusterpress.suggest import nearest

_FORM = re.compile(r"(?:(?P<module>[\w.]+):)?(?P<name>\w+)(?:\((?P<arguments>.*)\))?")
TORCHVISION = "torchvision"


@dataclass(frozen=True)
class Named:
    """A network, and how an artifact records it.

    Attributes:
        network: With freshly drawn weights.
        architecture: ``{"name": ..., "args": {...}}``, or None where it is not one of ours.
    """

    network: nn.Module
    architecture: Mapping[str, Any] | None

    def load(self, path: Any) -> None:
        """Load a checkpoint, whose dtype the network takes where it has one of half precision.

        Raises:
            ConfigError: The file cannot be read, or does not fit; all keys are listed.
        """
        dtypes = {value.dtype for value in read_state(path).values() if value.is_floating_point()}
        if dtypes in ({torch.float16}, {torch.bfloat16}):
            self.network.to(dtypes.pop())
        load_weights(self.network, path)


def network_named(text: str) -> Named:
    """Build a network by name: ours, torchvision's, or any that Python can import.

    Args:
        text: ``resnet20``, ``vgg16(classes=100)``, ``torchvision:resnet18``, or
            ``package.module:factory(width=64)``. Arguments are plain Python values by name.

    Raises:
        ConfigError: There is no such network, or it does not take these arguments.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ConfigError(
            f"{text!r} names no network; it must be like resnet20, vgg16(classes=100), "
            "torchvision:resnet18 or package.module:factory"
        )
    module, name = found["module"], found["name"]
    arguments = _arguments(text, found["arguments"] or "")
    if module == TORCHVISION:
        return Named(_torchvision(name, arguments), None)
    if module is not None:
        return Named(_imported(module, name, arguments), None)
    if name not in MODELS:
        raise ConfigError(f"there is no network {name!r}; {nearest(name, sorted(MODELS))}")
    return Named(_called(MODELS[name], text, arguments), {"name": name, "args": arguments})


def _arguments(text: str, inside: str) -> dict[str, Any]:
    try:
        call = ast.parse(f"f({inside})", mode="eval").body
        assert isinstance(call, ast.Call)
        if call.args or any(word.arg is None for word in call.keywords):
            raise ValueError("arguments have no names")
        return {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
    except (SyntaxError, ValueError, AssertionError) as error:
        raise ConfigError(
            f"the arguments of {text!r} must be plain values by name, like (classes=100): {error}"
        ) from error


def _torchvision(name: str, arguments: dict[str, Any]) -> nn.Module:
    models = importlib.import_module("torchvision.models")
    known = models.list_models(module=models)
    if name not in known:
        raise ConfigError(f"torchvision has no network {name!r}; {nearest(name, known)}")
    return _called(models.get_model_builder(name), f"torchvision:{name}", arguments)


def _imported(module: str, name: str, arguments: dict[str, Any]) -> nn.Module:
    try:
        factory = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(f"{module}:{name} cannot be imported: {error}") from error
    return _called(factory, f"{module}:{name}", arguments)


def _called(factory: Any, text: str, arguments: dict[str, Any]) -> nn.Module:
    try:
        with torch.random.fork_rng(devices=[]):
            network = factory(**arguments)
    except Exception as error:  # Whatever somebody's constructor raises.
        raise ConfigError(f"{text} does not take {arguments}: {error}") from error
    if not isinstance(network, nn.Module):
        raise ConfigError(f"{text} gives a {type(network).__name__}, not a torch module")
    return network
