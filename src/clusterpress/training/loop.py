"""Train a network in place with Lightning, quietly and without litter."""

import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback, RichProgressBar
from pytorch_lightning.loggers import Logger
from torch import nn

from clusterpress.data.batches import derived_seed
from clusterpress.data.datamodule import ImageDataModule
from clusterpress.data.images import ImageSet
from clusterpress.errors import ConfigError
from clusterpress.memory import keeping_freed_memory
from clusterpress.training.checkpoints import Checkpoints, Way, checked, ways_from
from clusterpress.training.convolutions import as_products
from clusterpress.training.devices import DROPOUT, FreshProcesses, SeededProcesses
from clusterpress.training.module import Classifier
from clusterpress.training.precision import resolved
from clusterpress.training.quiet import quiet
from clusterpress.training.recipe import CROP, Recipe
from clusterpress.training.settings import TrainerSettings
from clusterpress.training.watch import Watch, Watched

PRECISIONS: dict[str, Literal["32-true", "bf16-mixed"]] = {"32": "32-true", "bf16": "bf16-mixed"}


@dataclass(frozen=True)
class Epoch:
    """What one epoch measured.

    Attributes:
        train_loss: Mean loss over the epoch's steps, augmentation and smoothing included.
        validation_error: Percent, or None where the epoch was not validated.
        seconds: Wall time, validation included.
    """

    train_loss: float
    validation_error: float | None
    seconds: float


