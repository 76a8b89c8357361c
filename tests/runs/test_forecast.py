"""What a suite says before it runs."""

from dataclasses import replace

import pytest
from tests.conftest import SHORT

from clusterpress.runs.compose import compose
from clusterpress.runs.forecast import Forecast, Training, duration, forecast
from clusterpress.runs.pipeline import execute

POINTS = (
    ("method=none", "model=lenet300_100"),
    ("method=wang2020", "model=lenet300_100", "method.steps.merge.keep=0.5"),
)


@pytest.fixture
def points(tmp_path):
    return [(*SHORT, f"store={tmp_path}", *point) for point in POINTS]


def test_what_is_shared_is_counted_once_and_what_is_done_not_at_all(points):
    before = forecast(points, [0, 1])
    assert (before.points, before.runs, before.done) == (2, 4, 0)
    assert sorted(training.baseline for training in before.trainings) == 4 * [False] + 2 * [True]
    assert before.seconds > 0
    execute(compose([*points[0], "seed=0"]))
    after = forecast(points, [0, 1])
    assert after.done == 1
    assert sorted(training.baseline for training in after.trainings) == 3 * [False] + [True]


def test_epochs_rounds_and_sizes(tmp_path):
    pruned = (*SHORT, f"store={tmp_path}", "method=han2016", "recipe.retrain.epochs=4")
    found = forecast([pruned], [0])
    assert [training.epochs for training in found.trainings] == [2, 12, 4, 1]
    (merged,) = forecast([(*SHORT, f"store={tmp_path}", *POINTS[1])], [0]).trainings[1:]
    assert merged.size == 0.25
    removed = ("method.steps.merge.keep=null", "method.steps.merge.remove=0.9")
    point = (*SHORT, f"store={tmp_path}", "method=wang2020", *removed)
    (merged,) = forecast([point], [0]).trainings[1:]
    assert merged.size == pytest.approx(0.1)


def test_a_training_of_no_epochs_is_none(tmp_path):
    overrides = (*SHORT, f"store={tmp_path}", "method=none", "recipe.train.epochs=0")
    assert [t.baseline for t in forecast([overrides], [0]).trainings] == [False]


def test_one_baseline_may_serve_all_seeds(points):
    shared = [(*point, "baseline_seed=0") for point in points]
    found = forecast(shared, [0, 1, 2])
    assert sum(training.baseline for training in found.trainings) == 1
    assert len(found.trainings) == 7


def test_the_sentence():
    training = Training({}, True, 1, 1.0)
    found = Forecast(2, 6, 1, (training, replace(training, baseline=False)), 4000.0)
    assert found.sentence() == (
        "plan: 2 points, 6 runs, of which 1 are done; to train: 1 baselines, 1 stages of "
        "compressed networks; about 1 h 07 min on this machine"
    )
    done = replace(found, done=6, trainings=())
    assert (
        done.sentence() == "plan: 2 points, 6 runs, of which 6 are done; nothing is to be trained"
    )
    assert [duration(s) for s in (0, 29, 61, 3569, 3571)] == [
        "less than a minute",
        "less than a minute",
        "about 1 min",
        "about 59 min",
        "about 1 h 00 min",
    ]
