"""MNIST and Fashion-MNIST."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torchvision import datasets

from clusterpress.data.images import Split
from clusterpress.data.official import OfficialData

SIZES = {
    "train-images-idx3-ubyte": 16 + 60_000 * 28 * 28,
    "train-labels-idx1-ubyte": 8 + 60_000,
    "t10k-images-idx3-ubyte": 16 + 10_000 * 28 * 28,
    "t10k-labels-idx1-ubyte": 8 + 10_000,
}


@dataclass(frozen=True)
class Mnist(OfficialData):
    """MNIST (LeCun et al. 1998): 60,000 and 10,000 handwritten digits, 28x28 pixels."""

    version: ClassVar[int] = 1
    name: ClassVar[str] = "mnist"
    classes: ClassVar[int] = 10
    shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)
    source: ClassVar[type[Any]] = datasets.MNIST
    place: ClassVar[str] = "MNIST/raw"
    sizes: ClassVar[Mapping[str, int]] = SIZES
    sha256: ClassVar[str] = "e0130f111822ed58de3ba94ad450971c80ee446d2ff4d08e2b4c8e8be16eae50"

    @staticmethod
    def split(data: Any) -> Split:
        """Give the images and labels that torchvision's class holds."""
        labels = torch.from_numpy(data.targets.numpy().astype(np.int64))
        return Split(data.data.unsqueeze(1), labels)


@dataclass(frozen=True)
class FashionMnist(Mnist):
    """Fashion-MNIST (Xiao et al. 2017): 60,000 and 10,000 pictures of clothes, 28x28 pixels."""

    name: ClassVar[str] = "fashion_mnist"
    source: ClassVar[type[Any]] = datasets.FashionMNIST
    place: ClassVar[str] = "FashionMNIST/raw"
    sha256: ClassVar[str] = "a06d3266794aa0147787f49603795ec5e8a32fac55270d9b4ac38d415b342e8c"
