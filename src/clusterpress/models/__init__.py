"""The architectures, by the names that configs and artifacts use."""

from torch import nn

from clusterpress.models.alexnet import AlexNet32
from clusterpress.models.densenet import DenseNet40, DenseNetBc100
from clusterpress.models.imagenet import (
    TorchvisionAlexNet,
    TorchvisionResNet18,
    TorchvisionVgg16,
    TorchvisionVgg16Bn,
)
from clusterpress.models.lenet import LeNet5, LeNet300_100
from clusterpress.models.resnet import ResNet18, ResNet20, ResNet32, ResNet44, ResNet56
from clusterpress.models.vgg import Vgg16, Vgg19

MODELS: dict[str, type[nn.Module]] = {
    "lenet300_100": LeNet300_100,
    "lenet5": LeNet5,
    "vgg16": Vgg16,
    "vgg19": Vgg19,
    "alexnet32": AlexNet32,
    "resnet18": ResNet18,
    "resnet20": ResNet20,
    "resnet32": ResNet32,
    "resnet44": ResNet44,
    "resnet56": ResNet56,
    "densenet40": DenseNet40,
    "densenet_bc100": DenseNetBc100,
    "torchvision_alexnet": TorchvisionAlexNet,
    "torchvision_vgg16": TorchvisionVgg16,
    "torchvision_vgg16_bn": TorchvisionVgg16Bn,
    "torchvision_resnet18": TorchvisionResNet18,
}

__all__ = [
    "MODELS",
    "AlexNet32",
    "DenseNet40",
    "DenseNetBc100",
    "LeNet5",
    "LeNet300_100",
    "ResNet18",
    "ResNet20",
    "ResNet32",
    "ResNet44",
    "ResNet56",
    "TorchvisionAlexNet",
    "TorchvisionResNet18",
    "TorchvisionVgg16",
    "TorchvisionVgg16Bn",
    "Vgg16",
    "Vgg19",
]
