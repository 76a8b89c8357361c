import pytest
import torch
from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.models import Vgg16, Vgg19
from clusterpress.models.accounting import macs, parameter_count


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ({}, 14_724_042),  # wang2020
        ({"bias": True}, 14_728_266),  # son2018
        ({"classes": 100}, 14_770_212),  # wang2020, CIFAR-100
        ({"linears": 2}, 14_986_698),  # li2017
    ],
)
def test_the_papers_variants(arguments: dict[str, int], count: int) -> None:
    assert parameter_count(Vgg16(**arguments)) == count


def test_macs_of_the_convolutions_are_313_million() -> None:
    linear = 512 * 10
    assert macs(Vgg16(), torch.zeros(1, 3, 32, 32)) - linear == 313_196_544


@pytest.mark.parametrize(("model", "count"), [(Vgg16, 13), (Vgg19, 16)])
def test_layers_are_numbered(model: type[nn.Sequential], count: int) -> None:
    names = [name for name, module in model().named_children() if isinstance(module, nn.Conv2d)]
    assert names == [f"conv{number}" for number in range(1, count + 1)]
    pools = [name for name, module in model().named_children() if isinstance(module, nn.MaxPool2d)]
    assert pools == [f"pool{number}" for number in range(1, 6)]


def test_state_keys_are_stable() -> None:
    keys = set(Vgg16(bias=True, linears=2).state_dict())
    statistics = {"running_mean", "running_var", "num_batches_tracked"}
    expected = {f"conv{n}.{key}" for n in range(1, 14) for key in ("weight", "bias")}
    expected |= {f"bn{n}.{key}" for n in range(1, 14) for key in ("weight", "bias", *statistics)}
    expected |= {f"fc{n}.{key}" for n in (1, 2) for key in ("weight", "bias")}
    expected |= {f"fc1_bn.{key}" for key in statistics}
    assert keys == expected
    assert {key for key in Vgg16().state_dict() if key.startswith("fc")} == {"fc.weight", "fc.bias"}


@pytest.mark.parametrize("linears", [0, 3])
def test_other_numbers_of_linear_layers_are_refused(linears: int) -> None:
    with pytest.raises(ConfigError, match="linears is"):
        Vgg16(linears=linears)
