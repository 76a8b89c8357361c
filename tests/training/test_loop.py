import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from pytorch_lightning.loggers import CSVLogger
from torch import nn

from clusterpress.codes import Masked, Shared, attach, original_of
from clusterpress.data.images import ImageSet, Split
from clusterpress.errors import ConfigError, DataError
from clusterpress.training import loop
from clusterpress.training.evaluation import evaluate
from clusterpress.training.loop import train
from clusterpress.training.recipe import Recipe
from clusterpress.training.settings import TrainerSettings

SHORT = Recipe(epochs=3, batch_size=32, lr=0.02, augmentation="shift", shift=1)


def trained(network: nn.Module, images: ImageSet, recipe: Recipe = SHORT, seed: int = 0) -> Any:
    copied = copy.deepcopy(network)
    train(copied, images, recipe, seed=seed)
    return nn.utils.parameters_to_vector(copied.parameters()).detach()


def test_training_learns_and_the_history_tells(images: ImageSet, network: nn.Module) -> None:
    recipe = Recipe(epochs=8, batch_size=32, lr=0.05)
    history = train(network, images, recipe, seed=0)
    assert len(history.epochs) == 8
    assert history.kept == 7
    assert history.epochs[-1].train_loss < 0.5 * history.epochs[0].train_loss
    assert all(epoch.seconds > 0 for epoch in history.epochs)
    assert history.seconds == sum(epoch.seconds for epoch in history.epochs)
    error = evaluate(network, images.validation, images).top1_error
    assert history.epochs[-1].validation_error == pytest.approx(error)
    assert error < 20


def test_the_same_seed_gives_the_same_bits(images: ImageSet, network: nn.Module) -> None:
    first = trained(network, images)
    torch.manual_seed(1234)
    assert torch.equal(first, trained(network, images))


@pytest.mark.parametrize("augmentation", ["none", "shift"])
def test_another_seed_gives_another_network(
    images: ImageSet, network: nn.Module, augmentation: str
) -> None:
    recipe = replace(SHORT, augmentation=augmentation)
    assert not torch.equal(trained(network, images, recipe), trained(network, images, recipe, 1))


def test_a_network_that_was_evaluated_trains_all_the_same(
    images: ImageSet, network: nn.Module
) -> None:
    normed = nn.Sequential(nn.BatchNorm2d(1), network, nn.Dropout(0.5))
    first = trained(normed.train(), images)
    assert torch.equal(first, trained(normed.eval(), images))
    train(normed.eval(), images, SHORT, seed=0)
    assert normed[0].num_batches_tracked > 0


def test_dropout_is_seeded_too_and_global_random_state_is_left(
    images: ImageSet, network: nn.Module
) -> None:
    dropping = nn.Sequential(network, nn.Dropout(0.5))
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = trained(dropping, images)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    assert torch.equal(first, trained(dropping, images))


def test_one_epoch_is_sgd_by_hand(images: ImageSet, network: nn.Module) -> None:
    """Full-batch steps have no order, so a plain loop must give the same weights."""
    recipe = Recipe(epochs=3, batch_size=170, lr=0.1, momentum=0.9, weight_decay=0.01)
    by_hand = copy.deepcopy(network)
    optimizer = torch.optim.SGD(by_hand.parameters(), 0.1, momentum=0.9, weight_decay=0.01)
    for factor in (1.0, 0.75, 0.25):
        optimizer.param_groups[0]["lr"] = 0.1 * factor
        logits = by_hand(images.normalize(images.train.images))
        optimizer.zero_grad()
        nn.functional.cross_entropy(logits, images.train.labels).backward()
        optimizer.step()
    reference = nn.utils.parameters_to_vector(by_hand.parameters())
    assert torch.allclose(trained(network, images, recipe), reference, atol=1e-5)


def test_zero_epochs_train_nothing(images: ImageSet, network: nn.Module) -> None:
    before = copy.deepcopy(network.state_dict())
    history = train(network, images, replace(SHORT, epochs=0), seed=0)
    assert (history.epochs, history.kept) == ((), None)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_selection_restores_the_best_epoch(images: ImageSet, network: nn.Module) -> None:
    # Wrong labels undo more of what was learnt with every epoch: the last is not the best one.
    train(network, images, Recipe(epochs=8, batch_size=32, lr=0.05), seed=0)
    wrong = Split(images.train.images, (images.train.labels + 1) % 4)
    misled = ImageSet("misled", 4, wrong, images.validation, images.test, sha256="")
    recipe = Recipe(epochs=8, batch_size=32, lr=0.01, select="validation")
    history = train(network, misled, recipe, seed=0)
    errors = [epoch.validation_error for epoch in history.epochs]
    best = min(error for error in errors if error is not None)
    assert errors[-1] is not None
    assert errors[-1] > best
    assert history.kept == errors.index(best)
    assert evaluate(network, images.validation, misled).top1_error == pytest.approx(best)


def test_the_last_epoch_is_always_validated(images: ImageSet, network: nn.Module) -> None:
    history = train(network, images, replace(SHORT, epochs=5, validate_every=3), seed=0)
    validated = [epoch.validation_error is not None for epoch in history.epochs]
    assert validated == [False, False, True, False, True]


def test_without_a_validation_split(images: ImageSet, network: nn.Module) -> None:
    empty = images.validation.take(torch.zeros(0, dtype=torch.int64).numpy())
    without = replace_validation(images, empty)
    history = train(network, without, SHORT, seed=0)
    assert [epoch.validation_error for epoch in history.epochs] == [None] * 3
    with pytest.raises(ConfigError, match="no validation split"):
        train(network, without, replace(SHORT, select="validation"), seed=0)


