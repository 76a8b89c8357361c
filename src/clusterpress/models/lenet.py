"""The two LeNets of Caffe and of the compression papers; both take 28x28 images."""

from typing import ClassVar

import torch
from torch import nn
from torch.nn.functional import max_pool2d, relu

from clusterpress.models.filler import XavierConv2d, XavierLinear, check_sizes


class LeNet300_100(nn.Module):
    """LeNet-300-100: 784-300-100-10 with ReLUs between (LeCun et al. 1998; Han et al. 2016)."""

    image_size: ClassVar[tuple[int, int]] = (28, 28)

    def __init__(self, classes: int = 10, channels: int = 1) -> None:
        super().__init__()
        check_sizes(classes=classes, channels=channels)
        self.ip1 = XavierLinear(channels * 28 * 28, 300)
        self.ip2 = XavierLinear(300, 100)
        self.ip3 = XavierLinear(100, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Give the logits (N, classes) of normalised images (N, channels, 28, 28)."""
        hidden = relu(self.ip1(images.flatten(1)))
        logits: torch.Tensor = self.ip3(relu(self.ip2(hidden)))
        return logits


class LeNet5(nn.Module):
    """LeNet-5 as Caffe's ``lenet_train_test.prototxt``: the only ReLU is between ip1 and ip2."""

    image_size: ClassVar[tuple[int, int]] = (28, 28)

    def __init__(self, classes: int = 10, channels: int = 1) -> None:
        super().__init__()
        check_sizes(classes=classes, channels=channels)
        self.conv1 = XavierConv2d(channels, 20, 5)
        self.conv2 = XavierConv2d(20, 50, 5)
        self.ip1 = XavierLinear(50 * 4 * 4, 500)
        self.ip2 = XavierLinear(500, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Give the logits (N, classes) of normalised images (N, channels, 28, 28)."""
        features = max_pool2d(self.conv1(images), 2)
        features = max_pool2d(self.conv2(features), 2)
        logits: torch.Tensor = self.ip2(relu(self.ip1(features.flatten(1))))
        return logits
