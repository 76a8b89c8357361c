"""AlexNet (Krizhevsky et al. 2012) for 32x32 images; its linear layers hold 90 % of the weights."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import ClassVar

from torch import nn

from clusterpress.models.filler import check_sizes
from clusterpress.models.he import HeConv2d, HeLinear

HIDDEN = 4096


class AlexNet32(nn.Sequential):
    """Five 3x3 convolutions, three max-poolings, and 1024-4096-4096-classes with dropout.

    The channels are torchvision's AlexNet's; kernels and strides are ours, for 32x32 images.

    Raises:
        ConfigError: A size is no positive whole number.
    """

    image_size: ClassVar[tuple[int, int]] = (32, 32)

    def __init__(self, classes: int = 10, channels: int = 3) -> None:
        check_sizes(classes=classes, channels=channels)
        super().__init__(OrderedDict([*_features(channels), *_classifier(classes)]))


def _features(channels: int) -> Iterator[tuple[str, nn.Module]]:
    before = channels
    for number, width in enumerate((64, 192, 384, 256, 256), 1):
        stride = 2 if number == 1 else 1
        yield f"conv{number}", HeConv2d(before, width, 3, stride, padding=1)
        yield f"relu{number}", nn.ReLU()
        if number in (1, 2, 5):
            yield f"pool{number}", nn.MaxPool2d(2)
        before = width
    yield "flatten", nn.Flatten()


def _classifier(classes: int) -> Iterator[tuple[str, nn.Module]]:
    for number, before in enumerate((256 * 2 * 2, HIDDEN), 1):
        yield f"dropout{number}", nn.Dropout(0.5)
        yield f"fc{number}", HeLinear(before, HIDDEN)
        yield f"fc{number}_relu", nn.ReLU()
    yield "fc3", nn.Linear(HIDDEN, classes)