@dataclass(frozen=True)
class History:
    """What a training measured.

    Attributes:
        epochs: One entry an epoch.
        kept: The epoch (from 0) whose weights the network holds, or None without epochs.
        done_before: How many of the epochs a process did that was stopped.
        threads: Numbers of threads that the epochs were trained with, in their order: one, or
            more where the training went on under another number.
        precision: ``32`` or ``bf16``, as ``threads`` are given.
    """

    epochs: tuple[Epoch, ...]
    kept: int | None
    done_before: int = 0
    threads: tuple[int, ...] = ()
    precision: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Wall time of all epochs."""
        return sum(epoch.seconds for epoch in self.epochs)

    @property
    def seconds_before(self) -> float:
        """Wall time of the epochs that were done before."""
        return sum(epoch.seconds for epoch in self.epochs[: self.done_before])


def train(  # noqa: PLR0913 - what is trained, how, where, and what it leaves
    network: nn.Module,
    images: ImageSet,
    recipe: Recipe,
    *,
    seed: int,
    settings: TrainerSettings | None = None,
    loggers: Sequence[Logger] = (),
    checkpoint: Path | None = None,
    watch: Watch | None = None,
) -> History:
    """Train a network in place on the training split.

    Codes train too: masks and labels stay, kept weights and codebooks move. The same seed gives
    the same bits on the same kind of device with the same number of threads; a training that
    goes on under another number warns, and its history tells. torch's global random state is left
    as it was.

    Args:
        network: Gives logits (N, classes).
        images: The data; its validation split is only looked at.
        recipe: How to train.
        seed: Root seed of data order, augmentation and dropout; not of the initial weights.
        settings: Where and how it runs.
        loggers: Lightning loggers that get the curves.
        checkpoint: Where a long training keeps its state after an epoch, and goes on from the
            state that is there; None keeps none. Whoever has the result removes the file.
        watch: Is told after every batch how far the training is.

    Raises:
        ConfigError: The recipe selects on a validation split that is empty, or crops images that
            lie in memory at their final size.
        DataError: The loss is not finite; the message names epoch and step.
        StoreError: The file ``checkpoint`` is damaged, or there is no room for it.
    """
    settings = _resolved(settings or TrainerSettings(), recipe)
    _check(recipe, images)
    if recipe.epochs == 0:
        return History((), None)
    # Lightning trains every module in the mode that it finds it in, also a norm that evaluates.
    classifier = Classifier(network.train(), recipe, settings.log_every_n_steps)
    with ExitStack() as stack:
        stack.enter_context(quiet())
        stack.enter_context(keeping_freed_memory())
        stack.enter_context(as_products(network, str(settings.precision), settings.accelerator))
        stack.enter_context(_torch_state(settings, seed))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="clusterpress-"))
        callbacks: list[Callback] = [Checkpoints(checkpoint)] if checkpoint is not None else []
        callbacks += [SeededProcesses(seed), *([Watched(watch)] if watch is not None else [])]
        trainer = _trainer(recipe, settings, loggers, folder, callbacks)
        exists = checkpoint is not None and checkpoint.exists()
        state = checked(checkpoint, classifier) if checkpoint is not None and exists else None
        classifier.threads = _ways(state, "threads", torch.get_num_threads(), recipe)
        classifier.precision = _ways(state, "precision", str(settings.precision), recipe)
        module = ImageDataModule(images, recipe, seed)
        trainer.fit(classifier, datamodule=module, ckpt_path=state, weights_only=True)
    # Nothing is trained, and nobody calls the hooks, where the last epoch was done before.
    classifier.keep_selected()
    return _history(classifier)


def _ways(state: Path | None, name: str, now: Way, recipe: Recipe) -> tuple[Way, ...]:
    return (now,) if state is None else ways_from(state, name, now, recipe.epochs)


def _check(recipe: Recipe, images: ImageSet) -> None:
    if recipe.select == "validation" and not len(images.validation):
        raise ConfigError(
            f"The recipe selects on validation, but {images.name} has no validation split."
        )
    if recipe.augmentation == CROP and not images.train.crops:
        raise ConfigError(
            f"The recipe's augmentation is {CROP!r}, which needs photographs in files; the images "
            f"of {images.name} have their final size: take 'shift_flip', 'shift' or 'none'."
        )


def _resolved(settings: TrainerSettings, recipe: Recipe) -> TrainerSettings:
    precision = resolved(settings.precision or recipe.precision, settings.accelerator)
    return replace(settings, precision=precision)


def _trainer(
    recipe: Recipe,
    settings: TrainerSettings,
    loggers: Sequence[Logger],
    folder: str,
    callbacks: Sequence[Callback],
) -> lightning.Trainer:
    bar: list[Callback] = [RichProgressBar(refresh_rate=20)] if settings.progress else []
    return lightning.Trainer(
        accelerator=settings.accelerator,
        devices=settings.devices,
        strategy=FreshProcesses() if settings.strategy == "ddp" else "auto",
        precision=PRECISIONS[str(settings.precision)],
        max_epochs=recipe.epochs,
        check_val_every_n_epoch=recipe.validate_every,
        num_sanity_val_steps=1,
        limit_train_batches=settings.limit,
        limit_val_batches=settings.limit,
        log_every_n_steps=settings.log_every_n_steps,
        deterministic=settings.deterministic,
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        logger=list(loggers) or False,
        callbacks=[*bar, *callbacks],
        enable_checkpointing=any(isinstance(each, Checkpoints) for each in callbacks),
        enable_progress_bar=settings.progress,
        enable_model_summary=False,
        default_root_dir=folder,
    )


def _history(classifier: Classifier) -> History:
    epochs = tuple(
        Epoch(loss, None if math.isnan(error) else error, seconds)
        for loss, error, seconds in classifier.measured.tolist()
    )
    kept, before = int(classifier.kept), classifier.done_before
    return History(epochs, kept, before, classifier.threads, classifier.precision)


@contextmanager
def _torch_state(settings: TrainerSettings, seed: int) -> Iterator[None]:
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic  # a property, which torch adds while it runs
    filled = memory.fill_uninitialized_memory
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(seed, DROPOUT))
        torch.set_num_threads(settings.threads or threads)
        # Filling would show what reads memory that nothing wrote, by a pass over every output.
        memory.fill_uninitialized_memory = False
        try:
            yield
        finally:
            memory.fill_uninitialized_memory = filled
            torch.set_num_threads(threads)
            torch.use_deterministic_algorithms(deterministic)
