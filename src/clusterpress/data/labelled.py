"""Any folder of labelled photographs, for scoring networks on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from clusterpress.data.devkit import flat_images, read_flat
from clusterpress.data.file_images import FileSplit, Reading
from clusterpress.data.folders import class_names, read_classes
from clusterpress.data.images import normalized
from clusterpress.data.normalisation import check_channels
from clusterpress.errors import ConfigError, DataError


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Photographs with labels, and how networks want them.

    Attributes:
        name: The folder, for messages.
        split: The images.
        classes: Number of classes.
        mean: Subtracted from every channel, in units of 255.
        std: Divides every channel, in units of 255.

    Raises:
        ConfigError: ``mean`` or ``std`` do not fit the channels.
    """

    name: str
    split: FileSplit
    classes: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        check_channels(self.mean, self.std, self.split.reading.channels)

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        """Give uint8 images (N, C, H, W) as float32, normalised; see ``images.normalized``."""
        return normalized(images, self.mean, self.std)


def read_labelled(
    folder: Path,
    reading: Reading,
    *,
    mean: Sequence[float],
    std: Sequence[float],
    classes: Sequence[str] = (),
    workers: int = 0,
) -> LabelledImages:
    """List the images of a folder: by class, or ImageNet's flat validation images.

    Args:
        folder: Holds a folder for each class, or ``ILSVRC2012_val_*.JPEG`` with the development
            kit in it or beside it.
        reading: How an image is read.
        mean: Subtracted from every channel, in units of 255.
        std: Divides every channel, in units of 255.
        classes: Names of the classes' folders in the order of a network's outputs; classes
            without a folder have no image. Empty: the folders, sorted, are the classes.
        workers: Processes that decode.

    Raises:
        DataError: There are no images, or they are not labelled.
        ConfigError: ``mean`` or ``std`` do not fit the channels, or ``classes`` is given for flat
            images.
    """
    found = class_names(folder)
    if not found and flat_images(folder):
        if classes:
            raise ConfigError(
                f"a list of classes is for folders of classes; the images in {folder} lie flat, "
                "and their classes are in the order of their sorted WordNet names"
            )
        split, number = read_flat(folder, reading, workers), 1000
    elif found:
        split, number = _by_class(folder, found, reading, workers, classes)
    else:
        raise DataError(
            f"{folder} holds neither a folder for each class nor ILSVRC2012_val_*.JPEG, so there "
            "is no labelled image in it."
        )
    return LabelledImages(str(folder), split, number, tuple(mean), tuple(std))


def _by_class(
    folder: Path, found: list[str], reading: Reading, workers: int, classes: Sequence[str]
) -> tuple[FileSplit, int]:
    if not classes:
        return read_classes(folder, found, reading, workers), len(found)
    unknown = sorted(set(found) - set(classes))
    if unknown:
        raise DataError(f"The list of classes lacks {unknown[0]!r}, a folder in {folder}.")
    split = read_classes(folder, [name for name in classes if name in found], reading, workers)
    places = torch.tensor([place for place, name in enumerate(classes) if name in found])
    labels = places[split.labels]
    return FileSplit(split.root, split.names, labels, reading, workers), len(classes)
