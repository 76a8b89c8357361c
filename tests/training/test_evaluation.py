import pytest
import torch
from torch import nn

from clusterpress.data.images import ImageSet, Split
from clusterpress.errors import DataError
from clusterpress.training.evaluation import evaluate


class Fixed(nn.Module):
    """Gives the logits it was built with, whatever the images."""

    def __init__(self, logits: torch.Tensor) -> None:
        super().__init__()
        self.logits = logits
        self.done = 0

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        assert not self.training
        self.done += len(batch)
        return self.logits[self.done - len(batch) : self.done]


def split_of(labels: torch.Tensor) -> Split:
    return Split(torch.zeros(len(labels), 1, 8, 8, dtype=torch.uint8), labels)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_errors_and_loss_by_brute_force(images: ImageSet, batch_size: int) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(50, 9, generator=generator)
    labels = torch.randint(9, (50,), generator=generator)
    found = evaluate(Fixed(logits), split_of(labels), images, batch_size=batch_size)
    ranks = [(row > row[label]).sum() for row, label in zip(logits, labels, strict=True)]
    assert found.top1_error == pytest.approx(100 * sum(rank >= 1 for rank in ranks) / 50)
    assert found.top5_error == pytest.approx(100 * sum(rank >= 5 for rank in ranks) / 50)
    assert torch.equal(found.predictions, logits.argmax(1))
    own = logits.double().log_softmax(1)[torch.arange(50), labels]
    assert found.loss == pytest.approx(-float(own.mean()))


def test_with_at_most_five_classes_the_top5_error_is_zero(
    images: ImageSet, network: nn.Module
) -> None:
    assert evaluate(network, images.test, images).top5_error == 0.0


@pytest.mark.parametrize("mode", [True, False])
def test_the_mode_is_left_as_it_was(images: ImageSet, network: nn.Module, mode: bool) -> None:
    network.train(mode)
    evaluate(network, images.test, images)
    assert network.training is mode


def test_an_empty_split_is_refused(images: ImageSet, network: nn.Module) -> None:
    with pytest.raises(DataError, match="no image"):
        evaluate(network, split_of(torch.zeros(0, dtype=torch.int64)), images)


def test_nan_weights_are_refused(images: ImageSet, network: nn.Module) -> None:
    with torch.no_grad():
        next(network.parameters())[0, 0] = float("nan")
    with pytest.raises(DataError, match="not finite"):
        evaluate(network, images.test, images)
