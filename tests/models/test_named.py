import pytest
import torch

from clusterpress.errors import ConfigError
from clusterpress.models import LeNet5, TorchvisionResNet18
from clusterpress.models.named import build_named, known_name


def test_names_of_ours_and_of_torchvision() -> None:
    assert isinstance(build_named("lenet5"), LeNet5)
    with torch.device("meta"):
        assert isinstance(build_named("torchvision:resnet18", classes=3), TorchvisionResNet18)
    assert known_name("torchvision_vgg16") == known_name("torchvision:vgg16")


def test_an_unknown_name_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="nearest is 'torchvision_resnet18'"):
        known_name("torchvision:resnet81")
