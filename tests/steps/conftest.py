"""A small network and the context of a step, without any training behind it."""

import pytest
import torch
from torch import nn

from clusterpress.steps import Context
from clusterpress.training.recipe import Recipe


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(4 * 6 * 6, 12), nn.Linear(12, 3)
    )


class Calls:
    """Remembers the recipes it was asked to train by, and trains nothing."""

    def __init__(self) -> None:
        self.recipes: list[Recipe] = []

    def __call__(self, network: nn.Module, recipe: Recipe) -> None:
        self.recipes.append(recipe)


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def context(calls: Calls) -> Context:
    return Context(train=calls, example=torch.zeros(1, 1, 8, 8), clustering=0)
