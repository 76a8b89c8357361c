"""The contract of a step: one move of a compression method on a network."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from torch import nn

from clusterpress.training.recipe import Recipe

Trainer = Callable[[nn.Module, Recipe], None]
Batches = Callable[[], Iterable[torch.Tensor]]


def _no_batches() -> Iterable[torch.Tensor]:
    return ()


@dataclass
class Context:
    """What a step may use.

    Attributes:
        train: Train a network in place by a recipe on the training split, data order seeded.
        example: One batch of one normalised input image, float32, shape (1, C, H, W).
        clustering: Root seed of everything random that is not training.
        facts: What the step wants remembered in the record: JSON-safe values by name.
        batches: Give batches of normalised training images, not augmented, float32, shape
            (N, C, H, W), in a seeded order; none where the context has no data.
    """

    train: Trainer
    example: torch.Tensor
    clustering: int
    facts: dict[str, Any] = field(default_factory=dict)
    batches: Batches = _no_batches

    def rng(self) -> np.random.Generator:
        """Give a fresh numpy generator, the same at every call."""
        return np.random.default_rng(self.clustering)


@runtime_checkable
class Step(Protocol):
    """One move of a method; its knobs are its constructor's arguments.

    ``version`` is raised whenever the step's result would change for the same knobs.
    """

    version: ClassVar[int]

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Change the network (in place or not) and return it."""


@runtime_checkable
class Checked(Protocol):
    """A step that can refuse a network by its layers' names and sizes, before anything trains."""

    def check(self, network: nn.Module) -> None:
        """Raise a ConfigError where the step's knobs do not fit the network."""
