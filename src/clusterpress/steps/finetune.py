"""Fine-tune a network in whatever form it has."""

from typing import ClassVar

from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.steps.base import Context
from clusterpress.training.recipe import Recipe


class Finetune:
    """Train on: masks and assignments stay, kept weights, centroids and biases learn.

    Args:
        recipe: How to train.

    Raises:
        ConfigError: ``recipe`` is no recipe.
    """

    version: ClassVar[int] = 1

    def __init__(self, recipe: Recipe) -> None:
        if not isinstance(recipe, Recipe):
            raise ConfigError(f"Finetune: recipe={recipe!r} is no recipe")
        self.recipe = recipe

    def apply(self, network: nn.Module, context: Context) -> nn.Module:
        """Train the network in place."""
        context.train(network, self.recipe)
        return network
