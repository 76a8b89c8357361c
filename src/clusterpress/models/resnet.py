"""Residual networks for 32x32 images (He et al. 2016)."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import pad, relu

from clusterpress.models.filler import check_sizes
from clusterpress.models.he import HeConv2d


class PaddedShortcut(nn.Module):
    """Shortcut A, without parameters: every other pixel, and channels of zeros on both sides.

    Args:
        extra: Channels of zeros; half of them come first, as in akamaster's networks.
        stride: Distance of the pixels.
    """

    def __init__(self, extra: int, stride: int) -> None:
        super().__init__()
        self.extra, self.stride = extra, stride

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Give the features (N, C + extra, H / stride, W / stride)."""
        before = self.extra // 2
        fewer = features[:, :, :: self.stride, :: self.stride]
        return pad(fewer, (0, 0, 0, 0, before, self.extra - before))


class ProjectedShortcut(nn.Sequential):
    """Shortcut B: a 1x1 convolution with BatchNorm."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv = HeConv2d(before, after, 1, stride, bias=False)
        self.bn = nn.BatchNorm2d(after)


class Block(nn.Module):
    """Two 3x3 convolutions with BatchNorm beside a shortcut.

    Args:
        before: Channels that come in.
        after: Channels that go out.
        stride: Of the first convolution and of the shortcut.
        projected: Whether a shortcut between unequal shapes has weights (B) or not (A).
    """

    def __init__(self, before: int, after: int, stride: int, projected: bool) -> None:
        super().__init__()
        self.conv1 = HeConv2d(before, after, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = HeConv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.shortcut: nn.Module = nn.Identity()
        if (stride, before) != (1, after):
            self.shortcut = (
                ProjectedShortcut(before, after, stride)
                if projected
                else PaddedShortcut(after - before, stride)
            )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Give the block's features (N, after, H / stride, W / stride)."""
        inner = self.bn2(self.conv2(relu(self.bn1(self.conv1(features)))))
        return relu(inner + self.shortcut(features))


class ResNet(nn.Module):
    """A 3x3 convolution, groups of blocks that halve the image, the mean, one linear layer.

    Args:
        widths: Channels of each group; the first convolution has those of the first.
        depth: Blocks of each group.
        projected: Whether shortcuts between unequal shapes have weights.
        classes: Number of classes.
        channels: Channels of an image.

    Raises:
        ConfigError: A size is no positive whole number.
    """

    image_size: ClassVar[tuple[int, int]] = (32, 32)

    def __init__(
        self, widths: tuple[int, ...], depth: int, projected: bool, classes: int, channels: int
    ) -> None:
        super().__init__()
        check_sizes(classes=classes, channels=channels)
        self.conv1 = HeConv2d(channels, widths[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.groups = len(widths)
        for number, width in enumerate(widths, 1):
            stride, before = (1, width) if number == 1 else (2, widths[number - 2])
            first = Block(before, width, stride, projected)
            others = [Block(width, width, 1, projected) for _ in range(depth - 1)]
            self.add_module(f"layer{number}", nn.Sequential(first, *others))
        self.fc = nn.Linear(widths[-1], classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Give the logits (N, classes) of normalised images (N, channels, 32, 32)."""
        features = relu(self.bn1(self.conv1(images)))
        for number in range(1, self.groups + 1):
            features = self.get_submodule(f"layer{number}")(features)
        logits: torch.Tensor = self.fc(features.mean((2, 3)))
        return logits


class ResNet18(ResNet):
    """ResNet-18 with a first convolution for small images: 64 to 512 channels, shortcut B."""

    def __init__(self, classes: int = 10, channels: int = 3) -> None:
        super().__init__((64, 128, 256, 512), 2, True, classes, channels)


class ResNet20(ResNet):
    """ResNet-20: 16, 32 and 64 channels, 3 blocks each, shortcut A (their section 4.2)."""

    depth: ClassVar[int] = 3

    def __init__(self, classes: int = 10, channels: int = 3) -> None:
        super().__init__((16, 32, 64), self.depth, False, classes, channels)


class ResNet32(ResNet20):
    """ResNet-32: as ResNet-20, with 5 blocks each."""

    depth: ClassVar[int] = 5


class ResNet44(ResNet20):
    """ResNet-44: as ResNet-20, with 7 blocks each."""

    depth: ClassVar[int] = 7


class ResNet56(ResNet20):
    """ResNet-56: as ResNet-20, with 9 blocks each."""

    depth: ClassVar[int] = 9
