"""What may be removed from a store, and what never is."""

import contextlib
import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from tests.runs.test_board import board, dead
from typer.testing import CliRunner

from clusterpress.cli import app
from clusterpress.runs.announced import announced, sweeps
from clusterpress.runs.clean import leftovers, remove
from clusterpress.runs.holding import held
from clusterpress.runs.process import this_process
from clusterpress.runs.store import Store

OLD = 40 * 86_400


@pytest.fixture
def store(tmp_path):
    """A store with a finished stage, and every kind of leftover, forty days old."""
    made = Store(tmp_path / "store")
    (made.stage("done") / "x").mkdir(parents=True)
    made.run("done").mkdir()
    for name in ("old", "new", "held"):
        made.unfinished(name).mkdir(parents=True)
        (made.unfinished(name) / "0.ckpt").write_bytes(bytes(1000))
    (made.root / "stages" / ".dead-x1").mkdir()
    (made.root / "runs" / ".dead-x2").mkdir()
    board(made, "killed", process=dead())
    (made.run_states / ".killed.json.0123.tmp").write_text("{")
    for path in [made.root, *made.root.rglob("*")]:
        if "new" not in str(path):
            os.utime(path, (time.time() - OLD, time.time() - OLD))
    return made


def names(found):
    return {each.path.name for each in found}


LEFT = {"old", ".dead-x1", ".dead-x2", "killed.json", ".killed.json.0123.tmp"}


def test_what_is_old_and_free_is_listed_with_its_bytes(store):
    with store.locked("held"):
        found = leftovers(store, 30)
        assert names(found) == LEFT
        assert {each.path.name: each.size for each in found}["old"] == 1000
        assert names(leftovers(store, 0)) == LEFT | {"new"}
        assert leftovers(store, 41) == []
    assert names(leftovers(store, 30)) == LEFT | {"held"}


def test_what_somebody_took_up_meanwhile_is_not_removed(store):
    found = leftovers(store, 30)
    with store.locked("old"):
        freed = remove(found)
    assert store.unfinished("old").exists()
    assert freed == sum(each.size for each in found if each.path.name != "old")
    assert not any(each.path.exists() for each in found if each.path.name != "old")
    assert (store.stage("done") / "x").exists()
    assert store.run("done").exists()


def test_the_command_lists_and_removes_only_when_told(store):
    arguments = ["clean", "--store", str(store.root), "--older-than", "30d"]
    listed = CliRunner().invoke(app, arguments)
    assert listed.exit_code == 0
    assert "--yes removes it" in listed.output
    assert names(leftovers(store, 30)) == LEFT | {"held"}
    done = CliRunner().invoke(app, [*arguments, "--yes"])
    assert "removed" in done.output
    assert names(leftovers(store, 0)) == {"new"}


@pytest.mark.parametrize("age", ["30", "d", "-1d", "nand", "infd", ""])
def test_an_age_that_is_none_is_refused(store, age):
    command = ["clean", "--store", str(store.root), f"--older-than={age}"]
    assert CliRunner().invoke(app, command).exit_code == 2


def test_sweeps_that_go_on_are_kept(store):
    with announced(store, "x", [("a", "run a")]):
        ((path, _),) = sweeps(store)
        os.utime(path, (1, 1))
        assert path not in {each.path for each in leftovers(store, 0)}


def announced_from(store, described, monkeypatch):
    """Announce a sweep as a process that cannot be looked at from here would."""
    monkeypatch.setattr("clusterpress.runs.announced.this_process", lambda: described)
    return announced(store, "x", [("a", "run a")])


def test_sweeps_of_another_machine_are_kept_while_their_driver_holds_them(tmp_path, monkeypatch):
    store = Store(tmp_path)
    alike = [replace(this_process(), **other) for other in ({"host": "else"}, {"boot": "another"})]
    for described in alike:
        with announced_from(store, described, monkeypatch):
            path = store.sweeps / sweeps(store)[0][1].file_name
            os.utime(path, (1, 1))
            assert leftovers(store, 0) == []
        assert names(leftovers(store, 0)) == {path.name}
        path.unlink()


def test_two_machines_announce_the_same_runs_beside_each_other(tmp_path, monkeypatch):
    store, own = Store(tmp_path), this_process()
    others = [replace(own, host="else"), replace(own, boot="another"), replace(own, started="1")]
    with contextlib.ExitStack() as stack:
        for described in [own, *others]:
            stack.enter_context(announced_from(store, described, monkeypatch))
        assert {sweep.process for _, sweep in sweeps(store)} == {own, *others}


HOLD = """
import sys, time
from pathlib import Path
from clusterpress.sweeps.job import Notes
notes = Notes(Path(sys.argv[1]))
notes.make()
with notes.used():
    print("holds", flush=True)
    time.sleep(60)
"""


def test_notes_of_a_sweep_are_kept_while_its_driver_or_a_worker_lives(tmp_path):
    store = Store(tmp_path)
    folder = store.root / "logs" / "sweep" / "0123456789ab"
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            process = subprocess.Popen(
                [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout.readline() == b"holds\n"
        assert leftovers(store, 0) == []
        process.kill()
        process.wait()
        assert leftovers(store, 0) == []
    assert names(leftovers(store, 0)) == {folder.name}


def test_notes_that_nobody_holds_but_a_job_in_a_queue_may_need_are_kept_for_a_day(tmp_path):
    store = Store(tmp_path)
    folder = store.root / "logs" / "sweep" / "0123456789ab"
    for waiting in (folder.with_name("earlier"), folder):
        (waiting / ".submitit").mkdir(parents=True)
    (folder / "in-use").touch()
    assert leftovers(store, 0) == []
    for path in folder.parent.rglob("*"):
        os.utime(path, (1, 1))
    assert names(leftovers(store, 0)) == {folder.name, "earlier"}


def test_what_cannot_be_read_is_listed_unless_somebody_works_on_it(tmp_path):
    store = Store(tmp_path)
    for room in (store.run_states, store.sweeps):
        room.mkdir(parents=True)
        for name, text in (("cut", '{"run": "cu'), ("other", "[1]"), ("held", "")):
            (room / f"{name}.json").write_text(text)
    with store.locked("held"), held(store.sweeps / "held.json"):
        found = leftovers(store, 0)
    assert sorted(each.path.name for each in found) == 2 * ["cut.json"] + 2 * ["other.json"]
    assert {each.why for each in found} == {"status that cannot be read"}
    remove(found)
    assert names(leftovers(store, 0)) == {"held.json"}


def test_half_made_studies_are_listed_unless_somebody_makes_them(tmp_path):
    store = Store(tmp_path)
    (store.root / "studies").mkdir()
    half = [f".a.b.{'0' * 32}.tmp", f".a.b.{'0' * 32}.tmp-journal"]
    for name in [*half, "a.b.db", "a.b.db-journal", ".mine.tmp"]:
        (store.root / "studies" / name).touch()
    with store.locked("study-a.b"):
        assert leftovers(store, 0) == []
    remove(leftovers(store, 0))
    left = {path.name for path in (store.root / "studies").iterdir()}
    assert left == {"a.b.db", "a.b.db-journal", ".mine.tmp"}


def test_a_finished_stage_keeps_no_state_of_its_training(store):
    store.stage("old").mkdir()
    store.sweep()
    assert not store.unfinished("old").exists()
    assert store.unfinished("new").exists()
    assert not list(store.run_states.glob(".*.tmp"))
