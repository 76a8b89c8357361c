import dataclasses
import subprocess
import sys

import pytest

from clusterpress.errors import ConfigError
from clusterpress.training.recipe import Recipe
from clusterpress.training.settings import TrainerSettings


def test_defaults_are_valid_and_the_value_is_immutable_and_hashable() -> None:
    recipe = Recipe()
    assert hash(recipe) == hash(Recipe())
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.lr = 1.0


def test_lists_and_numbers_from_yaml_are_taken() -> None:
    recipe = Recipe(schedule="step", milestones=[3, 5], precision=32)
    assert recipe.milestones == (3, 5)
    assert recipe.precision == "32"
    assert hash(recipe)


def test_all_problems_come_in_one_error() -> None:
    with pytest.raises(ConfigError) as caught:
        Recipe(epochs=-1, optimizer="lion", lr=0.0, momentum=1.0, gamma=2.0, precision="16")
    for name in ("epochs", "optimizer", "lr", "momentum", "gamma", "precision"):
        assert name in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        {"epochs": 1.5},
        {"epochs": True},
        {"epochs": "3"},
        {"batch_size": 0},
        {"lr": float("nan")},
        {"lr": float("inf")},
        {"lr": "0.1"},
        {"lr": None},
        {"weight_decay": -1e-9},
        {"label_smoothing": 1.0},
        {"validate_every": 0},
        {"shift": -1},
        {"schedule": "poly"},
        {"augmentation": "flip"},
        {"select": "test"},
        {"milestones": (1,)},
        {"schedule": "step"},
        {"schedule": "step", "milestones": (3, 2)},
        {"schedule": "step", "milestones": (0, 2)},
        {"schedule": "step", "milestones": ("a",)},
        {"warmup_epochs": 10.0},
        {"warmup_epochs": "1"},
        {"schedule": "one_cycle", "warmup_epochs": 1.0},
        {"optimizer": "adam", "nesterov": True},
        {"momentum": 0.0, "nesterov": True},
    ],
)
def test_each_bad_setting_is_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Recipe(**bad)


def test_recipe_is_importable_without_lightning() -> None:
    code = (
        "import sys, clusterpress.training.recipe, clusterpress.training.settings; "
        "sys.exit('pytorch_lightning' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"accelerator": "tpu"},
        {"devices": 0},
        {"devices": 2},
        {"strategy": "fsdp"},
        {"precision": "16"},
        {"limit": 0},
        {"threads": -1},
    ],
)
def test_bad_trainer_settings_are_named(bad: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        TrainerSettings(**bad)
