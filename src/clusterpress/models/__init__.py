"""The architectures, by the names that configs and artifacts use."""

from torch import nn

from clusterpress.models.lenet import LeNet5, LeNet300_100

MODELS: dict[str, type[nn.Module]] = {"lenet300_100": LeNet300_100, "lenet5": LeNet5}

__all__ = ["MODELS", "LeNet5", "LeNet300_100"]
