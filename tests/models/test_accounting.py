import pytest
import torch
from torch import nn

from clusterpress.codes import Masked, Shared, attach
from clusterpress.models import MODELS
from clusterpress.models.accounting import macs, parameter_count

# By hand: 784*300 + 300*100 + 100*10, and 24*24*20*25 + 8*8*50*20*25 + 800*500 + 500*10.
BY_HAND = {"lenet300_100": 266_200, "lenet5": 288_000 + 1_600_000 + 400_000 + 5_000}


@pytest.mark.parametrize("name", BY_HAND)
@pytest.mark.parametrize("batch", [1, 3])
def test_macs_by_hand(name: str, batch: int) -> None:
    assert macs(MODELS[name](), torch.zeros(batch, 1, 28, 28)) == BY_HAND[name]


def test_strides_groups_and_merged_sizes() -> None:
    network = nn.Sequential(nn.Conv2d(4, 6, 3, stride=2, groups=2), nn.Flatten(), nn.Linear(96, 5))
    expected = 4 * 4 * 6 * (2 * 9) + 96 * 5
    assert macs(network, torch.zeros(1, 4, 9, 9)) == expected
    network[2] = nn.Linear(96, 2)
    assert macs(network, torch.zeros(1, 4, 9, 9)) == expected - 96 * 3


def test_codes_change_neither_count() -> None:
    network = MODELS["lenet300_100"]()
    mask = torch.rand(100, 300) > 0.9
    attach(network.ip2, "weight", Masked(mask), network.ip2.weight * mask)
    attach(network.ip3, "weight", Shared(torch.zeros(1000), (10, 100)), torch.ones(1))
    assert macs(network, torch.zeros(1, 1, 28, 28)) == BY_HAND["lenet300_100"]
    assert parameter_count(network) == 266_610


def test_mode_and_hooks_are_left_alone() -> None:
    network = MODELS["lenet5"]().train()
    macs(network, torch.zeros(1, 1, 28, 28))
    assert network.training
    assert not any(module._forward_hooks for module in network.modules())