def replace_validation(images: ImageSet, validation: Any) -> ImageSet:
    return ImageSet("stripes", 4, images.train, validation, images.test, sha256="")


def test_bf16_trains_float32_weights_otherwise(images: ImageSet, network: nn.Module) -> None:
    exact, rounded = trained(network, images), trained(network, images, bf16(SHORT))
    assert rounded.dtype == torch.float32
    assert not torch.equal(exact, rounded)
    assert (exact - rounded).norm() < 0.2 * exact.norm()
    overridden = copy.deepcopy(network)
    train(overridden, images, bf16(SHORT), seed=0, settings=TrainerSettings(precision="32"))
    assert torch.equal(nn.utils.parameters_to_vector(overridden.parameters()), exact)


def bf16(recipe: Recipe) -> Recipe:
    return replace(recipe, precision="bf16")


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_codes_stay(images: ImageSet, network: nn.Module, optimizer: str) -> None:
    mask = torch.rand(16, 64, generator=torch.Generator().manual_seed(0)) < 0.3
    labels = torch.arange(64) % 5
    attach(network[1], "weight", Masked(mask), network[1].weight * mask)
    attach(network[3], "weight", Shared(labels, (4, 16)), torch.linspace(-0.4, 0.5, 5))
    masked, codebook = network[1].weight.detach().clone(), original_of(network[3]).detach().clone()
    recipe = replace(SHORT, optimizer=optimizer, weight_decay=1e-3)
    train(network, images, recipe, seed=0)
    assert not network[1].weight[~mask].any()
    assert (network[1].weight != masked)[mask].float().mean() > 0.9
    assert (original_of(network[3]) != codebook).all()
    assert torch.equal(network[3].weight.flatten(), original_of(network[3])[labels])
    assert network[3].weight.unique().numel() == 5


def test_selection_restores_coded_networks(images: ImageSet, network: nn.Module) -> None:
    attach(network[3], "weight", Shared(torch.arange(64) % 5, (4, 16)), torch.linspace(-1, 1, 5))
    history = train(network, images, replace(SHORT, select="validation"), seed=0)
    assert history.kept is not None
    best = history.epochs[history.kept].validation_error
    assert evaluate(network, images.validation, images).top1_error == pytest.approx(best)


@pytest.mark.parametrize(("epoch", "lr"), [(0, 0.02), (1, 1e30)])
def test_a_loss_that_is_not_finite_names_epoch_and_step(
    images: ImageSet, network: nn.Module, epoch: int, lr: float
) -> None:
    recipe = replace(SHORT, batch_size=170, lr=lr)
    if epoch == 0:
        with torch.no_grad():
            network[1].bias[3] = float("nan")
        with pytest.raises(DataError, match=r"in epoch 0, step 0"):
            train(network, images, recipe, seed=0)
    else:
        with pytest.raises(DataError, match=r"in epoch [12], step 0"):
            train(network, images, recipe, seed=0)


def test_nothing_is_printed_warned_or_left_behind(
    images: ImageSet,
    network: nn.Module,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        train(network, images, SHORT, seed=0)
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_global_settings_are_left_as_they_were(images: ImageSet, network: nn.Module) -> None:
    threads = torch.get_num_threads()
    train(network, images, SHORT, seed=0, settings=TrainerSettings(threads=2))
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory


@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_filled_memory_trains_the_same_bits(images: ImageSet, precision: str) -> None:
    class Filling(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            torch.utils.deterministic.fill_uninitialized_memory = True
            return images

    def trained(first: nn.Module) -> torch.Tensor:
        torch.manual_seed(0)
        convolutions = (nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
        network = nn.Sequential(first, *convolutions, nn.Flatten(), nn.Linear(72, 4))
        train(network, images, replace(SHORT, precision=precision), seed=0)
        return nn.utils.parameters_to_vector(network.parameters()).detach()

    assert torch.equal(trained(nn.Identity()), trained(Filling()))


def test_memory_is_filled_again_after_a_training_that_failed(images: ImageSet) -> None:
    seen = []

    class Failing(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            seen.append(torch.utils.deterministic.fill_uninitialized_memory)
            raise ZeroDivisionError

    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 4), Failing())
    with pytest.raises(ZeroDivisionError):
        train(network, images, SHORT, seed=0)
    assert seen == [False]
    assert torch.utils.deterministic.fill_uninitialized_memory


def test_loggers_get_the_curves_and_the_bar_is_drawn(
    images: ImageSet, network: nn.Module, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = CSVLogger(str(tmp_path), name="", version="")
    settings = TrainerSettings(log_every_n_steps=2, progress=True)
    train(network, images, SHORT, seed=0, settings=settings, loggers=[logger])
    header = (tmp_path / "metrics.csv").read_text().splitlines()[0].split(",")
    assert {"loss", "lr", "train_loss", "validation_error"} <= set(header)
    assert "train_loss" in capsys.readouterr().out


def test_a_limit_shortens_the_epochs(images: ImageSet, network: nn.Module) -> None:
    limited = copy.deepcopy(network)
    train(limited, images, SHORT, seed=0, settings=TrainerSettings(limit=1))
    parameters = nn.utils.parameters_to_vector(limited.parameters())
    assert not torch.equal(parameters, trained(network, images))


def test_freed_memory_is_kept_while_a_network_trains(
    images: ImageSet, network: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    during: list[bool] = []

    @contextmanager
    def noted() -> Iterator[None]:
        during.append(True)
        yield
        during.append(False)

    monkeypatch.setattr(loop, "keeping_freed_memory", noted)
    told: list[list[bool]] = []
    train(network, images, SHORT, seed=0, watch=lambda *_: told.append(list(during)))
    assert during == [True, False]
    assert told
    assert all(each == [True] for each in told)
