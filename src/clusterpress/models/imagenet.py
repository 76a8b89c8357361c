"""torchvision's networks for ImageNet, with its layers' names, so that its weights fit as they are.

Their constructors take what all models here take. ``published`` lists the weights that torchvision
offers for each.
"""

from typing import Any, ClassVar

from torchvision import models
from torchvision.models.resnet import BasicBlock
from torchvision.models.vgg import cfgs, make_layers

from clusterpress.errors import ConfigError
from clusterpress.models.filler import check_sizes

SIZE = (224, 224)
# Convolutions of each group, as torchvision lists them: the paper's configuration D.
VGG16 = "D"


class TorchvisionAlexNet(models.AlexNet):
    """AlexNet without groups (Krizhevsky 2014), 61,100,840 parameters.

    Raises:
        ConfigError: ``classes`` is no positive whole number, or ``channels`` is not 3.
    """

    image_size: ClassVar[tuple[int, int]] = SIZE
    published: ClassVar[Any] = models.AlexNet_Weights

    def __init__(self, classes: int = 1000, channels: int = 3) -> None:
        super().__init__(num_classes=_checked(classes, channels))


class TorchvisionVgg16(models.VGG):
    """VGG-16 (Simonyan & Zisserman 2015), 138,357,544 parameters.

    Raises:
        ConfigError: As ``TorchvisionAlexNet``.
    """

    image_size: ClassVar[tuple[int, int]] = SIZE
    published: ClassVar[Any] = models.VGG16_Weights

    def __init__(self, classes: int = 1000, channels: int = 3) -> None:
        classes = _checked(classes, channels)
        super().__init__(make_layers(cfgs[VGG16]), num_classes=classes)


class TorchvisionVgg16Bn(models.VGG):
    """VGG-16 with BatchNorm, 138,365,992 parameters.

    Raises:
        ConfigError: As ``TorchvisionAlexNet``.
    """

    image_size: ClassVar[tuple[int, int]] = SIZE
    published: ClassVar[Any] = models.VGG16_BN_Weights

    def __init__(self, classes: int = 1000, channels: int = 3) -> None:
        classes = _checked(classes, channels)
        super().__init__(make_layers(cfgs[VGG16], batch_norm=True), num_classes=classes)


class TorchvisionResNet18(models.ResNet):
    """ResNet-18 (He et al. 2016), 11,689,512 parameters.

    Raises:
        ConfigError: As ``TorchvisionAlexNet``.
    """

    image_size: ClassVar[tuple[int, int]] = SIZE
    published: ClassVar[Any] = models.ResNet18_Weights

    def __init__(self, classes: int = 1000, channels: int = 3) -> None:
        classes = _checked(classes, channels)
        super().__init__(BasicBlock, [2, 2, 2, 2], num_classes=classes)


def _checked(classes: int, channels: int) -> int:
    check_sizes(classes=classes, channels=channels)
    if channels != 3:
        raise ConfigError(f"channels is {channels}, torchvision's networks take 3.")
    return classes
