"""Score a network on a split; no training loop, no Lightning."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import parametrize

from clusterpress.data.batches import Batches, fitting_batch
from clusterpress.data.images import Images
from clusterpress.errors import DataError

BATCH = 1000


class Normalizer(Protocol):
    """A data set as far as an evaluation needs it: ``ImageSet`` is one."""

    @property
    def name(self) -> str:
        """Name of the data set, for messages."""

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        """Give uint8 images as what networks take."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How a network did on a split.

    Attributes:
        top1_error: Images whose class is not the largest logit, in percent.
        top5_error: Images whose class is not among the five largest logits, in percent.
        loss: Mean cross-entropy in nats.
        predictions: Class of the largest logit, int64, shape (N,), on the CPU.
    """

    top1_error: float
    top5_error: float
    loss: float
    predictions: torch.Tensor


def evaluate(
    network: nn.Module,
    split: Images,
    images: Normalizer,
    *,
    batch_size: int | None = None,
    device: torch.device | str | None = None,
) -> Evaluation:
    """Score a network on a split in float32; its mode and device are left as they were.

    Args:
        network: Gives logits (N, classes); codes are allowed.
        split: What to score, not empty.
        images: The data set, for its normalisation.
        batch_size: Images at a time; None takes 1000 small or fewer large ones.
        device: Where to compute; default where the network lies.

    Raises:
        DataError: The split is empty, or a logit is not finite.
    """
    if not len(split):
        raise DataError(f"There is no image to evaluate on in this split of {images.name}.")
    size = batch_size or fitting_batch(BATCH, split.shape)
    logits = _logits(network, split, images, size, device)
    if not bool(torch.isfinite(logits).all()):
        raise DataError(
            f"The network's logits on {images.name} are not finite; its weights are broken or "
            "far too large."
        )
    ranked = logits.topk(min(5, logits.shape[1])).indices
    hits = ranked == split.labels[:, None]
    return Evaluation(
        top1_error=_percent_missed(hits[:, 0]),
        top5_error=_percent_missed(hits.any(1)),
        loss=float(cross_entropy(logits.double(), split.labels)),
        predictions=ranked[:, 0].clone(),
    )


def _logits(
    network: nn.Module,
    split: Images,
    images: Normalizer,
    batch_size: int,
    device: torch.device | str | None,
) -> torch.Tensor:
    home = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    place = home if device is None else torch.device(device)
    trained = network.training
    network.to(place).eval()
    try:
        with torch.inference_mode(), parametrize.cached():
            parts = [
                network(images.normalize(batch.to(place))).float().cpu()
                for batch, _ in Batches(split, batch_size)
            ]
    finally:
        network.to(home).train(trained)
    return torch.cat(parts)


def _percent_missed(hits: torch.Tensor) -> float:
    return 100.0 * int((~hits).sum()) / len(hits)
