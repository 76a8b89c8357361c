"""Batches of a split: which images, in which order, on which device."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from clusterpress.data.images import Batch, Images
from clusterpress.errors import ConfigError

# Pixels of a batch that no training needs: 64 images of 224x224.
PIXELS = 64 * 224 * 224


def derived_seed(seed: int, *path: int) -> int:
    """Give a seed for one purpose (``path``: epoch, device, …) of a root seed; zero is a seed."""
    state = np.random.SeedSequence(seed, spawn_key=path).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


def fitting_batch(most: int, shape: Sequence[int]) -> int:
    """Give how many images to take at a time: ``most`` of small ones, fewer of large ones.

    A pass over images of 224x224 pixels then takes VGG-16 about 2 GB.

    Args:
        most: Images of up to 32x32 pixels.
        shape: Shape of one image: (C, H, W).
    """
    return max(1, min(most, PIXELS // (shape[-2] * shape[-1])))


@dataclass(frozen=True, eq=False)
class Batches:
    """An iterable of ``(images uint8 (B, C, H, W), labels int64 (B,))``; the last may be smaller.

    Attributes:
        split: The images.
        batch_size: Images a batch, over all devices together.
        order: Seed of the shuffle, or None for file order.
        rank: Which of the devices this is.
        world_size: Number of devices. A shuffled split is filled up with its first images until
            all devices get equally many; a split in file order is never filled up, so that
            every image counts once.
        drawn: Seed of the random crops of images in files, or None for images as they are
            tested.

    Raises:
        ConfigError: ``batch_size`` cannot be shared out evenly among the devices.
    """

    split: Images
    batch_size: int
    order: int | None = None
    rank: int = 0
    world_size: int = 1
    drawn: int | None = None

    def __post_init__(self) -> None:
        if self.batch_size % self.world_size:
            raise ConfigError(
                f"batch_size is {self.batch_size}, it must be a multiple of the "
                f"{self.world_size} devices that share each batch."
            )

    @property
    def _local_size(self) -> int:
        return self.batch_size // self.world_size

    def __len__(self) -> int:
        local = len(self.split) - (self.rank if self.order is None else 0)
        return math.ceil(math.ceil(local / self.world_size) / self._local_size)

    def __iter__(self) -> Iterator[Batch]:
        places = self._places()
        return self.split.batches(places.split(self._local_size) if len(places) else (), self.drawn)

    def _places(self) -> torch.Tensor:
        total = len(self.split)
        if self.order is None:
            return torch.arange(total)[self.rank :: self.world_size]
        places = torch.randperm(total, generator=torch.Generator().manual_seed(self.order))
        filling = torch.arange(-total % self.world_size) % total
        return torch.cat([places, places[filling]])[self.rank :: self.world_size]
