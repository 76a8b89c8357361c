"""MNIST and Fashion-MNIST through torchvision, with every failure as one sentence."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torchvision import datasets

from clusterpress.data.files import check_sizes, fetch, find_folder, missing_files, reading
from clusterpress.data.images import ImageSet, Split, digest
from clusterpress.data.splitting import hold_out
from clusterpress.errors import DataError

SIZES = {
    "train-images-idx3-ubyte": 16 + 60_000 * 28 * 28,
    "train-labels-idx1-ubyte": 8 + 60_000,
    "t10k-images-idx3-ubyte": 16 + 10_000 * 28 * 28,
    "t10k-labels-idx1-ubyte": 8 + 10_000,
}


@dataclass(frozen=True)
class Mnist:
    """MNIST (LeCun et al. 1998): 60,000 and 10,000 handwritten digits, 28x28 pixels.

    Attributes:
        validation: Images taken from the 60,000 by the fixed rule of ``splitting.stratified``;
            0 trains on all of them.
    """

    version: ClassVar[int] = 1
    name: ClassVar[str] = "mnist"
    classes: ClassVar[int] = 10
    shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)
    sha256: ClassVar[str] = "e0130f111822ed58de3ba94ad450971c80ee446d2ff4d08e2b4c8e8be16eae50"
    source: ClassVar[type[datasets.MNIST]] = datasets.MNIST

    validation: int = 5000

    def load(self, data_dir: Path | None = None, download: bool = True) -> ImageSet:
        """Load the images from ``<data_dir>/<MNIST|FashionMNIST>/raw``, torchvision's layout.

        Args:
            data_dir: Folder of all data sets; default ``files.find_folder``.
            download: Let torchvision fetch missing files (with its checksums).

        Raises:
            ConfigError: ``validation`` leaves a class without training images.
            DataError: Files are missing and cannot be fetched, unreadable, truncated or others
                than the official ones.
        """
        root = find_folder(data_dir)
        raw = root / self.source.__name__ / "raw"
        if missing_files(raw, SIZES):
            fetch(self.source, root, SIZES, download=download)
        check_sizes(raw, SIZES)
        with reading(raw):
            train, test = (_split(self.source(root, train=part)) for part in (True, False))
        found = digest(train, test)
        if found != self.sha256:
            raise DataError(
                f"The files in {raw} are not the official {self.source.__name__}: the SHA-256 of "
                f"their content is {found}, it should be {self.sha256}; remove them and fetch "
                "them again."
            )
        train, validation = hold_out(train, self.validation)
        return ImageSet(self.name, self.classes, train, validation, test, found)


@dataclass(frozen=True)
class FashionMnist(Mnist):
    """Fashion-MNIST (Xiao et al. 2017): 60,000 and 10,000 pictures of clothes, 28x28 pixels.

    Attributes:
        validation: As for ``Mnist``.
    """

    name: ClassVar[str] = "fashion_mnist"
    sha256: ClassVar[str] = "a06d3266794aa0147787f49603795ec5e8a32fac55270d9b4ac38d415b342e8c"
    source: ClassVar[type[datasets.MNIST]] = datasets.FashionMNIST


def _split(data: datasets.MNIST) -> Split:
    labels = torch.from_numpy(data.targets.numpy().astype(np.int64))
    return Split(data.data.unsqueeze(1), labels)
