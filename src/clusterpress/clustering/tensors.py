"""Torch tensors in and out of functions of numpy arrays."""

import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from functools import wraps
from inspect import signature
from typing import Any, TypeVar, cast

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])


def is_tensor(value: object) -> bool:
    """Whether ``value`` is a torch tensor; does not import torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def takes_tensors(function: Function) -> Function:
    """Let a function of arrays take torch tensors, and answer on the device of the first.

    The first argument decides: where it is a tensor, arrays in the result become tensors on its
    device. Tensors on the CPU are not copied. bfloat16 widens to float32, which loses nothing.
    """
    first = next(iter(signature(function).parameters))

    @wraps(function)
    def wrapper(*given: Any, **named: Any) -> Any:
        found = function(
            *(host(value) for value in given),
            **{name: host(value) for name, value in named.items()},
        )
        points: Any = given[0] if given else named.get(first)
        return to_device(found, points.device) if is_tensor(points) else found

    return cast(Function, wrapper)


def host(value: Any) -> Any:
    """Give a tensor as an array; anything else as it is."""
    if not is_tensor(value):
        return value
    torch = sys.modules["torch"]
    detached = value.detach().cpu()
    return (detached.float() if detached.dtype == torch.bfloat16 else detached).numpy()


def to_device(found: Any, device: Any) -> Any:
    """Give arrays, also those in a dataclass or tuple, as tensors on ``device``."""
    if isinstance(found, np.ndarray):
        return sys.modules["torch"].from_numpy(found).to(device)
    if isinstance(found, tuple):
        return tuple(to_device(item, device) for item in found)
    if is_dataclass(found) and not isinstance(found, type):
        moved = {item.name: to_device(getattr(found, item.name), device) for item in fields(found)}
        return replace(found, **moved)
    return found
