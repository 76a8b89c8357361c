"""What all tests share: one thread each, and small points of the embedded data set."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from omegaconf import DictConfig

import clusterpress  # noqa: F401 - declares what torchvision lacks in time
from clusterpress.runs.compose import compose

SHORT = (
    "recipe.train.epochs=2",
    "recipe.retrain.epochs=1",
    "recipe.finetune.epochs=1",
    "recipe.recover.epochs=1",
    "recipe.scratch.epochs=1",
    "download=false",
)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def short(tmp_path: Path) -> Callable[..., DictConfig]:
    """Compose a point whose trainings are short, with a store of its own."""

    def composed(*overrides: str) -> DictConfig:
        return compose([*SHORT, f"store={tmp_path / 'store'}", *overrides])

    return composed
