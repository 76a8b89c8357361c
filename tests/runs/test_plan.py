"""The identities of composed points."""

import pytest

from clusterpress.errors import ConfigError
from clusterpress.runs.compose import compose, resolved
from clusterpress.runs.identity import identify
from clusterpress.runs.plan import plan


def ids(*overrides):
    checked = plan(compose(overrides))
    return checked.point, checked.id, checked.stage_ids


def test_where_a_run_happens_is_no_part_of_its_identity(tmp_path):
    here = ids()
    assert (
        ids(
            f"store={tmp_path}",
            "data_dir=/elsewhere",
            "trainer.progress=true",
            "tracker=wandb",
            "download=false",
        )
        == here
    )


def test_one_point_for_all_seeds():
    one, other = ids("seed=0"), ids("seed=1")
    assert one[0] == other[0]
    assert one[1] != other[1]
    assert not set(one[2]) & set(other[2])


def test_methods_share_the_baseline_and_equal_first_steps():
    han, liu = ids("method=han2016"), ids("method=liu2019")
    assert han[2][:3] == liu[2][:3]
    assert han[2][3] != liu[2][3]
    assert han[0] != liu[0]


def test_data_model_recipe_and_knobs_change_the_identity():
    points = [
        ids(*o)[1]
        for o in (
            (),
            ("model=lenet5",),
            ("data=mnist",),
            ("recipe.train.lr=0.123",),
            ("method=wang2020",),
            ("trainer=debug",),
        )
    ]
    assert len(set(points)) == len(points)


def test_the_profiles_name_is_part_of_the_identity():
    config = compose([])
    before = plan(config).point
    config.profile = "other"
    assert plan(config).point != before


def test_spelling_out_a_default_changes_nothing():
    assert ids("method=wang2020", "+method.steps.merge.restarts=5") == ids("method=wang2020")


def test_the_protocol_is_that_of_the_recipes():
    assert plan(compose([])).protocol == "last"
    assert plan(compose(["recipe.train.select=validation"])).protocol == "validation"


def test_what_changes_the_training_changes_the_identity():
    assert ids("trainer.precision=32") == ids()
    assert ids("trainer.precision=bf16") != ids()
    finetuned = ("method=han2016", "recipe.finetune.precision=bf16")
    assert ids(*finetuned, "trainer.precision=32") != ids(*finetuned)
    assert ids("method=han2016", "trainer.precision=32") == ids("method=han2016")
    assert ids("trainer=ddp") != ids()


def test_no_step_is_called_baseline():
    with pytest.raises(ConfigError, match="the name of the first stage"):
        plan(compose(["+method.steps.baseline={_target_: clusterpress.steps.Reinitialize}"]))


def test_a_model_for_images_of_another_size_is_refused():
    with pytest.raises(ConfigError, match=r"LeNet5 takes images of 28x28.*cifar10 have 32x32"):
        plan(compose(["data=cifar10", "model=lenet5", "recipe=mnist_lenet5"]))


@pytest.mark.parametrize(
    ("method", "recipe"),
    [("zhu2017", "retrain"), ("bwn", "retrain"), ("cho2022", "recover"), ("uniform", "recover")],
)
def test_the_protocol_is_also_that_of_trainings_inside_steps(method, recipe):
    overrides = [f"method={method}", f"recipe.{recipe}.select=validation"]
    assert plan(compose(overrides)).protocol == "validation"


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("~seed", "seed is missing"),
        ("seed=-1", "seed is -1, it must be 0 or more"),
        ("baseline_seed=-2", "baseline_seed is -2"),
        ("store=", "store is empty"),
    ],
)
def test_what_every_run_needs_is_asked_for_in_one_sentence(override, sentence):
    with pytest.raises(ConfigError, match=sentence):
        plan(compose([override]))


def test_a_number_that_is_not_finite_names_no_run():
    with pytest.raises(ConfigError, match="no finite number"):
        identify(resolved(compose(["recipe.train.lr=1e9999"])))
