"""Batches of a split that lies in memory: one index_select a batch, no workers."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from clusterpress.data.images import Split
from clusterpress.errors import ConfigError


def derived_seed(seed: int, *path: int) -> int:
    """Give a seed for one purpose (``path``: epoch, device, …) of a root seed; zero is a seed."""
    state = np.random.SeedSequence(seed, spawn_key=path).generate_state(1, np.uint64)
    return int(state[0] >> np.uint64(1))


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

    Raises:
        ConfigError: ``batch_size`` cannot be shared out evenly among the devices.
    """

    split: Split
    batch_size: int
    order: int | None = None
    rank: int = 0
    world_size: int = 1

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

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        places = self._places()
        for start in range(0, len(places), self._local_size):
            index = places[start : start + self._local_size]
            yield self.split.images.index_select(0, index), self.split.labels.index_select(0, index)

    def _places(self) -> torch.Tensor:
        total = len(self.split)
        if self.order is None:
            return torch.arange(total)[self.rank :: self.world_size]
        places = torch.randperm(total, generator=torch.Generator().manual_seed(self.order))
        filling = torch.arange(-total % self.world_size) % total
        return torch.cat([places, places[filling]])[self.rank :: self.world_size]
