"""The recipes keep the controls fair."""

import pytest

from clusterpress.errors import ConfigError
from clusterpress.places import folder
from clusterpress.runs.compose import compose, resolved

ROOT = folder("conf") / "recipe"
RECIPES = sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.rglob("*.yaml"))


@pytest.mark.parametrize("name", RECIPES)
def test_training_from_scratch_has_the_epochs_of_the_baseline_and_its_recovery(name):
    recipe = resolved(compose([f"recipe={name}"]))["recipe"]
    assert recipe["scratch"]["epochs"] == recipe["train"]["epochs"] + recipe["recover"]["epochs"]
    same = {key: value for key, value in recipe["train"].items() if key != "epochs"}
    assert same == {key: value for key, value in recipe["scratch"].items() if key != "epochs"}


@pytest.mark.parametrize(
    ("paper", "data", "name"),
    [
        *(("han2016", "mnist", name) for name in ("lenet300_100", "lenet5")),
        *(("liu2019", "mnist", name) for name in ("lenet300_100", "lenet5")),
        ("han2016", "cifar10", "vgg16"),
        *(("liu2019", "cifar10", name) for name in ("vgg16", "alexnet32-retrain15")),
    ],
)
def test_the_control_of_pruning_has_the_epochs_of_pruning(paper, data, name):
    from clusterpress.runs.named import point_config
    from clusterpress.runs.plan import plan
    from clusterpress.runs.suites import suite_points

    points = {p.name: p for p in suite_points() if (p.paper, p.data) == (paper, data)}
    method = plan(point_config(points[name].overrides))
    control = plan(point_config(points[f"{name}-none"].overrides))
    steps = method.steps
    epochs = (steps["prune"].rounds - 1) * steps["prune"].recipe.epochs + sum(
        steps[name].recipe.epochs for name in ("retrain", "finetune")
    )
    assert control.steps["finetune"].recipe.epochs == epochs


@pytest.mark.parametrize("data", ["cifar10", "cifar100"])
def test_a_profile_chooses_the_recipes_and_names_itself(data):
    quick, paper = (
        resolved(compose([f"data={data}", "model=vgg16", f"profile={name}"]))
        for name in ("cpu", "paper")
    )
    assert (quick["profile"], paper["profile"]) == ("cpu", "paper")
    assert quick["recipe"]["train"]["schedule"] == "one_cycle"
    train = paper["recipe"]["train"]
    assert (train["lr"], train["gamma"], train["milestones"]) == (0.1, 0.1, [150, 225, 300])


@pytest.mark.parametrize("name", [name for name in RECIPES if name.startswith("paper/cifar1")])
def test_the_papers_recipes_fall_where_the_papers_do(name):
    recipe = resolved(compose([f"recipe={name}"]))["recipe"]
    assert recipe["train"]["milestones"] == [150, 225, 300]
    assert {stage["schedule"] for stage in recipe.values()} == {"step"}
    assert {stage["precision"] for stage in recipe.values()} == {"32"}


def test_a_profile_without_recipes_for_a_pair_is_refused_before_anything_runs():
    with pytest.raises(ConfigError, match="recipe/paper/digits_lenet300_100"):
        compose(["profile=paper"])
