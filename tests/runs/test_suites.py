"""Every point of every suite is a valid config, under a name of its own."""

import pytest
from typer.testing import CliRunner

from clusterpress.cli import app
from clusterpress.errors import ConfigError
from clusterpress.runs.compose import compose
from clusterpress.runs.named import named_points, point_config
from clusterpress.runs.plan import plan
from clusterpress.runs.suites import check_common, chosen, suite_points


def test_every_suite_point_is_valid():
    titles = [plan(point_config(point.overrides)).title for point in suite_points()]
    assert len(titles) == len(suite_points()) > 100
    named = [place for places in named_points().values() for place in places]
    assert set(named) == {(point.paper, point.name) for point in suite_points()}
    twice = [p for p in suite_points() if p.data == "imagenet" or p.data.startswith("cifar")]
    assert len(named) == len(suite_points()) + len(twice)  # in the papers' schedules too


def test_every_paper_has_a_suite_on_digits_and_mnist():
    suites = {(point.paper, point.data) for point in suite_points()}
    for paper in ("han2016", "liu2019", "wang2020", "zhong2018", "wu2019", "controls"):
        assert {(paper, "digits"), (paper, "mnist")} <= suites


def test_an_unknown_paper_names_the_nearest():
    with pytest.raises(ConfigError, match="nearest is 'han2016'"):
        chosen(suite_points(), ["han2015"], [])


def test_a_name_twice_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "paper: a\nsuites: {digits: [{name: x, overrides: []}, {name: x, overrides: []}]}"
    )
    with pytest.raises(ConfigError, match="a/digits/x"):
        suite_points(tmp_path)


@pytest.mark.parametrize("point", suite_points()[::9], ids=lambda point: point.title)
def test_the_shortcut_composes_what_hydra_composes(point):
    assert point_config(point.overrides) == compose(point.overrides)


def test_the_suites_on_imagenet_start_from_torchvisions_weights_and_train_no_baseline():
    points = [point for point in suite_points() if point.data == "imagenet"]
    assert {p.paper for p in points} == {"han2016", "liu2019", "son2018", "stock2020", "wu2019"}
    for point in points:
        config = point_config(point.overrides)
        assert config.model.weights == "imagenet1k_v1"
        assert config.recipe.train.epochs == 0


@pytest.mark.parametrize("line", ["seed=7", "++seed=7", "~seed", "~recipe.train.epochs"])
def test_what_suites_cannot_take_is_refused_before_anything_runs(line):
    with pytest.raises(ConfigError, match="--set"):
        check_common(["recipe.train.epochs=1", line])
    check_common(["recipe.train.epochs=1", "hydra.searchpath=[]", "baseline_seed=0"])


def test_the_command_refuses_a_seed_among_the_overrides_of_all_points():
    given = ["reproduce", "wang2020", "--seeds", "1", "--plan", "--set", "seed=7"]
    ended = CliRunner().invoke(app, given)
    assert isinstance(ended.exception, ConfigError)
    assert "--seeds" in str(ended.exception)
