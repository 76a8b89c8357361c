"""VGG for 32x32 images (Simonyan & Zisserman 2015), with BatchNorm and a small classifier."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import ClassVar

from torch import nn

from clusterpress.errors import ConfigError
from clusterpress.models.filler import check_sizes
from clusterpress.models.he import HeConv2d, HeLinear

WIDTHS = (64, 128, 256, 512, 512)

Named = Iterator[tuple[str, nn.Module]]


class Vgg(nn.Sequential):
    """3x3 convolutions with BatchNorm and ReLU, a max-pooling after each of five groups.

    Layers are called conv1, bn1, relu1, …, pool1 to pool5, and fc, or fc1 and fc2.

    Args:
        depths: Convolutions of each group.
        classes: Number of classes.
        channels: Channels of an image.
        bias: Whether the convolutions have biases, as son2018's do; BatchNorm makes them idle.
        linears: 1 for 512->classes; 2 for 512->512->classes, as li2017 have it. The norm after
            their first one has no scale and shift here: so the parameters are as many as counted
            for the paper.

    Raises:
        ConfigError: A size is no positive whole number, or ``linears`` is neither 1 nor 2.
    """

    image_size: ClassVar[tuple[int, int]] = (32, 32)

    def __init__(
        self, depths: tuple[int, ...], classes: int, channels: int, bias: bool, linears: int
    ) -> None:
        check_sizes(classes=classes, channels=channels)
        if linears not in (1, 2):
            raise ConfigError(f"linears is {linears!r}, it must be 1 or 2.")
        layers = [*_features(depths, channels, bias), *_classifier(classes, linears)]
        super().__init__(OrderedDict(layers))


class Vgg16(Vgg):
    """VGG-16: 13 convolutions. By default wang2020's: no biases, one linear layer."""

    def __init__(
        self, classes: int = 10, channels: int = 3, bias: bool = False, linears: int = 1
    ) -> None:
        super().__init__((2, 2, 3, 3, 3), classes, channels, bias, linears)


class Vgg19(Vgg):
    """VGG-19: 16 convolutions; else as VGG-16."""

    def __init__(
        self, classes: int = 10, channels: int = 3, bias: bool = False, linears: int = 1
    ) -> None:
        super().__init__((2, 2, 4, 4, 4), classes, channels, bias, linears)


def _features(depths: tuple[int, ...], channels: int, bias: bool) -> Named:
    number, before = 0, channels
    for group, (depth, width) in enumerate(zip(depths, WIDTHS, strict=True), 1):
        for _ in range(depth):
            number += 1
            yield f"conv{number}", HeConv2d(before, width, 3, padding=1, bias=bias)
            yield f"bn{number}", nn.BatchNorm2d(width)
            yield f"relu{number}", nn.ReLU()
            before = width
        yield f"pool{group}", nn.MaxPool2d(2)


def _classifier(classes: int, linears: int) -> Named:
    yield "flatten", nn.Flatten()
    if linears == 1:
        yield "fc", nn.Linear(WIDTHS[-1], classes)
        return
    yield "fc1", HeLinear(WIDTHS[-1], 512)
    yield "fc1_bn", nn.BatchNorm1d(512, affine=False)
    yield "fc1_relu", nn.ReLU()
    yield "fc2", nn.Linear(512, classes)
