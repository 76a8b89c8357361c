"""Images that stay in their files: decoded batch by batch, by worker processes."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, UnidentifiedImageError
from torch.utils.data import DataLoader
from torchvision.transforms import RandomResizedCrop
from torchvision.transforms import functional as move

from clusterpress.data.batches import derived_seed
from clusterpress.data.images import Batch
from clusterpress.errors import DataError

MODES = {1: "L", 3: "RGB"}
UNREADABLE = (UnidentifiedImageError, Image.DecompressionBombError)
# Share of the area and shape of a random crop (Szegedy et al. 2015), torchvision's defaults.
AREA, ASPECT = (0.08, 1.0), (3 / 4, 4 / 3)


@dataclass(frozen=True)
class Reading:
    """How an image of any size becomes one of a network's size.

    Attributes:
        channels: 3 for colour, 1 for grey.
        resize: Length in pixels that the shorter side is resized to for testing.
        crop: Side in pixels of the square that is cut out of the middle, or at random.
    """

    channels: int = 3
    resize: int = 256
    crop: int = 224

    def read(self, path: Path, drawn: int | None) -> torch.Tensor:
        """Read an image, uint8, shape (channels, crop, crop).

        Args:
            path: The file.
            drawn: None resizes the shorter side and cuts out the middle; a seed cuts out a random
                part, resizes it and mirrors it every other time. Both interpolate bilinearly
                with antialiasing, as torchvision's networks were trained and tested. As there,
                an orientation in the file's EXIF is not applied.

        Raises:
            DataError: The file is no image that can be decoded.
        """
        try:
            with Image.open(path) as file:
                _require_bytes(file)
                image = file.convert(MODES[self.channels])
        except (*UNREADABLE, OSError, ValueError, SyntaxError) as error:
            reason = str(error).strip() or type(error).__name__
            raise DataError(f"{path} is no image that can be decoded: {reason}.") from error
        pixels: torch.Tensor = move.pil_to_tensor(
            move.center_crop(move.resize(image, self.resize), [self.crop, self.crop])
            if drawn is None
            else self._drawn(image, drawn)
        )
        return pixels

    def _drawn(self, image: Image.Image, seed: int) -> Image.Image:
        with torch.random.fork_rng(devices=[]):
            # torchvision draws from the CPU's global generator; no other one is to be touched.
            torch.default_generator.manual_seed(seed)
            box = RandomResizedCrop.get_params(image, list(AREA), list(ASPECT))
            turned = bool(torch.rand(()) < 0.5)
        cut: Image.Image = move.resized_crop(image, *box, [self.crop, self.crop])
        return move.hflip(cut) if turned else cut


@dataclass(frozen=True, eq=False)
class FileSplit:
    """Images in files, with their labels. What is read is the same with any number of workers.

    Attributes:
        root: Folder that the names start from.
        names: Files as bytes (``os.fsencode``), shape (N,): one array, which worker processes
            share without copying it.
        labels: Classes, int64, shape (N,).
        reading: How an image is read.
        workers: Processes that decode; 0 decodes in the calling one.
    """

    root: Path
    names: npt.NDArray[np.bytes_]
    labels: torch.Tensor
    reading: Reading = Reading()
    workers: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image as it is read: (C, H, W)."""
        return (self.reading.channels, self.reading.crop, self.reading.crop)

    @property
    def crops(self) -> bool:
        """Yes: random parts of any image can be read."""
        return True

    def path(self, place: int) -> Path:
        """Give the file of image ``place``."""
        return self.root / os.fsdecode(self.names[place])

    def take(self, index: npt.NDArray[np.int64]) -> "FileSplit":
        """Give the images at ``index``, in that order."""
        labels = self.labels[torch.from_numpy(index)]
        return FileSplit(self.root, self.names[index], labels, self.reading, self.workers)

    def batches(self, places: Sequence[torch.Tensor], drawn: int | None) -> Iterator[Batch]:
        """Give a batch for every list of places; each image's crop depends on seed and place alone.

        Raises:
            DataError: A file cannot be decoded.
        """
        reader: DataLoader[torch.Tensor | str] = DataLoader(
            _Reader(self, drawn),
            batch_sampler=[index.tolist() for index in places],
            num_workers=self.workers,
            multiprocessing_context=_context() if self.workers else None,
            collate_fn=_unchanged,
            # Without one of its own it would draw from the global generator.
            generator=torch.Generator().manual_seed(0),
        )
        for index, images in zip(places, reader, strict=True):
            if isinstance(images, str):
                raise DataError(images)
            yield images, self.labels.index_select(0, index)


@dataclass(frozen=True, eq=False)
class _Reader(torch.utils.data.Dataset[torch.Tensor | str]):
    """Gives DataLoader whole batches; an error as its sentence, which no traceback surrounds."""

    split: FileSplit
    drawn: int | None

    def __len__(self) -> int:
        return len(self.split)

    def __getitems__(self, places: list[int]) -> torch.Tensor | str:
        try:
            return torch.stack([self._image(place) for place in places])
        except DataError as error:
            return str(error)

    def _image(self, place: int) -> torch.Tensor:
        seed = None if self.drawn is None else derived_seed(self.drawn, place)
        return self.split.reading.read(self.split.path(place), seed)


def _require_bytes(image: Image.Image) -> None:
    """Refuse pixels of more than a byte a channel, which Pillow would cut off at 255, not scale."""
    if image.mode.startswith(("I", "F")):
        raise ValueError(f"its pixels are of mode {image.mode}, they must have 8 bits a channel")


def _context() -> BaseContext | None:
    """Give how worker processes start; None for the system's way.

    One of several processes that train together has threads that wait for the others. Workers
    forked from it were seen to stall, so there a clean process is started, which forks them.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return None
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _unchanged(batch: Any) -> Any:
    return batch
