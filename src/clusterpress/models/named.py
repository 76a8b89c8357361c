"""Networks by a name that a person types: ``resnet20``, ``torchvision:resnet18``, one's own."""

import ast
import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from clusterpress.errors import ConfigError, told
from clusterpress.models import MODELS
from clusterpress.models.checkpoints import load_weights, read_state
from clusterpress.suggest import nearest

_FORM = re.compile(r"(?:(?P<module>[\w.]+):)?(?P<name>\w+)(?:\((?P<arguments>.*)\))?")
TORCHVISION = "torchvision"


@dataclass(frozen=True)
class Named:
    """A network by its name.

    Attributes:
        text: The name.
        builder: Its class, or what makes it.
        arguments: What the builder is called with.
        architecture: As an artifact records it, or None where the network is not one of ours.
    """

    text: str
    builder: Callable[..., Any]
    arguments: Mapping[str, Any]
    architecture: Mapping[str, Any] | None = None

    def build(self) -> nn.Module:
        """Build it with new weights; the global random state stays.

        Raises:
            ConfigError: It does not take the arguments, or is no network.
        """
        try:
            with torch.random.fork_rng(devices=[]):
                network = self.builder(**self.arguments)
        except Exception as error:  # Whatever somebody's constructor raises.
            raise ConfigError(
                f"{self.text} does not take {dict(self.arguments)}: {error}"
            ) from error
        if not isinstance(network, nn.Module):
            raise ConfigError(f"{self.text} gives a {type(network).__name__}, not a torch module")
        return network

    def trained(self, path: Path) -> nn.Module:
        """Build it with the weights of a checkpoint, in its dtype where that is half precision.

        Raises:
            ConfigError: The file cannot be read, or does not fit; ``load_weights`` lists the keys.
        """
        network = self.build()
        dtypes = {value.dtype for value in read_state(path).values() if value.is_floating_point()}
        if dtypes in ({torch.float16}, {torch.bfloat16}):
            network.to(dtypes.pop())
        load_weights(network, path)
        return network


def network_named(text: str) -> Named:
    """Find a network by name: ours, torchvision's, or any that Python can import.

    Args:
        text: ``resnet20``, ``vgg16(classes=100)``, ``torchvision:resnet18``, or
            ``package.module:factory(width=64)``. Arguments are plain Python values by name.

    Raises:
        ConfigError: There is no such network, or the name cannot be read.
    """
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise ConfigError(
            f"{text!r} names no network; it must be like resnet20, vgg16(classes=100), "
            "torchvision:resnet18 or package.module:factory"
        )
    module, name = found["module"], found["name"]
    arguments = _arguments(text, found["arguments"] or "")
    if module == TORCHVISION and f"{TORCHVISION}_{name}" in MODELS:
        module, name = None, f"{TORCHVISION}_{name}"
    if module == TORCHVISION:
        return Named(text, _torchvision(name), arguments)
    if module is not None:
        return Named(text, _imported(module, name), arguments)
    return recorded({"name": name, "args": arguments})


def recorded(architecture: Mapping[str, Any]) -> Named:
    """Find the network that an artifact records.

    Raises:
        ConfigError: It is not one of ours.
    """
    name, arguments = architecture["name"], architecture["args"]
    if name not in MODELS:
        raise ConfigError(f"there is no network {name!r}; {nearest(name, sorted(MODELS))}")
    return Named(name, MODELS[name], arguments, {"name": name, "args": dict(arguments)})


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


def _torchvision(name: str) -> Callable[..., Any]:
    models: Any = importlib.import_module("torchvision.models")
    known = models.list_models(module=models)
    if name not in known:
        raise ConfigError(f"torchvision has no network {name!r}; {nearest(name, known)}")
    builder: Callable[..., Any] = models.get_model_builder(name)
    return builder


def _imported(module: str, name: str) -> Callable[..., Any]:
    try:
        factory: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except Exception as error:  # Whatever somebody's module raises.
        raise ConfigError(f"{module}:{name} cannot be imported: {told(error)}") from error
    return factory
