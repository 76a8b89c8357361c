"""Trainings that are stopped and go on."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from clusterpress.data.images import ImageSet
from clusterpress.errors import StoreError
from clusterpress.training import checkpoints
from clusterpress.training.loop import History, train
from clusterpress.training.recipe import Recipe
from clusterpress.training.settings import TrainerSettings

RECIPE = Recipe(epochs=4, batch_size=32, lr=0.02, augmentation="shift", shift=1, warmup_epochs=1)


class StoppedError(Exception):
    pass


class Fragile(nn.Module):
    """Passes images through, and stops the training at a step."""

    def __init__(self, steps: int | None) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if self.training and self.steps is not None:
            self.steps -= 1
            if self.steps < 0:
                raise StoppedError
        return images


@pytest.fixture(autouse=True)
def _at_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)


def fitted(network: nn.Module, images: ImageSet, recipe: Recipe, **more: Any) -> History:
    return train(network, images, recipe, seed=0, **more)


def copies(network: nn.Module) -> tuple[nn.Module, nn.Module]:
    dropping = nn.Sequential(Fragile(None), network, nn.Dropout(0.2))
    return copy.deepcopy(dropping), copy.deepcopy(dropping)


def stop(network: nn.Module, steps: int | None) -> None:
    fragile = network.get_submodule("0")
    assert isinstance(fragile, Fragile)
    fragile.steps = steps


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("select", ["last", "validation"])
@pytest.mark.parametrize("steps", [3, 7, 12, 20])
def test_going_on_equals_not_stopping(
    images: ImageSet, network: nn.Module, tmp_path: Path, optimizer: str, select: str, steps: int
) -> None:
    recipe = replace(RECIPE, optimizer=optimizer, select=select)
    whole, stopped = copies(network)
    expected = fitted(whole, images, recipe)
    begun = copy.deepcopy(stopped)
    stop(begun, steps)
    path = tmp_path / "made" / "state.ckpt"
    with pytest.raises(StoppedError):
        fitted(begun, images, recipe, checkpoint=path)
    found = fitted(stopped, images, recipe, checkpoint=path)
    assert found.done_before == steps // 6
    for a, b in zip(found.epochs, expected.epochs, strict=True):
        assert (a.train_loss, a.validation_error) == (b.train_loss, b.validation_error)
    assert found.kept == expected.kept
    state = whole.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in stopped.state_dict().items())
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("select", ["last", "validation"])
def test_a_training_that_was_done_is_not_done_again(
    images: ImageSet, network: nn.Module, tmp_path: Path, select: str
) -> None:
    first, again = copies(network)
    recipe = replace(RECIPE, select=select)
    path = tmp_path / "state.ckpt"
    expected = fitted(first, images, recipe, checkpoint=path)
    stop(again, 0)
    found = fitted(again, images, recipe, checkpoint=path)
    assert found.epochs == expected.epochs
    assert found.kept == expected.kept
    assert found.done_before == RECIPE.epochs
    assert found.seconds_before == found.seconds
    state = first.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in again.state_dict().items())


def test_a_short_training_writes_nothing(
    images: ImageSet, network: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "SECONDS", 60.0)
    fitted(network, images, RECIPE, checkpoint=tmp_path / "state.ckpt")
    assert not list(tmp_path.iterdir())


def test_a_damaged_state_is_refused(images: ImageSet, network: nn.Module, tmp_path: Path) -> None:
    path = tmp_path / "state.ckpt"
    fitted(copy.deepcopy(network), images, RECIPE, checkpoint=path)
    whole = path.read_bytes()
    for content in (b"", b"no state", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(StoreError, match=r"state\.ckpt, is damaged; remove it"):
            fitted(copy.deepcopy(network), images, RECIPE, checkpoint=path)


def test_one_wrong_bit_and_the_state_of_something_else_are_refused(
    images: ImageSet, network: nn.Module, tmp_path: Path
) -> None:
    path = tmp_path / "state.ckpt"
    fitted(copy.deepcopy(network), images, RECIPE, checkpoint=path)
    whole = path.read_bytes()
    weight = torch.load(path, weights_only=True)["state_dict"].values()
    place = whole.index(max(weight, key=torch.numel).numpy().tobytes())
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(StoreError, match=r"state\.ckpt, is damaged.*checksum"):
        fitted(copy.deepcopy(network), images, RECIPE, checkpoint=path)
    torch.save({}, path)
    with pytest.raises(StoreError, match="it lacks epoch"):
        fitted(copy.deepcopy(network), images, RECIPE, checkpoint=path)
    path.write_bytes(whole)
    other = nn.Sequential(nn.Flatten(), nn.LazyLinear(10))
    other(torch.zeros(2, *images.shape))
    with pytest.raises(StoreError, match="another network"):
        fitted(other, images, RECIPE, checkpoint=path)


def stopped_with(settings: TrainerSettings, network: nn.Module, images: ImageSet, path: Path):
    begun = nn.Sequential(Fragile(7), copy.deepcopy(network))
    with pytest.raises(StoppedError):
        fitted(begun, images, RECIPE, checkpoint=path, settings=settings)


def test_another_precision_is_said_and_kept(
    images: ImageSet, network: nn.Module, tmp_path: Path
) -> None:
    path = tmp_path / "state.ckpt"
    stopped_with(TrainerSettings(precision="bf16"), network, images, path)
    again, whole = nn.Sequential(Fragile(None), network), TrainerSettings(precision="32")
    with pytest.warns(UserWarning, match="precision=32 after 1 epochs with precision=bf16"):
        found = fitted(again, images, RECIPE, checkpoint=path, settings=whole)
    assert found.precision == ("bf16", "32")


def test_another_number_of_threads_is_said_and_kept(
    images: ImageSet, network: nn.Module, tmp_path: Path
) -> None:
    path = tmp_path / "state.ckpt"
    stopped_with(TrainerSettings(threads=1), network, images, path)
    again = nn.Sequential(Fragile(None), network)
    with pytest.warns(UserWarning, match="threads=2 after 1 epochs with threads=1"):
        found = fitted(again, images, RECIPE, checkpoint=path, settings=TrainerSettings(threads=2))
    assert found.threads == (1, 2)
    # All epochs are done: with how many threads nothing is trained makes no difference.
    alone = TrainerSettings(threads=1)
    assert fitted(again, images, RECIPE, checkpoint=path, settings=alone).threads == (1, 2)


@pytest.mark.filterwarnings("error::UserWarning")
def test_the_same_number_of_threads_and_states_without_one_say_nothing(
    images: ImageSet, network: nn.Module, tmp_path: Path
) -> None:
    path = tmp_path / "state.ckpt"
    stopped_with(TrainerSettings(threads=1), network, images, path)
    old = torch.load(path, weights_only=True)
    again = nn.Sequential(Fragile(None), network)
    alone = TrainerSettings(threads=1)
    assert fitted(again, images, RECIPE, checkpoint=path, settings=alone).threads == (1,)
    del old["threads"]
    torch.save(old, path)
    both = TrainerSettings(threads=2)
    assert fitted(again, images, RECIPE, checkpoint=path, settings=both).threads == (2,)
