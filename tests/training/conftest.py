"""A small image set that a linear network learns in a few steps."""

import pytest
import torch
from torch import nn

from clusterpress.data.images import ImageSet, Split


def _split(count: int, seed: int) -> Split:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(4, (count,), generator=generator)
    images = torch.randint(180, (count, 1, 8, 8), generator=generator, dtype=torch.uint8)
    rows = 2 * labels
    images[torch.arange(count), 0, rows] += 70
    return Split(images, labels)


@pytest.fixture(scope="session")
def images() -> ImageSet:
    return ImageSet("stripes", 4, _split(170, 0), _split(60, 1), _split(60, 2), sha256="")


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 4))
