"""The recipes keep the controls fair."""

import pytest

from clusterpress.errors import ConfigError
from clusterpress.places import folder
from clusterpress.results.controls import control_suites
from clusterpress.results.names import control_of
from clusterpress.runs.compose import compose, resolved
from clusterpress.runs.named import point_config
from clusterpress.runs.plan import plan
from clusterpress.runs.suites import suite_points

ROOT = folder("conf") / "recipe"
RECIPES = sorted(path.relative_to(ROOT).with_suffix("").as_posix() for path in ROOT.rglob("*.yaml"))


@pytest.mark.parametrize("name", RECIPES)
def test_training_from_scratch_has_the_epochs_of_the_baseline_and_its_recovery(name):
    recipe = resolved(compose([f"recipe={name}"]))["recipe"]
    assert recipe["scratch"]["epochs"] == recipe["train"]["epochs"] + recipe["recover"]["epochs"]
    same = {key: value for key, value in recipe["train"].items() if key != "epochs"}
    assert same == {key: value for key, value in recipe["scratch"].items() if key != "epochs"}


POINTS = {
    (point.paper, point.data, point.name, profile): (*point.overrides, f"profile={profile}")
    for point in suite_points()
    for profile in ("cpu", *(["paper"] if point.data.startswith(("cifar", "imagenet")) else []))
}


# New weights, and no training at all, are no matter of extra epochs.
OTHERS = {"method=from_scratch", "method=share_fc"}


def control(of):
    paper, data, name, profile = of
    for suite in control_suites(paper, name):
        names = [n for p, d, n, f in POINTS if (p, d, f) == (suite, data, profile)]
        if (found := control_of(name, names)) is not None:
            return POINTS[suite, data, found, profile]
    return None


def trained(overrides):
    """Give the epochs that a point's steps train for, all together."""
    steps = plan(point_config(overrides)).steps.values()
    rounds = [(getattr(step, "rounds", 2) - 1, step) for step in steps if hasattr(step, "recipe")]
    return sum(count * step.recipe.epochs for count, step in rounds)


@pytest.mark.parametrize("of", [of for of in POINTS if of[-1] == "paper"], ids="-".join)
def test_the_papers_schedules_fit_every_point(of):
    assert plan(point_config(POINTS[of])).steps


@pytest.mark.parametrize(
    "of", [of for of in POINTS if control(of) and not OTHERS & {*POINTS[of]}], ids="-".join
)
def test_a_control_is_trained_for_as_many_epochs_as_its_point(of):
    assert trained(control(of)) == trained(POINTS[of]) > 0


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
