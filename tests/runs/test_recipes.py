"""The recipes keep the controls fair."""

import pytest

from clusterpress.places import folder
from clusterpress.runs.compose import compose, resolved

POINTS = sorted(path.stem for path in (folder("conf") / "recipe").glob("*.yaml"))


@pytest.mark.parametrize("name", POINTS)
def test_training_from_scratch_has_the_epochs_of_the_baseline_and_its_recovery(name):
    recipe = resolved(compose([f"recipe={name}"]))["recipe"]
    assert recipe["scratch"]["epochs"] == recipe["train"]["epochs"] + recipe["recover"]["epochs"]
    same = {key: value for key, value in recipe["train"].items() if key != "epochs"}
    assert same == {key: value for key, value in recipe["scratch"].items() if key != "epochs"}


@pytest.mark.parametrize("paper", ["han2016", "liu2019"])
@pytest.mark.parametrize("model", ["lenet300_100", "lenet5"])
def test_the_control_of_pruning_has_the_epochs_of_pruning(paper, model):
    from clusterpress.runs.named import point_config
    from clusterpress.runs.plan import plan
    from clusterpress.runs.suites import suite_points

    points = {p.name: p for p in suite_points() if (p.paper, p.data) == (paper, "mnist")}
    method = plan(point_config(points[model].overrides))
    control = plan(point_config(points[f"{model}-none"].overrides))
    steps = method.steps
    epochs = (steps["prune"].rounds - 1) * steps["prune"].recipe.epochs + sum(
        steps[name].recipe.epochs for name in ("retrain", "finetune")
    )
    assert control.steps["finetune"].recipe.epochs == epochs
