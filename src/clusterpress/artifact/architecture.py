"""The recorded architecture: a name from a fixed list and plain, bounded arguments."""

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

MAX_ARGUMENT = 1 << 16
_MAX_ARGUMENTS = 16


def checked_architecture(architecture: Any) -> dict[str, Any]:
    """Check that an architecture is ``{"name": str, "args": {str: int | float | bool | str}}``.

    Raises:
        ValueError: It is something else, or an argument is out of bounds.
    """
    if not isinstance(architecture, Mapping) or set(architecture) - {"name", "args"}:
        raise ValueError("the architecture is not an object of a name and args")
    name, args = architecture.get("name"), architecture.get("args", {})
    if not isinstance(name, str) or not 0 < len(name) <= 64:
        raise ValueError("the architecture's name is not a short text")
    if not isinstance(args, Mapping) or len(args) > _MAX_ARGUMENTS:
        raise ValueError("the architecture's args are not a small object")
    for key, value in args.items():
        if not isinstance(key, str) or not _plain(value):
            raise ValueError(
                f"the architecture's argument {key!r} is {value!r:.40}, not a number of at most "
                f"{MAX_ARGUMENT}, a switch or a short text"
            )
    return {"name": name, "args": dict(args)}


def _plain(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= 64
    return isinstance(value, bool | int | float) and abs(value) <= MAX_ARGUMENT


def build(architecture: Mapping[str, Any], check: Callable[[nn.Module], None]) -> nn.Module:
    """Build a network of ``clusterpress.models.MODELS``; the global random state stays.

    Args:
        architecture: A checked architecture.
        check: Called with the network on the meta device, which has shapes and no memory; what it
            raises keeps the network from being built.

    Raises:
        ValueError: No such network, or it does not take such arguments.
    """
    # The one look upwards: the list of networks is a floor above, and only a file that is to be
    # loaded without a network of the caller's needs it.
    models: Mapping[str, type[nn.Module]] = importlib.import_module("clusterpress.models").MODELS
    name = architecture["name"]
    if name not in models:
        raise ValueError(f"its network {name!r} is not one of {', '.join(sorted(models))}")
    check(_built(models[name], architecture, "meta"))
    return _built(models[name], architecture, "cpu")


def _built(model: type[nn.Module], architecture: Mapping[str, Any], device: str) -> nn.Module:
    name, args = architecture["name"], architecture["args"]
    try:
        inspect.signature(model).bind(**args)
        with torch.random.fork_rng(devices=[]), torch.device(device):
            return model(**args)
    except Exception as error:
        raise ValueError(f"its network {name!r} does not take {args}: {error}") from error
