"""What trains in the benchmark: our loop, a bare one, and one over a DataLoader."""

import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from clusterpress.codes import Kernels, KernelSet, Masked, Shared, attach, weight_layers
from clusterpress.data.batches import Batches
from clusterpress.data.images import ImageSet, Split
from clusterpress.models import MODELS
from clusterpress.training.loop import train
from clusterpress.training.optimisers import build_optimizer
from clusterpress.training.recipe import Recipe

CENTERS = 32
KEPT = 0.1
KERNELS = {"shared kernels": (256, 1), "shared kernels, turned": (32, 8)}
"""Codes of 3x3 kernels: centroids of the network's one set, and transforms."""
BATCH = 128
_LR = 1e-7  # Nothing is to be learned, and nothing to diverge.


@dataclass(frozen=True)
class Task:
    """A network and the images of one timed pass.

    Attributes:
        network: What trains.
        images: Random images of the network's size; no validation.
        precision: ``32`` or ``bf16``.
        augmentation: As in a recipe.
    """

    network: nn.Module
    images: ImageSet
    precision: str = "32"
    augmentation: str = "none"

    @property
    def recipe(self) -> Recipe:
        """One epoch of plain SGD with momentum."""
        return Recipe(
            epochs=1,
            batch_size=BATCH,
            lr=_LR,
            schedule="constant",
            precision=self.precision,
            augmentation=self.augmentation,
        )


def random_images(shape: tuple[int, int, int], count: int) -> ImageSet:
    """Draw ``count`` training images of shape (C, H, W); the other splits are empty."""
    split = random_split(shape, count)
    none = Split(split.images[:0], split.labels[:0])
    return ImageSet("random", 10, split, none, none, sha256="")


def random_split(shape: tuple[int, int, int], count: int) -> Split:
    """Draw ``count`` images of shape (C, H, W) and their labels."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (count, *shape), generator=generator, dtype=torch.uint8)
    labels = torch.randint(10, (count,), generator=generator)
    return Split(images, labels)


def has_kernels(name: str) -> bool:
    """Whether a network has kernels of 3x3 that may be shared."""
    return any(layer.weight.shape[2:] == (3, 3) for _, layer in weight_layers(MODELS[name]()))


def network(name: str, code: str = "dense") -> nn.Module:
    """Make a network of random weights, held by a code: dense, shared, masked or ``KERNELS``."""
    torch.manual_seed(0)
    made = MODELS[name]()
    if code in KERNELS:
        _share_kernels(made, *KERNELS[code])
        return made
    for _, layer in list(weight_layers(made)) if code != "dense" else ():
        weight = layer.weight.detach()
        rank = max(1, round(weight.numel() * (1 - KEPT)))
        mask = weight.abs() > weight.abs().flatten().kthvalue(rank).values
        if code == "masked":
            attach(layer, "weight", Masked(mask), weight * mask)
        else:
            _share(layer, weight, mask if code == "masked, shared" else None)
    return made


def _share(layer: nn.Module, weight: torch.Tensor, mask: torch.Tensor | None) -> None:
    values = weight.flatten() if mask is None else weight[mask]
    codebook = torch.linspace(float(values.min()), float(values.max()), CENTERS)
    labels = torch.bucketize(values, (codebook[1:] + codebook[:-1]) / 2)
    attach(layer, "weight", Shared(labels, tuple(weight.shape), mask), codebook)


def _share_kernels(made: nn.Module, centroids: int, transforms: int) -> None:
    kernel_set = KernelSet(torch.randn(centroids, 9) / 100)
    for _, layer in list(weight_layers(made)):
        shape = tuple(layer.weight.shape)
        if shape[2:] == (3, 3):
            turns = None if transforms == 1 else torch.randint(transforms, shape[:2])
            labels = torch.randint(centroids, shape[:2])
            code = Kernels(labels, kernel_set, shape, transforms=turns)
            attach(layer, "weight", code, torch.ones(shape[:2]))


def ours(task: Task) -> float:
    """Give the seconds of an epoch in clusterpress's loop."""
    return train(task.network, task.images, task.recipe, seed=0).seconds


def bare(task: Task) -> float:
    """Give the seconds of the same steps in the shortest loop that PyTorch allows."""
    batches = Batches(task.images.train, BATCH, order=0)
    return _loop(task, ((task.images.normalize(images), labels) for images, labels in batches))


def compiled(task: Task) -> float:
    """Give the seconds of the bare loop over the network as ``torch.compile`` makes it."""
    return bare(Task(_compiled(task.network), task.images, task.precision))


def _compiled(module: nn.Module) -> nn.Module:
    made: nn.Module = torch.compile(module)  # type: ignore[assignment]
    return made


def over_workers(workers: int) -> Callable[[Task], float]:
    """Give the loop over ``DataLoader`` and torchvision's transforms, image by image."""

    def loop(task: Task) -> float:
        from torch.utils.data import DataLoader
        from torchvision import transforms

        channels, size, _ = task.images.shape
        steps = [
            transforms.ToPILImage(),
            transforms.RandomCrop(size, padding=task.recipe.shift),
            transforms.ToTensor(),
            transforms.Normalize((0.5,) * channels, (0.5,) * channels),
        ]
        assert isinstance(task.images.train, Split)
        dataset = _Images(task.images.train, transforms.Compose(steps))
        return _loop(task, DataLoader(dataset, BATCH, shuffle=True, num_workers=workers))

    return loop


class _Images(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
    """Images one by one, as torchvision's own data sets give them."""

    def __init__(self, split: Split, transform: Callable[..., torch.Tensor]) -> None:
        self.images = np.moveaxis(split.images.numpy(), 1, -1)
        self.labels = split.labels.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(self.images[index]), self.labels[index]


def _loop(task: Task, batches: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> float:
    task.network.train()
    optimizer = build_optimizer(task.network.parameters(), task.recipe)
    start = time.perf_counter()
    for images, labels in batches:
        optimizer.zero_grad()
        half = torch.autocast("cpu", torch.bfloat16) if task.precision == "bf16" else nullcontext()
        with half:
            loss = cross_entropy(task.network(images), labels)
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start
