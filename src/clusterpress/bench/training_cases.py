"""The cases of training: our loop against others, coded networks against dense ones."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import torch
from rich.console import Console

from clusterpress.bench.rows import Row, cores, versions
from clusterpress.bench.training_loops import (
    BATCH,
    KERNELS,
    Task,
    bare,
    compiled,
    has_kernels,
    network,
    ours,
    over_workers,
    random_images,
    random_split,
)
from clusterpress.data.augmentation import augment

OURS, BARE = "clusterpress", "bare PyTorch loop"
ALONE, WORKERS = "DataLoader, no workers", "DataLoader, a worker a core"
BATCHED, SINGLY = "clusterpress, whole batches", "torchvision, image by image"
SHAPES = {"lenet300_100": (1, 28, 28), "lenet5": (1, 28, 28)}
CIFAR = (3, 32, 32)
BY_PRECISION = ("lenet5", "vgg16", "resnet18")
FLOATS = ("32", "bf16")
COMPILED = ", compiled"
CODES = ("dense", "shared", "masked", "masked, shared")
LOOPS, LOADING, PRECISIONS, STEPS, AUGMENTING = (
    *("loop", "augmented loop", "loop by precision", "step by code", "augmentation"),
)
_PACKAGES = ("torch", "torchvision", "pytorch-lightning", "clusterpress")


@dataclass(frozen=True)
class Sizes:
    """Batches of a timed pass by network, rounds, and how many images are augmented."""

    batches: Mapping[str, int]
    rounds: int = 5
    augmented: int = 10_240


FULL = Sizes(
    {"lenet300_100": 200, "lenet5": 100, "alexnet32": 6, "vgg16": 6, "resnet18": 3}, rounds=3
)
QUICK = Sizes({"lenet300_100": 2, "lenet5": 1}, rounds=1, augmented=128)


@dataclass
class Bench:
    """Measures works in turns and keeps a row for each."""

    sizes: Sizes
    console: Console
    hardware: str
    rows: list[Row] = field(default_factory=list)

    def compare(self, case: str, count: int, works: Mapping[str, Callable[[], float]]) -> None:
        """Time works on ``count`` images each, one after the other in every round.

        One untimed turn compiles and warms up; a work that fails there is left out. What counts
        is the best of the rounds: what else the machine does only ever adds to a time.
        """
        times: dict[str, list[float]] = {}
        for name, work in works.items():
            try:
                work()
            except Exception as error:  # Whatever another library raises: the others go on.
                self.console.print(f"{case}: {name} skipped: {type(error).__name__}: {error}")
            else:
                times[name] = []
        for _ in range(self.sizes.rounds):
            for name, found in times.items():
                found.append(works[name]())
        for name, found in times.items():
            self._add(case, name, count, found)

    def _add(self, case: str, name: str, count: int, times: list[float]) -> None:
        seconds = min(times)
        self.console.print(f"{case}: {name} {count / seconds:,.0f} images/s")
        threads = f"threads of torch {torch.get_num_threads()}"
        known = f"{versions(_PACKAGES)}; processor {self.hardware}; {threads}"
        row = (case, name, count, BATCH, None, seconds, None, None, cores(), known, len(times))
        self.rows.append(Row(*row))


def _count(bench: Bench, name: str) -> int:
    return bench.sizes.batches[name] * BATCH


def _task(bench: Bench, name: str, code: str = "dense", precision: str = "32") -> Task:
    images = random_images(SHAPES.get(name, CIFAR), _count(bench, name))
    return Task(network(name, code), images, precision)


def loops(bench: Bench) -> None:
    """Train in our loop and in a bare one."""
    for name in bench.sizes.batches:
        works = {
            OURS: partial(ours, _task(bench, name)),
            BARE: partial(bare, _task(bench, name)),
        }
        bench.compare(f"{LOOPS}, {name}", _count(bench, name), works)


def loading(bench: Bench) -> None:
    """Train on shifted images, shifted as a batch or each by torchvision in a DataLoader.

    Both in float32 and in bfloat16, where less of a step is the network's.
    """
    name = "lenet5"
    images = _task(bench, name).images
    kinds = {OURS: ours, ALONE: over_workers(0), WORKERS: over_workers(cores())}
    works = {
        f"{kind}, {precision}": partial(loop, Task(network(name), images, precision, "shift"))
        for precision in FLOATS
        for kind, loop in kinds.items()
    }
    bench.compare(f"{LOADING}, {name}", _count(bench, name), works)


def precisions(bench: Bench) -> None:
    """Train in float32 and in bfloat16, which some processors emulate, compiled or not."""
    for name in (each for each in BY_PRECISION if each in bench.sizes.batches):
        works = {
            f"{who}, {precision}{suffix}": partial(loop, _task(bench, name, precision=precision))
            for who, loop, suffix in (
                (OURS, ours, ""),
                (BARE, bare, ""),
                (BARE, compiled, COMPILED),
            )
            for precision in FLOATS
        }
        bench.compare(f"{PRECISIONS}, {name}", _count(bench, name), works)


def steps(bench: Bench) -> None:
    """Train dense networks and the same ones with shared and masked weights, and shared kernels."""
    for name in bench.sizes.batches:
        codes = (*CODES, *KERNELS) if has_kernels(name) else CODES
        works = {code: partial(bare, _task(bench, name, code)) for code in codes}
        bench.compare(f"{STEPS}, {name}", _count(bench, name), works)


def augmenting(bench: Bench) -> None:
    """Crop and flip CIFAR's size of images, by the batch or one by one."""
    count = bench.sizes.augmented
    images = random_split(CIFAR, count).images
    works = {BATCHED: partial(_batched, images), SINGLY: partial(_singly, images)}
    bench.compare(AUGMENTING, count, works)


def _batched(images: torch.Tensor) -> float:
    generator = torch.Generator().manual_seed(0)
    start = time.perf_counter()
    for batch in images.split(BATCH):
        augment(batch, "shift_flip", 4, generator)
    return time.perf_counter() - start


def _singly(images: torch.Tensor) -> float:
    from torchvision import transforms

    alike = [transforms.RandomCrop(images.shape[-1], padding=4), transforms.RandomHorizontalFlip()]
    transform = transforms.Compose(alike)
    start = time.perf_counter()
    for image in images:
        transform(image)
    return time.perf_counter() - start
