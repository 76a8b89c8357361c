"""DenseNets for 32x32 images (Huang et al. 2017)."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, relu

from clusterpress.models.filler import check_sizes
from clusterpress.models.he import HeConv2d

GROWTH, FIRST = 12, 24


class Layer(nn.Module):
    """BatchNorm, ReLU, 3x3 convolution; what comes in goes on beside what comes out."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(before)
        self.conv = HeConv2d(before, GROWTH, 3, padding=1, bias=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Give the features (N, C + 12, H, W)."""
        return torch.cat([features, self.conv(relu(self.bn(features)))], 1)


class BottleneckLayer(nn.Module):
    """As ``Layer``, with a 1x1 convolution to four times the growth before the 3x3."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(before)
        self.conv1 = HeConv2d(before, 4 * GROWTH, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(4 * GROWTH)
        self.conv2 = HeConv2d(4 * GROWTH, GROWTH, 3, padding=1, bias=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Give the features (N, C + 12, H, W)."""
        inner = self.conv1(relu(self.bn1(features)))
        return torch.cat([features, self.conv2(relu(self.bn2(inner)))], 1)


class Transition(nn.Module):
    """Between two groups: BatchNorm, ReLU, 1x1 convolution, mean of 2x2 pixels."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.bn = nn.BatchNorm2d(before)
        self.conv = HeConv2d(before, after, 1, bias=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Give the features (N, after, H / 2, W / 2)."""
        return avg_pool2d(self.conv(relu(self.bn(features))), 2)


class DenseNet(nn.Module):
    """A 3x3 convolution to 24 channels, three groups of layers, the mean, one linear layer.

    Args:
        layer: Kind of the layers, each of which adds 12 channels.
        depth: Layers of each group.
        kept: Of how many channels a transition makes one.
        classes: Number of classes.
        channels: Channels of an image.

    Raises:
        ConfigError: A size is no positive whole number.
    """

    image_size: ClassVar[tuple[int, int]] = (32, 32)

    def __init__(
        self,
        layer: type[Layer] | type[BottleneckLayer],
        depth: int,
        kept: int,
        classes: int,
        channels: int,
    ) -> None:
        super().__init__()
        check_sizes(classes=classes, channels=channels)
        self.conv1 = HeConv2d(channels, FIRST, 3, padding=1, bias=False)
        width, groups = FIRST, nn.Sequential()
        for group in range(3):
            groups.extend(layer(width + GROWTH * number) for number in range(depth))
            width += GROWTH * depth
            if group < 2:
                groups.append(Transition(width, width // kept))
                width //= kept
        self.groups = groups
        self.bn = nn.BatchNorm2d(width)
        self.fc = nn.Linear(width, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Give the logits (N, classes) of normalised images (N, channels, 32, 32)."""
        features = relu(self.bn(self.groups(self.conv1(images))))
        logits: torch.Tensor = self.fc(features.mean((2, 3)))
        return logits


class DenseNet40(DenseNet):
    """DenseNet-12-40: 12 layers in each group, transitions that keep the number of channels."""

    def __init__(self, classes: int = 10, channels: int = 3) -> None:
        super().__init__(Layer, 12, 1, classes, channels)


class DenseNetBc100(DenseNet):
    """DenseNet-BC-100-12: 16 layers with bottlenecks in each group, transitions that halve."""

    def __init__(self, classes: int = 10, channels: int = 3) -> None:
        super().__init__(BottleneckLayer, 16, 2, classes, channels)
