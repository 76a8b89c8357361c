"""Train weights that are seen in a coarser form: latent while training, dropped at its end."""

from collections.abc import Mapping

import torch
from torch import nn

from clusterpress.codes import attach, detach, original_of, weight_layers
from clusterpress.errors import ConfigError
from clusterpress.steps.base import Context
from clusterpress.steps.kept_values import dense_weight, require_finite, require_unpruned
from clusterpress.training.recipe import Recipe


def train_latent(
    network: nn.Module,
    forms: Mapping[str, nn.Module],
    context: Context,
    recipe: Recipe,
    step: str,
) -> dict[str, torch.Tensor]:
    """Train a network whose forward passes see the forms of some layers' latent weights.

    Args:
        network: The network; codes of these layers are replaced by their dense weights.
        forms: By layer name what gives the weight of a forward pass from the latent weight.
        context: Trains.
        recipe: How.
        step: Name of the step, for the errors.

    Returns:
        The latent weights after training, which the layers hold as plain weights again.

    Raises:
        ConfigError: A layer is pruned. Nothing is changed then.
        DataError: A weight is NaN or infinite, before the training or after it.
    """
    layers = dict(weight_layers(network))
    for name in forms:
        require_unpruned(name, layers[name], step)
    weights = {name: dense_weight(name, layers[name]) for name in forms}
    for name, form in forms.items():
        attach(layers[name], "weight", form, weights[name])
    context.train(network, recipe)
    latent = {
        name: require_finite(name, original_of(layers[name]).detach().clone()) for name in forms
    }
    for name, weight in latent.items():
        trains = original_of(layers[name]).requires_grad
        detach(layers[name], "weight")
        layers[name].weight = nn.Parameter(weight.clone(), requires_grad=trains)
    return latent


def inner_layers(network: nn.Module, step: str) -> list[str]:
    """Name all linear and convolution layers but the first and the last, in definition order.

    Raises:
        ConfigError: There are none.
    """
    names = [name for name, _ in weight_layers(network)]
    if len(names) < 3:
        raise ConfigError(
            f"{step} keeps the first and the last layer as they are, and the network's layers are "
            f"{', '.join(names) or 'none'}: there is nothing left to do"
        )
    return names[1:-1]


def require_recipe(recipe: object, step: str) -> Recipe:
    """Give a recipe back.

    Raises:
        ConfigError: It is none.
    """
    if not isinstance(recipe, Recipe):
        raise ConfigError(f"{step}: recipe={recipe!r} is no recipe")
    return recipe
