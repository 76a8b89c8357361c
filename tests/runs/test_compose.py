"""A wrong override names the nearest valid key, before anything is built."""

import pytest

from clusterpress.errors import ConfigError
from clusterpress.runs.compose import compose, sweep_points
from clusterpress.runs.plan import plan


@pytest.mark.parametrize(
    ("override", "near"),
    [
        ("typo=1", "is not a setting"),
        ("+typo=1", "is not a setting"),
        ("sead=1", "'seed'"),
        ("+sead=1", "'seed'"),
        ("metod=none", "'method'"),
        ("recipe.train.epoch=3", "'recipe.train.epochs'"),
        ("+recipe.train.epoch=3", "'epochs'"),
        ("+method.nam=x", "'name'"),
        ("+method.steps.finetune.recipee=1", "'recipe'"),
        ("+model.depth=3", "nothing is valid here"),
        ("+data.validatoin=10", "'validation'"),
    ],
)
def test_an_unknown_key_names_the_nearest(override, near):
    with pytest.raises(ConfigError, match="is not a setting") as caught:
        plan(compose([override]))
    assert near in str(caught.value)


def test_a_node_that_is_another_one_says_where_to_set_it():
    here = ["data=digits", "model=lenet5", "method=han2016"]
    for key in ("recipe.sparse", "method.steps.prune.recipe", "method.steps.retrain.recipe"):
        with pytest.raises(
            ConfigError, match=r"another node's here; set 'recipe\.retrain\.epochs'"
        ):
            compose([*here, f"{key}.epochs=2"])
        with pytest.raises(
            ConfigError, match=r"not a setting; nearest is 'recipe\.retrain\.epochs'"
        ):
            compose([*here, f"{key}.epohcs=2"])
    assert compose([*here, "recipe.retrain.epochs=2"])
    with pytest.raises(ConfigError, match=r"'recipe.sparse.epoch' is not a setting"):
        compose(["data=cifar10", "model=vgg16", "recipe.sparse.epoch=2"])


def test_an_unknown_choice_lists_the_choices():
    with pytest.raises(ConfigError, match="han2016"):
        compose(["method=han2061"])


@pytest.mark.parametrize("override", ["seed=zero", "method", "seed=[1", "=3"])
def test_a_wrong_value_or_line_is_a_config_error(override):
    with pytest.raises(ConfigError):
        plan(compose([override]))


def test_all_errors_come_at_once():
    with pytest.raises(ConfigError) as caught:
        plan(
            compose(
                [
                    "method=wang2020",
                    "method.steps.merge.keep=1.5",
                    "recipe.train.lr=-1",
                    "trainer.devices=0",
                ]
            )
        )
    for part in ("keep", "lr", "devices"):
        assert part in str(caught.value)


def test_a_sweep_is_the_product_of_its_values():
    points = sweep_points(["seed=0,1", "data=mnist", "method.steps.x=[1,2]", "+a.b=2,3"])
    assert len(points) == 4
    assert points[0] == ["seed=0", "data=mnist", "method.steps.x=[1,2]", "+a.b=2"]
    assert points[-1] == ["seed=1", "data=mnist", "method.steps.x=[1,2]", "+a.b=3"]


def test_a_broken_line_is_a_config_error():
    with pytest.raises(ConfigError):
        sweep_points(["seed=[1"])


def test_a_line_without_a_value_is_refused():
    with pytest.raises(ConfigError, match=r"seed=range\(1,1\) gives no value"):
        sweep_points(["seed=range(1,1)", "data=mnist"])


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("method.steps.share.bits=2.5", "bits=2.5 is not a whole number"),
        ("method.steps.prune.rounds=2.5", "rounds=2.5 is not a whole number"),
        ("method.steps.finetune.recipe=5", "recipe=5 is no recipe"),
        ("method.steps.prune.keep={conv9:0.5}", "'conv9', which the network does not have"),
        ("method.steps.share.bits={ip3:11}", "layer 'ip3' has 80 kept weights"),
        ("method.steps.prune.keep=0", "outside"),
        ("method.steps.prune.keep=1.5", "outside"),
    ],
)
def test_a_knob_that_does_not_fit_is_refused_before_anything_trains(override, sentence):
    with pytest.raises(ConfigError, match=sentence):
        plan(compose(["method=han2016", override]))


def test_a_foreign_target_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"os\.nothing"):
        plan(compose(["method.steps.finetune._target_=os.nothing"]))


def test_what_is_no_step_is_refused():
    with pytest.raises(ConfigError, match="is no step"):
        plan(compose(["+method.steps.x={_target_: clusterpress.training.recipe.Recipe}"]))
