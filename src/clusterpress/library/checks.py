"""What is asked of a network, and of data for it, before a method touches a copy of it."""

import copy
from collections.abc import Mapping
from operator import index
from typing import Any, SupportsIndex

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from clusterpress import artifact
from clusterpress.artifact.architecture import checked_architecture
from clusterpress.artifact.content import ties
from clusterpress.data.images import ImageSet
from clusterpress.errors import ConfigError, DataError
from clusterpress.models.named import recorded
from clusterpress.training.settings import TrainerSettings


def copied(model: nn.Module) -> nn.Module:
    """Copy a network whose weights are there.

    Raises:
        ConfigError: It is no network, has weights without size or memory, or cannot be copied.
    """
    if not isinstance(model, nn.Module):
        raise ConfigError(f"model is a {type(model).__name__}, it must be a torch module")
    for name, tensor in (*model.named_parameters(), *model.named_buffers()):
        if is_lazy(tensor) or tensor.is_meta:
            lacks = "size yet, run a batch through it" if is_lazy(tensor) else "memory, load it"
            raise ConfigError(f"tensor {name!r} of the network has no {lacks} first")
    try:
        return copy.deepcopy(model)
    except (RuntimeError, TypeError) as error:
        raise ConfigError(
            f"the network cannot be copied: {str(error).split(' at the moment')[0]}; weights that "
            "a hook computes (weight_norm, torch.nn.utils.prune) must be made plain first, as by "
            "remove_weight_norm or prune.remove"
        ) from error


def with_modes_of(model: nn.Module, network: nn.Module) -> None:
    """Put a copy's modules into training or evaluation mode as their namesakes are.

    A frozen BatchNorm of a network in training stays frozen; modules that are new in the copy
    are as the whole network is.
    """
    modes = {name: module.training for name, module in model.named_modules()}
    for name, module in network.named_modules():
        module.training = modes.get(name, model.training)


def checked_example(example: object) -> torch.Tensor:
    """Give an example back.

    Raises:
        ConfigError: It is no batch of finite floating-point numbers in memory.
    """
    if not torch.is_tensor(example):
        raise ConfigError(f"example is a {type(example).__name__}, it must be a tensor")
    if not example.is_floating_point() or example.is_meta or example.layout != torch.strided:
        raise ConfigError(
            f"example is a tensor of {example.dtype} (device {example.device}, layout "
            f"{example.layout}), it must be a normalised batch of floating-point numbers in memory"
        )
    if example.ndim < 2 or not example.numel() or not bool(example.isfinite().all()):
        raise ConfigError(
            f"example has the shape {tuple(example.shape)}, it must be a batch (1, C, H, W) of "
            "finite numbers"
        )
    return example


def checked_seed(seed: object) -> int:
    """Give a seed back.

    Raises:
        ConfigError: It is no whole number of 0 or more.
    """
    if isinstance(seed, bool) or not isinstance(seed, SupportsIndex) or index(seed) < 0:
        raise ConfigError(f"seed is {seed!r}, it must be a whole number of 0 or more")
    return index(seed)


def checked_trainer(trainer: object) -> TrainerSettings | None:
    """Give a trainer's settings back.

    Raises:
        ConfigError: It is neither None nor such settings.
    """
    if not isinstance(trainer, TrainerSettings | None):
        raise ConfigError(f"trainer is {trainer!r}, it must be TrainerSettings or None")
    return trainer


def check_images(network: nn.Module, images: ImageSet) -> None:
    """Check that a network in evaluation takes images of that shape, and has all their classes.

    Raises:
        ConfigError: It does not take them, or gives no logits.
        DataError: A label is none of its outputs.
    """
    device = next((tensor.device for tensor in network.parameters()), torch.device("cpu"))
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            logits = network(torch.zeros(1, *images.shape, device=device))
    except Exception as error:  # Whatever somebody's forward() raises.
        raise ConfigError(
            f"the network does not take images of shape {tuple(images.shape)}: {error}"
        ) from error
    if not torch.is_tensor(logits) or logits.ndim != 2:
        what = tuple(logits.shape) if torch.is_tensor(logits) else type(logits).__name__
        raise ConfigError(f"the network gives {what} for one image, not logits (1, classes)")
    low, high = (int(value) for value in images.train.labels.aminmax())
    if low < 0 or high >= logits.shape[1]:
        raise DataError(
            f"labels go from {low} to {high}, the network's outputs from 0 to {logits.shape[1] - 1}"
        )


def check_architecture(model: nn.Module, architecture: Mapping[str, Any]) -> None:
    """Check that what a file is to record can take its tensors.

    Raises:
        ConfigError: It is not one of ours, or has other tensors or fewer elements.
    """
    try:
        checked = checked_architecture(architecture)
    except ValueError as error:
        raise ConfigError(f"{error}") from error
    with torch.device("meta"):
        held = artifact.elements(recorded(checked).build())
    own = artifact.elements(model)
    beyond = [name for name, count in own.items() if count > held.get(name, -1)]
    missing = sorted(set(held) - set(own) - set(ties(model)))
    if beyond or missing:
        name = (beyond or missing)[0]
        raise ConfigError(
            f"the network is no {checked['name']} of {checked['args']}: see tensor {name!r}"
        )
