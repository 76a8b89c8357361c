"""Several processes for one training (PyTorch's DistributedDataParallel)."""

import atexit
import os
import sys
from threading import Event
from typing import Any

import torch
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.strategies import DDPStrategy
from pytorch_lightning.strategies.launchers.multiprocessing import _MultiProcessingLauncher

from clusterpress.data.batches import derived_seed
from clusterpress.memory import keep_freed_memory

DROPOUT = 2


class _Launcher(_MultiProcessingLauncher):
    """Lightning's launcher, of a class that belongs to this package.

    A fresh process begins by unpickling it, and so imports clusterpress before Lightning: what
    torchvision lacks beside a CPU-only torch must be declared first (``operators``).
    """

    def _wrapping_function(self, *args: Any, **kwargs: Any) -> None:
        """Do what a process is for, and let it leave without taking Python down."""
        done = Event()
        atexit.register(leave, done)  # Before the others, as the first one runs last.
        super()._wrapping_function(*args, **kwargs)
        done.set()


def leave(done: Event) -> None:
    """End the process here and now, successfully, if it did what it is for.

    Gloo's threads let go of the last tensors when they come to it; where Python is being taken
    down by then, they abort the process (pytorch issue 179291 tells why). A process that failed
    ends as any does, with its own status.

    Args:
        done: Set once nothing can fail any more.
    """
    if done.is_set():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


class FreshProcesses(DDPStrategy):
    """Fresh processes for the training alone.

    A relaunch of the whole command in every process, Lightning's other way, would wait for itself
    at the store's locks.
    """

    def __init__(self) -> None:
        super().__init__(start_method="spawn")

    def _configure_launcher(self) -> None:
        self._launcher = _Launcher(self, start_method="spawn")


class SeededProcesses(Callback):
    """Gives every process of its own what the caller's has: dropout's seed, and its memory's way.

    Args:
        seed: Root seed of the training.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Seed, before a stopped training's own state would be restored."""
        del pl_module, stage
        if trainer.world_size > 1:
            keep_freed_memory()  # To its end, which is that of the training.
            torch.manual_seed(derived_seed(self.seed, DROPOUT, trainer.global_rank))
