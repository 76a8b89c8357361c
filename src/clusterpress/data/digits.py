"""scikit-learn's 1,797 handwritten digits, which ship with a dependency: nothing to download."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from sklearn.datasets import load_digits

from clusterpress.data.images import ImageSet, Split, digest
from clusterpress.data.normalisation import Normalisation
from clusterpress.data.splitting import hold_out

TEST_SIZE = 450


@dataclass(frozen=True)
class Digits(Normalisation):
    """Optical recognition of handwritten digits (Alpaydin & Kaynak, UCI 1998), 8x8 pixels.

    scikit-learn ships the 1,797 images of the original's test part without an official split.
    Here 450 of them are the test set, chosen by the fixed stratified rule of
    ``splitting.stratified`` (writers may occur on both sides), the validation split by the same
    rule from what is left. Images are resized to 28x28 (bilinear) so that the LeNets take them.

    Attributes:
        validation: Images taken from the 1,347 that are not test.
    """

    version: ClassVar[int] = 1
    name: ClassVar[str] = "digits"
    classes: ClassVar[int] = 10
    shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)

    validation: int = 200

    def load(self, data_dir: Path | None = None, download: bool = True) -> ImageSet:
        """Load the images; both arguments are there for the other data sets' sake.

        Raises:
            ConfigError: ``validation`` leaves a class without training images.
        """
        del data_dir, download
        pixels, labels = load_digits(return_X_y=True)
        images = torch.from_numpy(resize(pixels.reshape(-1, 8, 8).astype(np.int64))).unsqueeze(1)
        everything = Split(images, torch.from_numpy(labels.astype(np.int64)))
        rest, test = hold_out(everything, TEST_SIZE)
        train, validation = hold_out(rest, self.validation)
        sha256 = digest(everything)
        return ImageSet(
            self.name, self.classes, train, validation, test, sha256, self.mean, self.std
        )


def resize(pixels: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Resize 8x8 images with values 0..16 to 28x28 uint8, bilinear, half-pixel centres.

    In integers, so that every machine gets the same bytes: output place i lies at input place
    (4i - 5) / 14, hence all weights are multiples of 1/14.
    """
    places = np.clip(4 * np.arange(28) - 5, 0, 7 * 14)
    lower = np.minimum(places // 14, 6)
    weights = np.zeros((28, 8), dtype=np.int64)
    weights[np.arange(28), lower] = 14 * (lower + 1) - places
    weights[np.arange(28), lower + 1] = places - 14 * lower
    enlarged = weights @ pixels @ weights.T  # 14 * 14 * 16 is white
    white = 14 * 14 * 16
    rounded: npt.NDArray[np.int64] = (2 * 255 * enlarged + white) // (2 * white)
    return rounded.astype(np.uint8)
