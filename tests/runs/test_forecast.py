"""What a suite says before it runs."""

from dataclasses import replace

import pytest
from tests.conftest import SHORT

from clusterpress.errors import ConfigError
from clusterpress.memory import peak_memory_bytes
from clusterpress.models import ResNet18
from clusterpress.runs import timing
from clusterpress.runs.compose import compose
from clusterpress.runs.duration import duration
from clusterpress.runs.forecast import Forecast, RunForecast, Training, forecast
from clusterpress.runs.forecast_table import forecast_table
from clusterpress.runs.narrow import narrow
from clusterpress.runs.pipeline import execute
from clusterpress.runs.plan import plan
from clusterpress.runs.stages import Stages
from clusterpress.runs.store import Store
from clusterpress.runs.timing import shortest_step
from clusterpress.steps import Prune
from clusterpress.training import checkpoints
from clusterpress.training.loop import train
from clusterpress.training.module import Classifier
from clusterpress.training.recipe import Recipe

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
    assert before.seconds == sum(before.work.values()) > 0
    assert {stage for run in before.each for stage in run.stages} == before.work.keys()
    execute(compose([*points[0], "seed=0"]))
    after = forecast(points, [0, 1])
    assert after.done == 1
    assert sorted(training.baseline for training in after.trainings) == 3 * [False] + [True]


def test_the_memory_is_that_of_the_process(points):
    found = forecast(points[:1], [0])
    assert 50e6 < found.peak_bytes <= peak_memory_bytes()  # torch alone has more.


@pytest.mark.parametrize(("rounds", "between"), [(1, []), (3, [8])])
def test_a_step_of_several_rounds_trains_between_them(rounds, between, tmp_path):
    pruned = (*SHORT, f"store={tmp_path}", "method=han2016", "recipe.retrain.epochs=4")
    found = forecast([(*pruned, f"method.steps.prune.rounds={rounds}")], [0])
    assert [training.epochs for training in found.trainings] == [2, *between, 4, 1]


def test_a_step_that_does_not_say_its_rounds_has_its_class_s(tmp_path):
    more = "+method.steps.more={_target_: clusterpress.steps.Prune, keep: 0.5, recipe: "
    once = (*SHORT, f"store={tmp_path}", "method=han2016", "method.steps.prune.rounds=1")
    known = [training.epochs for training in forecast([once], [0]).trainings]
    found = forecast([(*once, more + "'${recipe.retrain}'}")], [0])
    assert [training.epochs for training in found.trainings] == known


class Mine(Prune):
    """Prunes as it does."""


def test_a_step_of_ones_own_that_prunes_trains_between_its_rounds(tmp_path):
    class_path = f"method.steps.prune._target_={__name__}.Mine"
    pruned = (*SHORT, f"store={tmp_path}", "method=han2016", "recipe.retrain.epochs=4")
    found = forecast([(*pruned, class_path, "method.steps.prune.rounds=3")], [0])
    assert [training.epochs for training in found.trainings] == [2, 8, 4, 1]


class Rounds:
    """Trains in every round, if that is what it does: its rounds are its own matter."""

    version = 1

    def __init__(self, recipe: Recipe, rounds: int | None = None) -> None:
        self.recipe, self.rounds = recipe, rounds

    def apply(self, network, context):
        context.train(network, self.recipe)
        return network


@pytest.mark.parametrize("rounds", [None, 1, 2])
def test_the_rounds_of_others_steps_are_not_ours_to_count(rounds, tmp_path):
    more = f"+method.steps.more={{_target_: {__name__}.Rounds, rounds: {rounds or 'null'}, recipe: "
    once = (*SHORT, f"store={tmp_path}", "method=none", "recipe.retrain.epochs=4")
    found = forecast([(*once, more + "'${recipe.retrain}'}")], [0])
    assert [training.epochs for training in found.trainings][-1] == 4


@pytest.mark.parametrize(
    "overrides",
    [
        ("method=wang2020", "method.steps.merge.keep={ip1:0.2,ip2:0.4}"),
        ("method=zhong2018", "method.steps.merge.keep=null", "method.steps.merge.remove=0.9"),
        ("method=from_scratch", "method.steps.narrow.keep=0.5"),
        ("method=li2017", "model=lenet5", "method.steps.prune.keep=0.5"),
        ("method=none",),
    ],
)
def test_a_training_is_timed_at_the_widths_that_it_will_have(overrides, tmp_path, monkeypatch):
    timed = []

    def shapes(network):
        return [weight.shape for weight in network.parameters()]

    def record(network, *args, **settings):
        timed.append(shapes(network))
        return train(network, *args, **settings)

    monkeypatch.setattr(timing, "train", record)
    point = (*SHORT, f"store={tmp_path}", POINTS[0][1], *overrides)
    assert forecast([point], [0]).seconds > 0
    stages = Stages(plan(compose(point)), Store(tmp_path))
    last = len(stages.plan.steps)
    stages.result(last)
    assert timed[-1] == shapes(stages.network(last))
    narrower = overrides != ("method=none",)
    assert [len(timed), timed[-1] != timed[0]] == [1 + narrower, narrower]


def test_a_merge_up_to_a_distance_is_timed_at_full_width(tmp_path):
    distance = ("method.steps.merge.keep=null", "+method.steps.merge.distance=0.5")
    found = forecast([(*SHORT, f"store={tmp_path}", "method=wang2020", *distance)], [0])
    assert [training.narrowing for training in found.trainings] == [(), ()]


def test_widths_that_a_network_cannot_have_are_refused_before_a_plan(tmp_path):
    points = [(*SHORT, f"store={tmp_path}", *POINTS[1][:2], "method.steps.merge.keep={ip9:0.5}")]
    with pytest.raises(ConfigError, match="'ip9'"):
        forecast(points, [0])


