"""ImageNet (ILSVRC 2012), read from its files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from clusterpress.data.devkit import flat_images, read_flat
from clusterpress.data.file_images import FileSplit, Reading
from clusterpress.data.files import VARIABLE, find_folder
from clusterpress.data.folders import class_names, listing_digest, read_classes
from clusterpress.data.images import ImageSet
from clusterpress.data.normalisation import Normalisation
from clusterpress.data.splitting import hold_out
from clusterpress.errors import ConfigError, DataError

# Of the training images, as torchvision's networks were trained.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
TRAIN, TEST = "train", "val"


@dataclass(frozen=True, kw_only=True)
class Imagenet(Normalisation):
    """ILSVRC 2012 (Russakovsky et al. 2015): 1,281,167 and 50,000 photographs of 1000 classes.

    The folder holds ``train`` with a folder for each class, and ``val`` either likewise or as it
    is distributed: flat, with the development kit beside it. Labels are the places of the sorted
    WordNet names. The official validation images are the test set; the validation split is
    taken from the training images.

    Attributes:
        validation: Images taken from the training part by the rule of ``splitting.stratified``.
        workers: Processes that decode images. No part of a run's identity: they change nothing.

    Raises:
        ConfigError: A setting is outside its range.
    """

    version: ClassVar[int] = 1
    name: ClassVar[str] = "imagenet"
    classes: ClassVar[int] = 1000
    shape: ClassVar[tuple[int, int, int]] = (3, 224, 224)
    place: ClassVar[str] = "imagenet"
    counts: ClassVar[Mapping[str, int]] = {TRAIN: 1_281_167, TEST: 50_000}
    incidental: ClassVar[frozenset[str]] = frozenset({"workers"})

    validation: int = 50_000
    workers: int = 4
    mean: tuple[float, ...] = MEAN
    std: tuple[float, ...] = STD

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.mean and self.std):
            raise ConfigError("mean and std of imagenet must be given, three numbers each.")
        for name in ("validation", "workers"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ConfigError(f"{name} is {value!r}, it must be a whole number from 0 on.")

    def load(self, data_dir: Path | None = None, download: bool = True) -> ImageSet:
        """List the images in ``<data_dir>/imagenet``; none is read.

        Args:
            data_dir: Folder of all data sets; default ``files.find_folder``.
            download: There for the other data sets' sake: ImageNet cannot be fetched.

        Raises:
            ConfigError: ``validation`` leaves a class without training images.
            DataError: Folders, images or labels are missing.
        """
        del download
        folder = find_folder(data_dir) / self.place
        _check_folders(folder)
        train, test = self._train(folder / TRAIN), self._test(folder)
        for name, split in ((TRAIN, train), (TEST, test)):
            if len(split) != self.counts[name]:
                raise DataError(
                    f"{folder / name} has {len(split):,} images, ImageNet's has "
                    f"{self.counts[name]:,}: some are missing or do not belong there."
                )
        sha256 = listing_digest(train, test)
        rest, validation = hold_out(train, self.validation)
        return ImageSet(
            self.name, self.classes, rest, validation, test, sha256, self.mean, self.std
        )

    def _train(self, folder: Path) -> FileSplit:
        names = class_names(folder)
        if len(names) != self.classes:
            raise DataError(
                f"{folder} has {len(names)} folders of classes, ImageNet has {self.classes}."
            )
        return read_classes(folder, names, Reading(), self.workers)

    def _test(self, folder: Path) -> FileSplit:
        names = class_names(folder / TRAIN)
        if flat_images(folder / TEST):
            return read_flat(folder / TEST, Reading(), self.workers, names)
        return read_classes(folder / TEST, names, Reading(), self.workers)


def _check_folders(folder: Path) -> None:
    missing = [name for name in (TRAIN, TEST) if not (folder / name).is_dir()]
    if missing:
        raise DataError(
            f"ImageNet is missing: {' and '.join(missing)} not found in {folder}; set {VARIABLE} "
            f"or data_dir to a folder that holds imagenet/{TRAIN} (a folder for each class) and "
            f"imagenet/{TEST} (likewise, or flat with the development kit beside it). The images "
            "cannot be fetched from here: image-net.org gives them to those who ask for them."
        )
