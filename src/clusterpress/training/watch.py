"""Tell somebody how far a training is, after every batch."""

import math
from collections.abc import Callable
from typing import Any

import pytorch_lightning as lightning
from pytorch_lightning.callbacks import Callback

from clusterpress.training.module import ERROR, Classifier

Watch = Callable[[float, int, float | None], None]
"""Is given the epochs done (a begun one in part), all epochs, and the last validation error."""


class Watched(Callback):
    """Calls ``watch`` after every batch; it is its business to be quick.

    Args:
        watch: Who is told; of several processes the first tells.
    """

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self._error: float | None = None

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Tell how far the epoch is."""
        del pl_module, outputs, batch
        if trainer.is_global_zero:
            part = (batch_idx + 1) / max(float(trainer.num_training_batches), batch_idx + 1)
            self.watch(trainer.current_epoch + part, trainer.max_epochs or 0, self._error)

    def on_train_epoch_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Keep the error that the epoch's validation measured."""
        assert isinstance(pl_module, Classifier)
        error = float(pl_module.measured[trainer.current_epoch, ERROR])
        self._error = self._error if math.isnan(error) else error
