"""What other terminals are told of runs and sweeps."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace

import pytest
from rich.console import Console

from clusterpress.errors import ConfigError, DataError, StoreError
from clusterpress.runs import pipeline as pipeline_module
from clusterpress.runs import stages as stages_module
from clusterpress.runs.announced import announced, progress, sweeps
from clusterpress.runs.board import Board, post, run_states
from clusterpress.runs.pipeline import execute
from clusterpress.runs.plan import plan
from clusterpress.runs.process import this_process
from clusterpress.runs.status import sentence, show_status, status
from clusterpress.runs.store import Store


def dead():
    """A process that was killed: its number is free."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    described = replace(this_process(), pid=child.pid, started=started(child.pid))
    assert described.alive
    child.kill()
    child.wait()
    return described


def started(pid):
    from clusterpress.runs.process import _started

    return _started(pid)


def test_a_process_lives_until_it_dies_and_is_not_its_successor():
    own = this_process()
    assert own.alive is True
    assert replace(own, started="1").alive is False
    assert replace(own, boot="another 4026531836").alive is False
    assert replace(own, host="elsewhere").alive is None
    assert dead().alive is False


def test_remains_of_a_killed_child_do_not_live():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    described = replace(this_process(), pid=child.pid, started=started(child.pid))
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # It is a zombie from here.
    assert described.alive is False
    child.wait()


def board(store, run="r", process=None, **values):
    made = Board(store.run_state(run), run, f"title {run}", ["baseline", "merge"], ["s0", "s1"])
    made.state = replace(made.state, **({"process": process} if process else {}), **values)
    made.at(1)
    return made


def test_a_training_tells_its_epochs_and_errors_and_nothing_stays(short, monkeypatch):
    config = short("method=wang2020", "recipe.train.epochs=3")
    store, seen = Store(plan(config).store), []
    told = Board.trained

    def trained(self, *values):
        self._written = -10.0  # No second is waited for.
        told(self, *values)
        seen.extend(run_states(store.run_states))

    monkeypatch.setattr(Board, "trained", trained)
    record = execute(config).record
    assert {state.run for state in seen} == {record["id"]}
    baseline = [state for state in seen if state.stage == 0]
    assert baseline[-1].epoch == baseline[-1].epochs == 3
    assert [state.epoch for state in baseline] == sorted(state.epoch for state in baseline)
    assert baseline[0].error is None
    assert baseline[-1].error_of == "validation"
    finetune = [state for state in seen if state.stage == 2]
    assert finetune[0].doing == "finetune"
    assert finetune[0].error == record["stages"][1]["top1_error"]
    assert finetune[0].error_of == "after merge"
    assert not list(store.run_states.iterdir())


def test_a_watched_training_and_record_are_those_of_one_that_nobody_watches(short, monkeypatch):
    checked = plan(short())
    watched = stages_module.Stages(checked, Store(checked.store), board=board(Store(checked.store)))
    alone = stages_module.Stages(checked, Store(checked.store / "alone"))
    one, other = watched.result(0), alone.result(0)
    assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_a_failed_run_stays_on_the_board_until_it_is_repeated(short, monkeypatch):
    def fail(*arguments, **keywords):
        raise DataError("no such image")

    config = short()
    store = Store(plan(config).store)
    train = stages_module.train
    monkeypatch.setattr(stages_module, "train", fail)
    with pytest.raises(DataError):
        execute(config)
    monkeypatch.setattr(stages_module, "train", train)
    (state,) = run_states(store.run_states)
    assert state.failure == "DataError: no such image"
    assert progress(store)[1] == [("failed", state)]
    execute(config)
    assert run_states(store.run_states) == []


