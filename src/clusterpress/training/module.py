"""The LightningModule: cross-entropy on a network, and what each epoch measured."""

import time
from typing import Any, cast

import pytorch_lightning as lightning
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from clusterpress.errors import DataError
from clusterpress.training.checkpoints import random_state, set_random_state
from clusterpress.training.optimisers import build_optimizer, build_schedule
from clusterpress.training.quiet import silence
from clusterpress.training.recipe import Recipe

LOSS, ERROR, SECONDS = range(3)


class Classifier(lightning.LightningModule):
    """A network that is trained to classify by a recipe.

    Args:
        network: Gives logits (N, classes); its codes' frozen parts stay as they are.
        recipe: How to train.
        log_every: Steps between two entries in the loggers.

    Attributes:
        measured: Loss, validation error in percent and seconds of every epoch (NaN where not
            measured), float64, shape (epochs, 3). A buffer, so that it comes back with the
            weights from the processes of a ``ddp`` training.
        kept: The epoch whose weights the network holds in the end, int64, shape (1,).
        done_before: Epochs that a process did that was stopped.
        threads: Numbers of threads that its epochs were trained with, in their order, each
            written once while it stays the same.
        precision: ``32`` or ``bf16``, as ``threads`` are given.
    """

    measured: torch.Tensor
    kept: torch.Tensor

    def __init__(self, network: nn.Module, recipe: Recipe, log_every: int = 50) -> None:
        super().__init__()
        self.log_every = log_every
        self.network = network
        self.recipe = recipe
        self.register_buffer("measured", torch.full((recipe.epochs, 3), torch.nan).double())
        self.register_buffer("kept", torch.zeros(1, dtype=torch.int64))
        self._losses: list[torch.Tensor] = []
        self._sizes: list[int] = []
        self._missed = self._seen = 0
        self._started = 0.0
        self.done_before = 0
        self.threads: tuple[int, ...] = ()
        self.precision: tuple[str, ...] = ()
        self._best: dict[str, torch.Tensor] = {}
        self._best_error = float("inf")

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A process of a ddp training begins by unpickling this; the caller's silence is not its.
        silence()
        self.__dict__.update(state)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Give the network's logits."""
        return cast(torch.Tensor, self.network(images))

    def on_train_epoch_start(self) -> None:
        """Begin an epoch's measurements; see to it that the last epoch is validated."""
        if self.current_epoch + 1 == self.recipe.epochs:
            self.trainer.check_val_every_n_epoch = 1
        self._losses, self._sizes = [], []
        self._started = time.perf_counter()

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], index: int) -> torch.Tensor:
        """Give the batch's mean cross-entropy.

        Raises:
            DataError: It is not finite.
        """
        images, labels = batch
        smoothing = self.recipe.label_smoothing
        loss = cross_entropy(self(images), labels, label_smoothing=smoothing)
        if not bool(torch.isfinite(loss)):
            raise DataError(
                f"The training loss is {loss.item()} in epoch {self.current_epoch}, step {index}: "
                "the training has diverged or began with broken weights; a lower lr may help."
            )
        self._losses.append(loss.detach())
        self._sizes.append(len(labels))
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Give the loggers the step's loss and learning rate, now and then."""
        del outputs, batch
        if self.trainer.loggers and batch_idx % self.log_every == 0:
            rate = self.trainer.optimizers[0].param_groups[0]["lr"]
            for logger in self.trainer.loggers:
                values = {"loss": float(self._losses[-1]), "lr": float(rate)}
                logger.log_metrics(values, self.global_step)

    def on_validation_epoch_start(self) -> None:
        """Begin a validation's counts."""
        self._missed = self._seen = 0

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], index: int) -> None:
        """Count the images whose class is not the largest logit."""
        del index
        images, labels = batch
        self._missed += int((self(images).argmax(1) != labels).sum())
        self._seen += len(labels)

    def on_validation_epoch_end(self) -> None:
        """Keep the epoch's error and, where validation selects, its weights."""
        missed, seen = self._summed(self._missed, self._seen)
        if self.trainer.sanity_checking or not seen:
            return
        error = 100.0 * missed / seen
        self.measured[self.current_epoch, ERROR] = error
        self.log("validation_error", error, prog_bar=True, rank_zero_only=True)
        if self.recipe.select == "validation" and error < self._best_error:
            self._best_error = error
            self.kept[0] = self.current_epoch
            state = self.network.state_dict()
            self._best = {name: tensor.clone() for name, tensor in state.items()}

    def on_train_epoch_end(self) -> None:
        """Keep the epoch's mean training loss and its seconds, validation included."""
        sizes = torch.tensor(self._sizes, device=self.device)
        weighted = float((torch.stack(self._losses).double() * sizes).sum())
        total, seen = self._summed(weighted, sum(self._sizes))
        self.measured[self.current_epoch, LOSS] = total / seen
        self.measured[self.current_epoch, SECONDS] = time.perf_counter() - self._started
        self.log("train_loss", total / seen, prog_bar=True, rank_zero_only=True)
        if self.recipe.select == "last":
            self.kept[0] = self.current_epoch

    def on_train_end(self) -> None:
        """Put the selected epoch's weights back."""
        self.keep_selected()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what the hooks and dropout need to go on."""
        checkpoint["selected"] = {"error": self._best_error, "state": self._best}
        checkpoint["random_state"] = random_state()
        checkpoint["threads"] = list(self.threads)
        checkpoint["precision"] = list(self.precision)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on from a state that was saved after an epoch."""
        self.done_before = int(checkpoint["epoch"]) + 1
        self._best_error = checkpoint["selected"]["error"]
        self._best = checkpoint["selected"]["state"]
        set_random_state(checkpoint["random_state"])

    def keep_selected(self) -> None:
        """Put the selected epoch's weights into the network, where validation selects."""
        if self._best:
            self.network.load_state_dict(self._best)

    def configure_optimizers(self) -> Any:
        """Give Lightning the optimiser, and the schedule to step after every batch."""
        optimizer = build_optimizer(self.network.parameters(), self.recipe)
        steps = int(self.trainer.estimated_stepping_batches) // self.recipe.epochs
        schedule = build_schedule(optimizer, self.recipe, steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def _summed(self, *values: float) -> list[float]:
        if self.trainer.world_size == 1:
            return list(values)
        local = torch.tensor(values, dtype=torch.float64, device=self.device)
        return cast(list[float], self.trainer.strategy.reduce(local, reduce_op="sum").tolist())