def test_every_point_is_checked_before_any_trains(points):
    # The second has the networks of the first, which are timed once.
    quantize = "+method.steps.q={_target_: clusterpress.steps.Quantize, bits: {ip9: 2}}"
    with pytest.raises(ConfigError, match=r"^method\.steps\.q: .*'ip9'"):
        forecast([points[0], (*points[0], quantize)], [0])


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("method.steps.finetune=null", r"method\.steps\.finetune has no _target_"),
        ("method.steps.finetune=3", r"method\.steps\.finetune has no _target_"),
        ("+method.steps.p={keep: 0.5}", r"method\.steps\.p has no _target_"),
        ("recipe.train=null", r"recipe\.train has no _target_"),
        ("recipe.train.epochs=abc", "epochs is 'abc'"),
        ("recipe.train.epochs=null", "epochs is None"),
        (
            "+method.steps.p={_target_: clusterpress.steps.Prune, keep: 0.5, rounds: abc}",
            "rounds='abc'",
        ),
    ],
)
def test_values_of_no_use_are_refused_in_a_sentence(points, override, sentence):
    with pytest.raises(ConfigError, match=sentence):
        forecast([(*points[1], override)], [0])


class Another:
    version = 1

    def apply(self, network, context):
        return network


def test_widths_that_fit_what_anothers_step_makes_spoil_no_plan(tmp_path):
    another = f"+method.steps.another={{_target_: {__name__}.Another}}"
    merge = "+method.steps.merge={_target_: clusterpress.steps.MergeNeurons, keep: {ip9: 0.5}}"
    found = forecast([(*SHORT, f"store={tmp_path}", "method=none", another, merge)], [0])
    assert all(seconds > 0 for seconds in found.work.values())


@pytest.mark.parametrize(("skips", "width"), [("internal", 64), ("joined", 32)])
def test_a_narrowed_network_joins_skips_as_the_step_does(skips, width):
    node = {"keep": 0.5, "skips": skips, "criterion": "random"}
    network = narrow(ResNet18(), [node], (3, 32, 32))
    assert network.conv1.out_channels == width


def test_a_training_of_no_epochs_is_none(tmp_path):
    overrides = (*SHORT, f"store={tmp_path}", "method=none", "recipe.train.epochs=0")
    assert [t.baseline for t in forecast([overrides], [0]).trainings] == [False]


def test_one_baseline_may_serve_all_seeds(points):
    shared = [(*point, "baseline_seed=0") for point in points]
    found = forecast(shared, [0, 1, 2])
    assert sum(training.baseline for training in found.trainings) == 1
    assert len(found.trainings) == 7


def test_the_sentence():
    training = Training({}, True, 1)
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


def test_epochs_that_a_stopped_training_has_done_are_not_to_be_done(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    overrides = (*SHORT, f"store={tmp_path}", "method=none", "recipe.train.epochs=4")
    checked = plan(compose(overrides))
    whole = forecast([overrides], [0])
    began = Classifier.on_train_epoch_start

    def stop(module):
        if module.current_epoch == 3:
            raise KeyboardInterrupt
        began(module)

    monkeypatch.setattr(Classifier, "on_train_epoch_start", stop)
    with pytest.raises(BaseException):  # noqa: B017, PT011 - Lightning has its own for Ctrl-C
        Stages(checked, Store(tmp_path)).result(0)
    monkeypatch.setattr(Classifier, "on_train_epoch_start", began)
    found = forecast([overrides], [0])
    assert [(t.epochs, t.done, t.left) for t in whole.trainings] == [(4, 0, 4), (1, 0, 1)]
    assert [(t.epochs, t.done, t.left) for t in found.trainings] == [(4, 3, 1), (1, 0, 1)]
    assert "(3 epochs of them are done)" in found.sentence()
    (state,) = tmp_path.glob("unfinished/*/0.ckpt")
    state.write_bytes(state.read_bytes()[:100])  # Whoever goes on from it will say so.
    assert [t.done for t in forecast([overrides], [0]).trainings] == [0, 0]


def test_memory_is_said_of_each_process():
    found = Forecast(1, 1, 0, (Training({}, True, 1),), 1.0, peak_bytes=1_260_000_000)
    assert found.sentence().endswith("on this machine, about 1.3 GB of memory")
    assert found.sentence(2).endswith("about 1.3 GB of memory in each of 2 processes")


def test_a_setting_that_is_none_is_explained(tmp_path):
    with pytest.raises(ConfigError, match=r"nearest is 'recipe\.train\.epochs'"):
        forecast([(*SHORT, f"store={tmp_path}", "recipe.train.epoch=1")], [0])


def test_the_table_counts_a_shared_stage_for_its_first_point():
    each = (
        *(RunForecast("a0", True), RunForecast("a1", False, ("s", "t"))),
        *(RunForecast("b0", False, ("s", "u")), RunForecast("b1", False, ())),
    )
    work = {"s": 600.0, "t": 60.0, "u": 120.0}
    table = forecast_table(Forecast(2, 4, 1, (), 780.0, each, work), ["a", "b"])
    columns = {str(column.header): list(column.cells) for column in table.columns}
    assert columns == {
        "point": ["a", "b"],
        "runs": ["2", "2"],
        "cached": ["1", "0"],
        "to do": ["1", "2"],
        "to train": ["2", "1"],
        "time": ["about 11 min", "about 2 min"],
    }


def test_a_step_takes_the_shortest_time_that_was_seen():
    assert shortest_step([3.0, 4.5, 5.5, 9.5], 12.0) == 1.0
    assert shortest_step([3.0], 3.5) == 3.5  # The data fill one batch.
