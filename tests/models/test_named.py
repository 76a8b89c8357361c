"""Networks by a name that a person types."""

import pytest
import torch

from clusterpress.errors import ConfigError
from clusterpress.models import LeNet5
from clusterpress.models.imagenet import TorchvisionResNet18
from clusterpress.models.named import network_named, recorded

PICTURES = "tests.library.networks:Pictures"


NAMES = {
    "resnet21": "nearest is 'resnet",
    "torchvision:resnet19": "nearest is 'resnet18'",
    "no_such_module:net": "cannot be imported",
    "torch.nn:Lineer": "cannot be imported",
    ".a:b": "cannot be imported: TypeError",
    "torch:zeros(size=(3,))": "not a torch module",
    "resnet20(10)": "arguments have no names",
    "resnet20(classes=exit())": "plain values by name",
    "resnet20(colour=3)": "does not take",
    "resnet 20": "names no network",
}


@pytest.mark.parametrize("text", NAMES)
def test_names_of_no_network_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=NAMES[text]):
        network_named(text).build()


def test_names_of_torchvisions_networks_and_ones_own_are_built() -> None:
    assert type(network_named("torchvision:squeezenet1_0").build()).__name__ == "SqueezeNet"
    assert network_named(f"{PICTURES}(width=3)").build().features[0].out_channels == 3
    named = network_named("resnet20(classes=100)")
    assert named.architecture == {"name": "resnet20", "args": {"classes": 100}}


def test_torchvisions_networks_that_are_ours_too_are_ours() -> None:
    named = network_named("torchvision:resnet18(classes=3)")
    assert named.architecture == {"name": "torchvision_resnet18", "args": {"classes": 3}}
    with torch.device("meta"):
        assert isinstance(named.build(), TorchvisionResNet18)


def test_what_an_artifact_records_is_built_again() -> None:
    named = recorded({"name": "lenet5", "args": {"classes": 7}})
    assert isinstance(named.build(), LeNet5)
    assert network_named("lenet5(classes=7)") == named
    with pytest.raises(ConfigError, match="nearest is 'lenet5'"):
        recorded({"name": "lenet6", "args": {}})
