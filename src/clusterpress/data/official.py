"""Data sets with an official train and test part, read through torchvision."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from clusterpress.data.files import (
    check_digest,
    check_sizes,
    fetch,
    find_folder,
    missing_files,
    reading,
)
from clusterpress.data.images import ImageSet, Split, digest
from clusterpress.data.normalisation import Normalisation
from clusterpress.data.splitting import hold_out


@dataclass(frozen=True)
class OfficialData(Normalisation):
    """A data set of ``torchvision.datasets``, with every failure as one sentence.

    A subclass says what the files are and how torchvision's arrays become a ``Split``.

    Attributes:
        validation: Images taken from the official training part by the fixed rule of
            ``splitting.stratified``; 0 trains on all of them.
    """

    name: ClassVar[str]
    classes: ClassVar[int]
    source: ClassVar[type[Any]]
    """Class in ``torchvision.datasets``."""
    place: ClassVar[str]
    """Folder of the files inside the folder of all data sets, as torchvision lays them out."""
    sizes: ClassVar[Mapping[str, int]]
    """Bytes of every unpacked file, by name."""
    sha256: ClassVar[str]
    """Digest of the images and labels of both parts."""

    validation: int = 5000

    @staticmethod
    @abstractmethod
    def split(data: Any) -> Split:
        """Give the images and labels that a torchvision data set holds."""

    def load(self, data_dir: Path | None = None, download: bool = True) -> ImageSet:
        """Load the images from ``<data_dir>/<place>``.

        Args:
            data_dir: Folder of all data sets; default ``files.find_folder``.
            download: Let torchvision fetch missing files (with its checksums).

        Raises:
            ConfigError: ``validation`` leaves a class without training images.
            DataError: Files are missing and cannot be fetched, unreadable, truncated or others
                than the official ones.
        """
        root = find_folder(data_dir)
        folder = root / self.place
        if missing_files(folder, self.sizes):
            fetch(self.source, root, self.place, self.sizes, download=download)
        check_sizes(folder, self.sizes)
        with reading(folder):
            train, test = (self.split(self.source(root, train=part)) for part in (True, False))
        check_digest(folder, digest(train, test), self.sha256)
        train, validation = hold_out(train, self.validation)
        return ImageSet(
            self.name, self.classes, train, validation, test, self.sha256, self.mean, self.std
        )