def test_a_board_that_cannot_be_written_stops_nothing(short, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("clusterpress.runs.board.replace_whole", full)
    assert not execute(short()).done_before


def test_at_most_a_sign_a_second_goes_to_the_disk(tmp_path, monkeypatch):
    writes, clock = [], [100.0]
    monkeypatch.setattr("clusterpress.runs.board.replace_whole", lambda *a: writes.append(a))
    monkeypatch.setattr("clusterpress.runs.board.time.monotonic", lambda: clock[0])
    said = board(Store(tmp_path))
    for _ in range(1000):
        clock[0] += 0.01
        said.trained(0.5, 1, None)
    assert 9 <= len(writes) - 1 <= 10


RUNS = [("a", "run a"), ("b", "run b"), ("c", "run c"), ("d", "run d"), ("e", "run e")]


@pytest.fixture
def store(tmp_path):
    """A store with one run done, one running, one failed, one killed and one that waits."""
    made = Store(tmp_path / "store")
    with announced(made, "reproduce x", RUNS, jobs=2, work={"s1": 10.0, "s9": 50.0}):
        made.run("a").mkdir()
        board(made, "b", error=2.5, error_of="validation").trained(1.0, 4, None)
        board(made, "c").failed("OutOfMemory: [red]too big")
        board(made, "d", process=dead())
        made.run_state("x").write_text("{")
        yield made


def test_every_run_of_a_sweep_is_counted_once(store):
    (found,), single = progress(store)
    assert single == []
    assert found.counts == {"done": 1, "running": 1, "failed": 1, "killed": 1, "waiting": 1}
    assert [kind for kind, _ in found.shown] == ["running", "failed", "killed"]
    assert 0 < found.left < 1000
    assert "of 5 runs 1 done, 1 running, 1 failed, 1 killed, 1 waiting" in sentence(found)
    printed = Console(width=200, record=True, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    show_status(store.root, printed)
    text = printed.export_text()
    assert "OutOfMemory: [red]too big" in text
    assert "merge (2 of 2)" in text
    assert "2.50 % validation" in text
    assert f"driver {os.getpid()}" in text
    assert "is dead" in text


def test_what_is_left_falls_as_work_is_done(store):
    before = progress(store)[0][0].left
    store.stage("s9").mkdir()
    assert progress(store)[0][0].left < before


def test_without_a_forecast_the_time_left_is_told_by_the_runs_that_are_done(store):
    announcement(store, work=None, began=time.time() - 3600, done_before=[])
    assert progress(store)[0][0].left == pytest.approx(4 * 3600, rel=0.01)
    store.run("a").rmdir()
    (found,), _ = progress(store)
    assert found.left is None
    assert "left" not in sentence(found)


def announcement(store, **values):
    ((path, sweep),) = sweeps(store)
    post(path, asdict(replace(sweep, **values)))


def test_a_killed_driver_does_not_look_alive(store):
    announcement(store, process=dead())
    store.run_state("b").unlink()
    (found,), _ = progress(store)
    assert found.left is None
    assert sentence(found).endswith("is dead")


def test_of_another_machine_the_last_sign_is_told(store):
    elsewhere = replace(this_process(), host="elsewhere")
    announcement(store, process=elsewhere, began=time.time() - 3600)
    board(store, "b", process=elsewhere)
    (found,), _ = progress(store)
    assert found.counts["running"] == 1
    assert "on elsewhere, last sign 0 s ago" in sentence(found)


def test_failures_of_an_earlier_start_wait_again(store):
    announcement(store, began=time.time() + 10)
    (found,), _ = progress(store)
    assert (found.counts["failed"], found.counts["waiting"]) == (0, 3)


def test_a_sweep_that_is_done_is_announced_no_more_and_one_that_stopped_is(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(KeyboardInterrupt), announced(store, "x", [("a", "run a")]):
        raise KeyboardInterrupt
    (old,) = sweeps(store)
    post(old[0], asdict(replace(old[1], process=dead())))
    with announced(store, "x", [("a", "run a")]):
        ((_, sweep),) = sweeps(store)
        assert sweep.process == this_process()
        store.run("a").mkdir()
    assert sweeps(store) == []


def test_a_sweep_whose_settings_are_refused_is_announced_no_more(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(ConfigError), announced(store, "mistyped", [("r", "title")]):
        raise ConfigError("there is no such launcher")
    assert sweeps(store) == []


def test_damaged_announcements_are_left_out(store):
    (store.sweeps / "bad.json").write_text(json.dumps({"title": 1}))
    (store.sweeps / "list.json").write_text("[]")
    (store.run_states / "list.json").write_text("[1]")
    assert len(progress(store)[0]) == 1


def test_status_makes_no_store(tmp_path):
    with pytest.raises(StoreError, match="no store at"):
        show_status(tmp_path, Console())
    assert list(tmp_path.iterdir()) == []
    assert "nothing goes on" in str(status(Store(tmp_path)).renderables[0])


def test_who_stops_a_run_leaves_no_failure(short, monkeypatch):
    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline_module, "_run", stop)
    config = short()
    with pytest.raises(KeyboardInterrupt):
        execute(config)
    assert run_states(Store(plan(config).store).run_states) == []
