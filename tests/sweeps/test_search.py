"""Searches that train: their front, their failures, and what a kill leaves."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from clusterpress.cli import app
from clusterpress.errors import ConfigError
from clusterpress.results import PROVENANCE, read_records
from clusterpress.results.pareto import front, front_rows
from clusterpress.results.pareto_figure import baselines
from clusterpress.sweeps.search import run_search
from clusterpress.sweeps.study import study_path, tried

TRIALS = 3
SHORT = (
    "recipe.train.epochs=1",
    "download=false",
)
STEP = "+method.steps.odd._target_=tests.sweeps.stubborn"
SEARCH = (
    "hydra/sweeper=optuna",
    "hydra.sweeper.study=s",
    "hydra.sweeper.sampler=random",
    "hydra.sweeper.seed=3",  # Its second trial fails.
    f"hydra.sweeper.n_trials={TRIALS}",
    *SHORT,
    "method=entropy_share",
    "method.steps.share.price=tag(log,interval(0.001,1))",
    f"{STEP}.Passes,tests.sweeps.stubborn.Fails",
    "seed=0,1",
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A store with a search that nobody stopped, and how its runs ended."""
    store = tmp_path_factory.mktemp("search") / "store"
    return store, run_search([*SEARCH, f"store={store}"])


def test_a_trial_is_the_mean_of_its_seeds_on_the_validation_split(whole):
    table = read_records(whole[0]).set_index("id")
    for trial in tried(whole[0], "s"):
        if trial.values:
            runs = table.loc[list(trial.runs)]
            assert sorted(runs["seed"]) == [0, 1]
            assert trial.values == (runs["validation_error"].mean(), runs["file_bytes"].mean())


def test_a_trial_that_fails_stops_no_other(whole):
    store, searched = whole
    trials = tried(store, "s")
    failed = [trial for trial in trials if trial.failure]
    assert len(trials) == TRIALS
    assert [trial.number for trial in failed] == [1]
    for trial in failed:
        assert "this step never works" in trial.failure
        assert trial.parameters[f"{STEP.split('=', 1)[0]}"].endswith("Fails")
        assert not trial.best
    assert [run.failure is None for run in searched.ended] == [True, True, False, False, True, True]


def test_what_is_done_is_not_done_again_and_another_search_is_refused(whole):
    store, _ = whole
    before = tried(store, "s")
    assert run_search([*SEARCH, f"store={store}"]).ended == []
    assert tried(store, "s") == before
    with pytest.raises(ConfigError, match=r"recipe\.train\.epochs=2 is new"):
        run_search([*SEARCH, f"store={store}", "recipe.train.epochs=2"])


def test_the_front_is_printed_and_written(whole, tmp_path):
    store, folder = whole[0], tmp_path / "new" / "folder"
    done = CliRunner().invoke(app, ["pareto", "s", "--store", str(store), "-o", str(folder)])
    assert done.exit_code == 0, done.output
    frame, trials = read_records(store), tried(store, "s")
    rows = front_rows(trials, frame)
    text = (folder / "pareto-s.md").read_text()
    for row, trial in zip(rows, front(trials), strict=True):
        assert row["command"] == trial.command
        assert f"`{trial.command}`" in text
        assert f"{trial.values[1]:,.0f}" in done.output
        assert row["test error, %"] != "–"
    assert (folder / "pareto-s.csv").read_text().startswith("trial,price,")
    picture = (folder / "pareto-s.svg").read_text()
    assert "lenet300_100, uncompressed" in picture
    ((_, size, error),) = baselines(frame)
    assert size == frame["reference_bytes"].iloc[0]
    assert error == frame.drop_duplicates("seed")["baseline_validation_error"].mean()


def test_a_search_goes_on_after_its_process_was_killed(whole, tmp_path):
    store = tmp_path / "store"
    command = [sys.executable, "-m", "clusterpress.cli", "run", "-m", *SEARCH, f"store={store}"]
    one = {**os.environ, "OMP_NUM_THREADS": "1"}  # As here: their number changes the last bits.
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True, env=one)
    deadline = time.monotonic() + 120
    while len(done(store)) < 2 and driver.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)  # Most likely in the midst of the next trial.
    os.killpg(driver.pid, signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL
    kept = done(store)
    assert study_path(store, "s").is_file()
    run_search([*SEARCH, f"store={store}"])
    assert {path: time for path, time in done(store).items() if path in kept} == kept
    assert plain(store) == plain(whole[0])
    measured, expected = (
        read_records(each).drop(columns=[*PROVENANCE]) for each in (store, whole[0])
    )
    pd.testing.assert_frame_equal(measured, expected)


def done(store: Path) -> dict[str, int]:
    return {path.parent.name: path.stat().st_mtime_ns for path in store.glob("runs/*/record.json")}


def plain(store: Path):
    return [
        (each.number, each.parameters, each.values, each.failure, each.runs, each.best)
        for each in tried(store, "s")
    ]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["hydra.sweeper.n_trails=3"], "nearest is 'hydra.sweeper.n_trials'"),
        (["hydra.sweeper.n_trials=0"], "n_trials is 0"),
        (["hydra.sweeper.sampler=tpee"], "nearest is 'tpe'"),
        (["hydra.sweeper.sampler=grid"], "is an interval"),
        (["method.steps.share.price=interval(-1,1)"], "price"),
        (["data.validation=0"], "validation split"),
        (["hydra/launcher=submitit_local"], "hydra.sweeper.n_jobs=4"),
    ],
)
def test_wrong_input_is_a_sentence_before_anything_is_there(overrides, words, tmp_path):
    lines = [line for line in SEARCH if line.split("=")[0] != overrides[0].split("=")[0]]
    with pytest.raises(ConfigError, match=words):
        run_search([*lines, f"store={tmp_path / 'store'}", *overrides])
    assert not (tmp_path / "store").exists()
