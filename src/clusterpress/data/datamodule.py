"""Give Lightning the batches of an image set, normalised and augmented on the device."""

from typing import Any

import pytorch_lightning as lightning
import torch

from clusterpress.data.augmentation import augment
from clusterpress.data.batches import Batches, derived_seed, fitting_batch
from clusterpress.data.images import Images, ImageSet
from clusterpress.training.recipe import CROP, Recipe

EVALUATION_BATCH = 1000
ORDER, AUGMENTATION, CROPS = 0, 1, 3


class ImageDataModule(lightning.LightningDataModule):
    """The batches of an image set, in an order that (seed, epoch) alone decide.

    The trainer must reload the training batches every epoch: each epoch's order and augmentation
    are seeded anew, so that they do not depend on the epochs before.

    Args:
        images: The data.
        recipe: Batch size and augmentation.
        seed: Root seed of order and augmentation.
    """

    def __init__(self, images: ImageSet, recipe: Recipe, seed: int) -> None:
        super().__init__()
        self.images = images
        self.recipe = recipe
        self.seed = seed
        self._generator: torch.Generator | None = None

    def train_dataloader(self) -> Batches:
        """Give the shuffled training batches of the trainer's current epoch."""
        self._generator = None
        order = derived_seed(self.seed, ORDER, self._epoch)
        crops = self.recipe.augmentation == CROP
        drawn = derived_seed(self.seed, CROPS, self._epoch) if crops else None
        return Batches(self.images.train, self.recipe.batch_size, order, *self._share, drawn)

    def val_dataloader(self) -> Batches:
        """Give the validation batches in file order."""
        return self._in_file_order(self.images.validation)

    def test_dataloader(self) -> Batches:
        """Give the test batches in file order."""
        return self._in_file_order(self.images.test)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Normalise a batch; augment it first where it trains."""
        del dataloader_idx
        images, labels = batch
        if self.trainer is not None and self.trainer.training:
            kind, pixels = self.recipe.augmentation, self.recipe.shift
            images = augment(images, kind, pixels, self._augmenter(images.device))
        return self.images.normalize(images), labels

    def _in_file_order(self, split: Images) -> Batches:
        size = fitting_batch(EVALUATION_BATCH, split.shape) * self._share[1]
        return Batches(split, size, None, *self._share)

    @property
    def _epoch(self) -> int:
        return 0 if self.trainer is None else self.trainer.current_epoch

    @property
    def _share(self) -> tuple[int, int]:
        trainer = self.trainer
        return (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)

    def _augmenter(self, device: torch.device) -> torch.Generator:
        if self._generator is None:
            path = (AUGMENTATION, self._epoch, self._share[0])
            self._generator = torch.Generator(device).manual_seed(derived_seed(self.seed, *path))
        return self._generator
