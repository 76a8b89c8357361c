"""Several processes for one training (PyTorch's DistributedDataParallel)."""

import atexit
import contextlib
import os
import sys
import tempfile
import threading
from typing import Any, NoReturn

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
        """Do what a process is for, and let it leave; one that failed ends as any does."""
        super()._wrapping_function(*args, **kwargs)
        leave()


def leave() -> NoReturn:
    """End this process, successfully, without taking Python down.

    Gloo's threads let go of the last tensors when they come to it, and abort a process whose
    Python is being taken down by then (told of in pull request 179291 of pytorch, not merged).
    What others do at the exit is done before, in Python's own order: threads end, and pools with
    them, then come the exit handlers, then what was printed; none of it makes this a failure.
    """
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()  # As multiprocessing itself does from Python 3.14 on.
    finally:
        for stream in (sys.stdout, sys.stderr):
            # A daemon has none, and who read them may be gone.
            with contextlib.suppress(AttributeError, OSError, ValueError):
                stream.flush()
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

    And the training's own folder for temporary files, in which Lightning leaves an empty one.

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
            tempfile.tempdir = trainer.default_root_dir
            torch.manual_seed(derived_seed(self.seed, DROPOUT, trainer.global_rank))
