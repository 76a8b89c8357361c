"""What Hydra's words for sweeps mean to a search."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from clusterpress.errors import ConfigError
from clusterpress.runs.compose import sweep_points
from clusterpress.sweeps.settings import Settings
from clusterpress.sweeps.space import rounded, space_of

KINDS = {
    "a,b": CategoricalDistribution(("a", "b")),
    "2,3,2": CategoricalDistribution(("2", "3")),
    "choice(true,[1,2])": CategoricalDistribution(("True", "[1,2]")),
    "range(2,6)": IntDistribution(2, 5),
    "range(1,10,4)": IntDistribution(1, 9, step=4),
    "range(5,1,-2)": IntDistribution(3, 5, step=2),
    "range(0.1,0.5,step=0.1)": FloatDistribution(0.1, 0.4, step=0.1),
    "tag(log,range(1,9))": IntDistribution(1, 8, log=True),
    "interval(0,2)": FloatDistribution(0.0, 2.0),
    "int(interval(1,9))": IntDistribution(1, 9),
    "tag(log,interval(1e-4,0.1))": FloatDistribution(1e-4, 0.1, log=True),
    "tag(log,int(interval(1,64)))": IntDistribution(1, 64, log=True),
}


@pytest.mark.parametrize("text", KINDS)
def test_each_kind_of_sweep(text):
    space = space_of(["method=none", f"+a.b={text}", "seed=3,4"])
    assert space.varied == {"+a.b": KINDS[text]}
    assert (space.fixed, space.seeds) == (("method=none",), (3, 4))


@pytest.mark.parametrize("text", ["a,b", "range(2,6)", "range(0,1,step=0.25)", "range(5,1,-2)"])
def test_a_grid_is_what_a_sweep_of_the_same_words_runs(text):
    grid = space_of([f"k={text}"]).grid()["k"]
    assert {f"k={value}" for value in grid} == {line for (line,) in sweep_points([f"k={text}"])}


def test_corners_and_seeds():
    space = space_of(["k=interval(1,2)", "m=c,b,a"])
    assert space.seeds == (0,)
    assert space.corner(high=False) == ("k=1.0", "m=c")
    assert space.corner(high=True) == ("k=2.0", "m=a")


def test_rounding_stays_within_the_ends():
    among = FloatDistribution(0.1234561, 0.5)
    assert rounded(0.12345612, among) == 0.1234561
    assert rounded(0.33333333333, among) == 0.333333
    assert rounded("a", CategoricalDistribution(("a",))) == "a"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["method=none"], "nothing to search"),
        (["k=interval(2,1)"], "larger one, not from 2.0 to 1.0"),
        (["k=range(3,3)"], "the range is empty"),
        (["k=range(1,3,0)"], "must not be 0"),
        (["k=tag(log,range(1,9,2))"], "step 1"),
        (["k=tag(log,interval(0,1))"], r"k=tag\(log,interval\(0,1\)\): "),
        (["k=tag(odd,interval(0,1))"], "the only tag is log, not odd"),
        (["k=tag(log,choice(1,2))"], "a list has no order"),
        (["k=1,2", "k=3"], "k is given 2 times"),
        (["k=glob(*)"], "ConfigLoader"),
        (["k=1,2", "seed=-1"], "whole numbers from 0 on"),
        (["k=1,2", "seed=interval(0,1)"], "whole numbers from 0 on"),
        (["store=a,b"], "cannot vary store"),
        (["k=1,,2"], "k=1,,2"),
    ],
)
def test_what_cannot_be_searched_is_said(lines, words):
    with pytest.raises(ConfigError, match=words):
        space_of(lines)


def test_an_interval_is_no_sweep():
    with pytest.raises(ConfigError, match="hydra/sweeper=optuna"):
        sweep_points(["k=interval(0,1)"])


def test_all_wrong_settings_are_said_at_once():
    good = {"study": "s", "n_trials": 1, "n_jobs": None, "sampler": "tpe", "population": 2}
    assert Settings.of({**good, "seed": 0}).study == "s"
    bad = {"study": "a/b", "n_trials": 0, "n_jobs": 1.5, "sampler": "tpee", "population": True}
    with pytest.raises(ConfigError) as error:
        Settings.of({**bad, "seed": -1})
    for name in ("study", "n_trials", "n_jobs", "sampler", "population", "seed"):
        assert f"hydra.sweeper.{name}" in str(error.value)
    assert "nearest is 'tpe'" in str(error.value)
