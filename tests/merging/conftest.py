"""Small networks whose hidden layers are full of exact duplicates."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn

Plant = Callable[[nn.Module, str, int], None]


def linear_network() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(100, 12), nn.ReLU(), nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, 4)
    )


def conv_network() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 3),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, bias=False),
        nn.Tanh(),
        nn.Flatten(),
        nn.Linear(8 * 2 * 2, 10),
        nn.ReLU(),
        nn.Linear(10, 4),
    )


@pytest.fixture(params=[linear_network, conv_network])
def network(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(3)
    return request.param()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randn(5, 1, 10, 10, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def plant() -> Plant:
    def make_duplicates(network: nn.Module, name: str, distinct: int) -> None:
        layer = network.get_submodule(name)
        source = torch.arange(layer.weight.shape[0]) % distinct
        with torch.no_grad():
            layer.weight.copy_(layer.weight[source])
            if layer.bias is not None:
                layer.bias.copy_(layer.bias[source])

    return make_duplicates


@pytest.fixture
def untouched(network: nn.Module) -> nn.Module:
    return copy.deepcopy(network)
