"""Optimisers and learning-rate curves from a recipe."""

import math
from collections.abc import Iterable

import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from clusterpress.training.recipe import Recipe

# One cycle: share of the steps that rise, and where the rise begins (as torch's OneCycleLR).
RISE = 0.3
RISE_FROM = 1 / 25


def build_optimizer(parameters: Iterable[nn.Parameter], recipe: Recipe) -> Optimizer:
    """Build the recipe's optimiser over the parameters that train."""
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    # One fused pass over all parameters; the same update, measurably faster for small networks.
    fused = all(_can_fuse(parameter) for parameter in trained)
    if recipe.optimizer == "adam":
        betas = (recipe.momentum, 0.999)
        return AdamW(trained, recipe.lr, betas=betas, weight_decay=recipe.weight_decay, fused=fused)
    return SGD(
        trained,
        recipe.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
        fused=fused,
    )


def build_schedule(optimizer: Optimizer, recipe: Recipe, steps_per_epoch: int) -> LambdaLR:
    """Build the scheduler that is to be stepped after every optimiser step."""
    return LambdaLR(optimizer, lambda step: lr_factor(recipe, step, steps_per_epoch))


def lr_factor(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Give the learning rate of a step as a share of ``recipe.lr``.

    Args:
        recipe: The schedule.
        step: Number of optimiser steps already done.
        steps_per_epoch: Optimiser steps of one epoch.
    """
    total = recipe.epochs * steps_per_epoch
    warmup = round(recipe.warmup_epochs * steps_per_epoch)
    if step < warmup:
        return (step + 1) / warmup
    if recipe.schedule == "cosine":
        return _cosine((step - warmup) / max(1, total - warmup))
    if recipe.schedule == "one_cycle":
        return _one_cycle(step / max(1, total))
    if recipe.schedule == "step":
        fallen = sum(step >= milestone * steps_per_epoch for milestone in recipe.milestones)
        return float(recipe.gamma**fallen)
    return 1.0


def _cosine(progress: float) -> float:
    return (1 + math.cos(math.pi * min(1.0, progress))) / 2


def _one_cycle(progress: float) -> float:
    if progress < RISE:
        return RISE_FROM + (1 - RISE_FROM) * progress / RISE
    return _cosine((progress - RISE) / (1 - RISE))


def _can_fuse(parameter: torch.Tensor) -> bool:
    return parameter.is_floating_point() and parameter.device.type in ("cpu", "cuda")
