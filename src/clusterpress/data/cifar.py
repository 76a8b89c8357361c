"""CIFAR-10 and CIFAR-100."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torchvision import datasets

from clusterpress.data.images import Split
from clusterpress.data.official import OfficialData


@dataclass(frozen=True)
class Cifar10(OfficialData):
    """CIFAR-10 (Krizhevsky 2009): 50,000 and 10,000 photographs of 10 classes, 32x32 pixels."""

    version: ClassVar[int] = 1
    name: ClassVar[str] = "cifar10"
    classes: ClassVar[int] = 10
    shape: ClassVar[tuple[int, int, int]] = (3, 32, 32)
    source: ClassVar[type[Any]] = datasets.CIFAR10
    place: ClassVar[str] = "cifar-10-batches-py"
    sizes: ClassVar[Mapping[str, int]] = {
        "batches.meta": 158,
        "data_batch_1": 31_035_704,
        "data_batch_2": 31_035_320,
        "data_batch_3": 31_035_999,
        "data_batch_4": 31_035_696,
        "data_batch_5": 31_035_623,
        "test_batch": 31_035_526,
    }
    sha256: ClassVar[str] = "088db17c50ddf8b6d4ae26627291c330435e1f1bd0f0f70db194a685896d7abd"

    @staticmethod
    def split(data: Any) -> Split:
        """Give the images and labels that torchvision's class holds."""
        # torchvision turns the stored (N, 3, 32, 32) to (N, 32, 32, 3); this turns it back.
        images = np.ascontiguousarray(data.data.transpose(0, 3, 1, 2))
        return Split(torch.from_numpy(images), torch.tensor(data.targets, dtype=torch.int64))


@dataclass(frozen=True)
class Cifar100(Cifar10):
    """CIFAR-100 (Krizhevsky 2009): as CIFAR-10, of 100 classes."""

    name: ClassVar[str] = "cifar100"
    classes: ClassVar[int] = 100
    source: ClassVar[type[Any]] = datasets.CIFAR100
    place: ClassVar[str] = "cifar-100-python"
    sizes: ClassVar[Mapping[str, int]] = {"meta": 1_473, "train": 155_249_918, "test": 31_049_707}
    sha256: ClassVar[str] = "4ec76184412ef58723bcb458e1cec84a30cf0ba7aab1200cf1b630ae839d37eb"
