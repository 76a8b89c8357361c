"""Widths chosen on the validation split."""

import shlex
from types import SimpleNamespace

import pytest
import torch
from typer.testing import CliRunner

from clusterpress.cli import app
from clusterpress.errors import ConfigError
from clusterpress.runs.compose import compose
from clusterpress.runs.plan import plan
from clusterpress.runs.stages import Stages
from clusterpress.runs.widths import choose_widths

TARGET = ("method.steps.{0}.keep=null", "method.steps.{0}.remove=0.8")


def point(store, method, step, *more):
    target = [line.format(step) for line in TARGET]
    short = ["model=lenet5", "recipe.train.epochs=1", "tracker=none"]
    return [*short, f"method={method}", *target, f"store={store}", *more]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("widths")


@pytest.mark.parametrize(
    ("method", "step"), [("wang2020", "merge"), ("l1_neurons", "prune"), ("li2017", "prune")]
)
def test_the_chosen_widths_give_a_point_that_meets_the_target(store, method, step):
    overrides = point(store, method, step)
    if method == "li2017":  # Filters alone hold a twentieth of LeNet-5.
        overrides.append("method.steps.prune.remove=0.04")
    chosen = choose_widths(compose(overrides), images=100, say=lambda line: None)
    share = 0.04 if method == "li2017" else 0.8
    assert chosen.left[chosen.best] <= (1 - share) * chosen.left["before"]
    own = plan(compose(overrides)).steps[step].with_keep(chosen.keep)
    network = plan(compose(overrides)).network()
    layers = own.hidden(network, torch.zeros(1, 1, 28, 28))
    widths = {layer.name: round(own.keep.get(layer.name, 1) * layer.width) for layer in layers}
    assert widths == chosen.widths


def test_the_command_that_is_printed_is_a_point(store):
    given = point(store, "wang2020", "merge")
    done = CliRunner().invoke(app, ["widths", "--images", "50", *given])
    assert done.exit_code == 0, done.output
    words = shlex.split(done.output.strip().splitlines()[-1])
    assert words[:2] == ["clusterpress", "run"]
    step = plan(compose(words[2:])).steps["merge"]
    assert step.remove is None
    assert set(step.keep) <= {"conv1", "conv2", "ip1"}


def test_retrained_candidates_are_judged_by_their_error_on_validation(store):
    given = point(store, "wang2020", "merge")
    lines = []
    chosen = choose_widths(compose(given), images=50, epochs=1, say=lines.append)
    assert set(chosen.retrained) == set(chosen.candidates) == {"uniform", "by loss", "by use"}
    assert chosen.retrained[chosen.best] == min(chosen.retrained.values())
    assert chosen.widths == chosen.candidates[chosen.best]
    before = chosen.left.pop("before")
    assert max(chosen.left.values()) <= 0.2 * before
    assert sum("after 1 epochs" in line for line in lines) == 3
    done = CliRunner().invoke(app, ["widths", "--images", "50", "--epochs", "1", *given])
    assert done.exit_code == 0, done.output
    assert f"has the widths {chosen.best}" in " ".join(done.output.split())


def test_what_never_trains_again_cannot_be_retrained(store):
    point_ = point(store, "wang2020", "merge", "~method.steps.finetune")
    with pytest.raises(ConfigError, match="no step that trains after"):
        choose_widths(compose(point_), epochs=1)


def test_test_images_have_no_part_in_it(store, monkeypatch):
    config = compose(point(store, "wang2020", "merge"))
    before = choose_widths(config, images=60, say=lambda line: None)
    images = Stages.images.fget

    def without_test(self):
        found = images(self)
        kept = ("name", "train", "validation", "normalize")
        return SimpleNamespace(**{name: getattr(found, name) for name in kept})

    monkeypatch.setattr(Stages, "images", property(without_test))
    assert choose_widths(config, images=60, say=lambda line: None).widths == before.widths


def test_a_method_without_a_target_is_refused(store):
    for method, lines in (("wang2020", []), ("han2016", []), ("none", [])):
        with pytest.raises(ConfigError, match="has 0 steps with a target"):
            choose_widths(compose([f"method={method}", f"store={store}", *lines]))


def test_validation_images_are_needed(store):
    config = compose(point(store, "wang2020", "merge", "data.validation=0"))
    with pytest.raises(ConfigError, match="100 of 0 were asked for"):
        choose_widths(config, images=100)
