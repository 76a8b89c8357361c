"""Fine-tuning trains by its recipe and changes nothing itself."""

import pytest
import torch

from clusterpress.errors import ConfigError
from clusterpress.steps import Finetune
from clusterpress.training.recipe import Recipe


def test_the_network_is_trained_once_by_the_recipe(network, context, calls):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    recipe = Recipe(epochs=3)
    assert Finetune(recipe).apply(network, context) is network
    assert calls.recipes == [recipe]
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_what_is_no_recipe_is_refused():
    with pytest.raises(ConfigError, match="is no recipe"):
        Finetune(recipe=5)
